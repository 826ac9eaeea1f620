"""Each rule of preflight: a fault planted for it, and nothing in a good edition."""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.compose import preflight
from digest.compose.posting import Known, Signature
from digest.domain.articles import Image
from digest.domain.editions import Sponsor
from digest.domain.errors import DigestError
from digest.domain.letters import Sender
from digest.domain.pictures import Picture
from digest.domain.site import Site
from digest.domain.states import EditionKind
from digest.storage.embargoes import Embargo
from digest.templating.apart import TemplateFaultError
from tests.builders import NOW
from tests.preflight import DOMAIN, SENDER, Case, clean_case, names
from tests.weeks import our_picture

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "preflight.md").read_text(encoding="utf-8")
FOLDER = Path(preflight.__file__).parent
LINK = '<a href="https://stories.paper.eg/2"'
# What only the network can tell is tested where there is one.
ELSEWHERE = {"link-dead"}


def lead(case: Case, **changes: object) -> Case:
    """Return a case with another lead."""
    first, *others = case.stories
    return case.having(stories=[replace(first, **changes), *others])


def narrow(width: int) -> Picture:
    """Return a picture of so many pixels across."""
    file = replace(our_picture().large, width=width)
    return Picture(small=file, large=file)


def held_until(until: datetime, *, goes_at: datetime | None = None) -> Known:
    """What is known of an edition whose second story is under embargo."""
    return Known(embargoes=[Embargo(article_id=2, until=until)], goes_at=goes_at)


def correction(case: Case) -> Case:
    """Return the correction of a case's edition: some words, no story."""
    return case.having(stories=[]).edited(
        kind=EditionKind.CORRECTION,
        corrects=7,
        subject="Correction: Trains do run",
        preheader="Not what we wrote.",
        opening="We wrote that trains do not run. They do.",
        why="",
        sponsor=None,
        support=None,
        picks=(),
    )


def paid(case: Case, **changes: str) -> Case:
    """Return a case with another paid block."""
    sponsor = case.edition.sponsor
    assert isinstance(sponsor, Sponsor)
    return case.edited(sponsor=replace(sponsor, **changes))


def refuse_layout(_: object) -> None:
    raise TemplateFaultError("'colour' is undefined.", "email/own/body.html, line 3")


def refuse_message(*_: object) -> list[bytes]:
    raise DigestError("A control character stands in the name of a letter.")


def add_text(case: Case, text: str) -> Case:
    """Return a case with further words in its plain-text part."""
    return case.having(
        letter=lambda letter: replace(letter, text=f"{letter.text}\n{text}\n")
    )


def only(case: Case, count: int) -> Case:
    """Return a case with few stories."""
    return case.having(stories=case.stories[:count])


def sent_by(case: Case, address: str) -> Case:
    """Return a case with another sender."""
    domain = address.rpartition("@")[2]
    sender = Sender(name="The Week", address=address, reply_to=SENDER.reply_to)
    posting = replace(case.posting, signing_domain=domain)
    return case.published(sender=sender).having(posting=posting)


def relayed(case: Case) -> Case:
    """Return a case whose signature is not looked at, since its header is spoilt."""
    return case.having(posting=replace(case.posting, signature=Signature.RELAY))


def built(case: Case, old: str, new: str) -> Case:
    """Return a case whose messages have another start of a line in the header."""
    return relayed(case).built(f"\r\n{old}", f"\r\n{new}")


