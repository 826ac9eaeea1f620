"""Taking the HTML part of a letter apart."""

from time import process_time

from digest.compose.page import Page


def test_an_end_closes_what_was_left_open_inside() -> None:
    html = '<div style="display:none"><b>unseen</div></b></i><p>seen</p>'

    assert Page(html).words == "seen"


def test_ends_of_what_was_never_open_are_passed_over_at_once() -> None:
    before = process_time()

    page = Page("<b>" * 30_000 + "</i>" * 30_000)

    assert len(page.elements) == 30_000
    assert process_time() - before < 5  # a walk of all that is open takes minutes
