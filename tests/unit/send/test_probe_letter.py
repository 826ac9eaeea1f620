"""The probe's words, in each language."""

import pytest

from digest.domain.theme import Theme
from digest.templating import Letter, Templates
from tests.builders import make_newsletter


def render(language: str, *, signed: bool) -> Letter:
    rtl = language == "ar"
    return Templates().letter(
        "probe",
        language=language,
        context={
            "newsletter": make_newsletter(direction="rtl" if rtl else "ltr"),
            "theme": Theme(),
            "mail_domain": "n.example",
            "dkim_domain": "n.example",
            "relay": "relay.example:25",
            "signed": signed,
        },
    )


@pytest.mark.parametrize("signed", [True, False])
def test_says_whether_it_is_signed(*, signed: bool) -> None:
    letter = render("en", signed=signed)

    for part in (letter.text, letter.html):
        assert ("It is signed for n.example" in part) is signed
        assert "handed to relay.example:25" in part


@pytest.mark.parametrize("signed", [True, False])
def test_speaks_arabic(*, signed: bool) -> None:
    letter = render("ar", signed=signed)

    words = letter.subject + letter.text
    assert "رسالة تجريبية" in words
    assert "letter" not in words
    assert "signed" not in words
    assert "handed" not in words