FAULTS: dict[str, Callable[[Case], Case]] = {
    "subject-length": lambda c: c.edited(subject="Reports"),
    "subject-manners": lambda c: c.edited(subject="Re: Rafah, the reports"),
    "attribution": lambda c: c.edited(subject="Egypt refuses Rafah coordination"),
    "preheader-missing": lambda c: c.edited(preheader=""),
    "preheader-length": lambda c: c.edited(preheader="Plus: a little."),
    "preheader-repeats": lambda c: c.edited(
        preheader=c.edition.subject + " " * 9 + "x" * 50
    ),
    "preheader-lost": lambda c: c.rendered("<body", "<p>View in browser</p><body"),
    "draft-words": lambda c: c.told(standfirst="TODO: ask the ministry."),
    "empty": lambda c: c.having(stories=[]),
    "few-stories": lambda c: only(c, 2),
    "empty-section": lambda c: only(c, 4).having(known=Known(choices=["", "arts"])),
    "section": lambda c: c.told(section="gone"),
    "title": lambda c: c.told(title=" "),
    "headline-capitals": lambda c: c.told(title="CAIRO JOINS THE CASE"),
    "standfirst": lambda c: c.told(standfirst=""),
    "standfirst-length": lambda c: c.told(standfirst="word " * 71),
    "story-link": lambda c: c.told(url=None),
    "duplicate-story": lambda c: c.told(title=c.stories[2].title.upper().title()),
    "repeated-story": lambda c: c.having(known=Known(earlier=[(18, c.stories[3])])),
    "embargo": lambda c: c.having(known=held_until(NOW + timedelta(hours=1))),
    "correction-words": lambda c: correction(c).edited(opening=" "),
    "correction-subject": lambda c: correction(c).edited(subject="Trains do run"),
    "correction-early": lambda c: correction(c).having(known=Known(still_sending=2)),
    "picture": lambda c: c.told(image=Image(url="https://a.paper.eg/p", credit="B")),
    "picture-small": lambda c: lead(c, picture=narrow(480)),
    "alt": lambda c: lead(c, image=replace(c.stories[0].image, alt="")),
    "credit": lambda c: lead(c, image=replace(c.stories[0].image, credit="")),
    "sponsor": lambda c: paid(c, url="mailto:a@paper.eg"),
    "placeholder-sender": lambda c: sent_by(c, "weekly@news.example.test"),
    "placeholder-address": lambda c: c.published(postal_address="Placeholder: street"),
    "postal-address": lambda c: c.published(postal_address=" "),
    "placeholder-site": lambda c: c.having(
        site=Site(base_url="http://127.0.0.1:8000", mail_domain=DOMAIN)
    ),
    "theme": lambda c: c.published(theme={"ink": "#EEEEEE"}),
    "template": lambda c: c.having(letter=refuse_layout),
    "leftover": lambda c: c.rendered("<h1", "<p>{{ story }}</p><h1"),
    "size": lambda c: c.rendered("</body>", "<p>" + "long " * 12_000 + "</p></body>"),
    "clip": lambda c: c.rendered("</body>", "<p>" + "ع" * 11_000 + "</p></body>"),
    "unsubscribe": lambda c: c.rendered(">Unsubscribe<", "><"),
    "foreign-token": lambda c: c.edited(
        opening=f"[Leave](https://{DOMAIN}/u/AbC.dEf-123) as I did."
    ),
    "reader-address": lambda c: c.edited(opening="Ask bob@mail.paper.eg.").having(
        known=Known(is_reader=lambda address: address == "bob@mail.paper.eg")
    ),
    "story-lost": lambda c: c.rendered("world court", "court of the world"),
    "text-links": lambda c: c.rendered(
        LINK, '<a href="https://paper.eg/else"', times=1
    ),
    "text-lines": lambda c: add_text(c, "word " * 20),
    "link-text": lambda c: paid(c, title="Click here"),
    "insecure-link": lambda c: c.told(url="http://stories.paper.eg/2"),
    "link-host": lambda c: c.told(url="https://paper.eg@evil.eg/2"),
    "example-link": lambda c: c.told(url="https://example.com/2"),
    "unsafe-address": lambda c: c.rendered("<h1", '<a href="#top">Top of it</a><h1'),
    "active-content": lambda c: c.rendered("<h1", "<script>1</script><h1"),
    "image-alt": lambda c: c.rendered(' alt=""', "", times=1),
    "image-size": lambda c: c.rendered(' width="120"', "", times=1),
    "headings": lambda c: c.rendered("<h1", "<h1>Again</h1><h1"),
    "language": lambda c: c.rendered('dir="ltr"', "", times=1),
    "table-role": lambda c: c.rendered('role="presentation"', "", times=1),
    "unwritable": lambda c: c.having(posting=replace(c.posting, write=refuse_message)),
    "header-missing": lambda c: built(c, "List-Id: ", "X-Id: "),
    "header-repeated": lambda c: built(c, "Date: ", "To: a@paper.eg\r\nDate: "),
    "header-encoding": lambda c: built(c, "Subject: ", "Subject: é"),
    "one-click": lambda c: relayed(c).built("=One-Click", "=one-click"),
    "parts": lambda c: relayed(c).built("text/plain", "text/calendar"),
    "unfilled-slot": lambda c: relayed(c).built("simsimiyya", "=EE=80=80"),
    "line-length": lambda c: built(c, "MIME", f"X-Long: {'x' * 999}\r\nMIME"),
    "line-ends": lambda c: relayed(c).built("simsimiyya", "sim\rsim"),
    "unsigned": lambda c: c.having(
        posting=replace(c.posting, signature=Signature.NOBODY)
    ),
    "dkim": lambda c: c.built("\r\nReply-To: desk", "\r\nReply-To: disk"),
    "dkim-domain": lambda c: c.having(
        posting=replace(c.posting, signing_domain="other.eg")
    ),
}
# What a fault cannot help but break too.
ALONG = {"empty": {"headings"}}


