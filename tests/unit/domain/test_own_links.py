"""Tags on links to the own site: which links, which tags, and what stays."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.own_links import OwnLinks

OURS = OwnLinks(hosts=("stories.test", "xn--mgbc0a.test"))
TAGS = "utm_source=weekly&utm_medium=email&utm_campaign=weekly-2024-05-12"


def tag(url: str, rules: OwnLinks = OURS) -> str:
    return rules.tag(url, newsletter="weekly", issue_date="2024-05-12")


@pytest.mark.parametrize(
    ("url", "tagged"),
    [
        ("https://stories.test/a", f"https://stories.test/a?{TAGS}"),
        ("https://www.Stories.test/a", f"https://www.Stories.test/a?{TAGS}"),
        (
            "https://stories.test/?a=1&b=%D8%B1",
            f"https://stories.test/?a=1&b=%D8%B1&{TAGS}",
        ),
        ("https://stories.test/a#end", f"https://stories.test/a?{TAGS}#end"),
        ("https://stories.test/a?x#y", f"https://stories.test/a?x&{TAGS}#y"),
        (
            "https://stories.test/?utm_campaign=mine",
            "https://stories.test/?utm_campaign=mine&utm_source=weekly&utm_medium=email",
        ),
    ],
)
def test_tags_own_links_and_keeps_what_they_have(url: str, tagged: str) -> None:
    assert tag(url) == tagged


@pytest.mark.parametrize(
    "url",
    [
        "https://other.test/a",
        "https://notstories.test/",
        "https://stories.test.evil.test/",
        "https://other.test/?to=https://stories.test/",
        "mailto:desk@stories.test",
        "https://[::1]/",
        "https://[/",
    ],
)
def test_leaves_every_other_link_alone(url: str) -> None:
    assert tag(url) == url


def test_tags_nothing_without_hosts() -> None:
    assert tag("https://stories.test/", OwnLinks()) == "https://stories.test/"


def test_says_what_it_is_told_to() -> None:
    rules = OwnLinks(hosts=("a.test",), source="s", medium="", campaign="spring 24")

    assert tag("https://a.test/", rules) == (
        "https://a.test/?utm_source=s&utm_campaign=spring+24"
    )


@given(st.text())
def test_never_fails(url: str) -> None:
    assert tag(url).startswith(url[:1])