def ids_in_code() -> set[str]:
    """Find the first argument of every `refuse(…)` and `warn(…)`."""
    calls = (
        node
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )
    firsts = (
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in {"refuse", "warn", "say"}
    )
    return {str(node.value) for node in firsts if isinstance(node, ast.Constant)}


def test_finds_nothing_in_a_good_edition() -> None:
    found = clean_case().check()

    assert (found.errors, found.warnings) == ((), ())
    assert 10_000 < found.size_bytes < 40_960


def test_finds_nothing_in_what_readers_chose() -> None:
    case = clean_case().having(known=Known(choices=["", "arts", "features,news"]))

    found = case.check()

    assert (found.errors, found.warnings) == ((), ())


@pytest.mark.parametrize("rule", FAULTS)
def test_finds_the_fault_that_was_planted(rule: str) -> None:
    found = FAULTS[rule](clean_case()).check()

    assert {*names(found.errors), *names(found.warnings)} == {
        rule,
        *ALONG.get(rule, ()),
    }


def test_every_rule_has_a_fault_that_breaks_it() -> None:
    assert ids_in_code() == FAULTS.keys() | ELSEWHERE


def test_every_rule_has_a_line_in_the_page() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([a-z, ]+) \|", PAGE, re.MULTILINE)

    assert sorted(name for name, _ in rows) == sorted(ids_in_code())


@pytest.mark.parametrize("rule", FAULTS)
def test_the_page_says_whether_a_fault_refuses(rule: str) -> None:
    (kind,) = re.findall(rf"^\| `{rule}` \| ([a-z, ]+) \|", PAGE, re.MULTILINE)

    found = FAULTS[rule](clean_case()).check()

    assert not (rule in names(found.errors) and "error" not in kind)
    assert not (rule in names(found.warnings) and "warning" not in kind)


@pytest.mark.parametrize(
    ("until", "goes_at", "is_warning"),
    [(1, 2, True), (2, 1, False), (1, 1, True), (1, None, True)],
)
def test_an_embargo_that_outlasts_the_hour_is_an_error(
    until: int,
    goes_at: int | None,
    is_warning: bool,  # noqa: FBT001 - a case of the table
) -> None:
    hour = None if goes_at is None else NOW + timedelta(hours=goes_at)
    known = held_until(NOW + timedelta(hours=until), goes_at=hour)

    found = clean_case().having(known=known).check()

    assert [(f.rule, f.is_warning) for f in (*found.errors, *found.warnings)] == [
        ("embargo", is_warning)
    ]


def test_an_embargo_that_has_ended_is_nothing() -> None:
    known = held_until(NOW, goes_at=NOW - timedelta(hours=1))

    found = clean_case().having(known=known).check()

    assert (*found.errors, *found.warnings) == ()


def test_nothing_is_wrong_with_a_good_correction() -> None:
    found = correction(clean_case()).check()

    assert (*found.errors, *found.warnings) == ()
