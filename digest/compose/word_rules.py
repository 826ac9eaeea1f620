"""Preflight rules about words: subject, preheader, stories, sponsor."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from digest.compose.finding import Finding, refuse, warn
from digest.compose.view import clean, web_address
from digest.domain.editions import Edition, Story
from digest.domain.newsletters import Newsletter
from digest.domain.recipe import (
    LONGEST_SUBJECT,
    PREHEADER_BAND,
    SUBJECT_BAND,
    lacks_attribution,
)

_FEIGNED_ANSWER = re.compile(r"(re|fwd?|aw)\s*:", re.IGNORECASE)
_ISSUE_NUMBER = re.compile(r"(\bno\.|\bissue|#)\s*\d+", re.IGNORECASE)


def check_subject(edition: Edition, stories: Sequence[Story]) -> Iterator[Finding]:
    """Check the subject's length, manners and attribution."""
    subject = " ".join(clean(edition.subject).split())
    least, most = SUBJECT_BAND
    length = f"The subject has {len(subject)} characters"
    if not least <= len(subject) <= most:
        yield refuse(
            "subject-length", f"{length}; {least} to {most} are allowed.", "subject"
        )
    elif len(subject) > LONGEST_SUBJECT:
        yield warn(
            "subject-length",
            f"{length}; phones cut it: use at most {LONGEST_SUBJECT}.",
            "subject",
        )
    for is_bad, fault in (
        (_FEIGNED_ANSWER.match(subject), "feigns an answer"),
        (subject.isupper(), "is all capitals"),
        (any(unicodedata.category(c) == "So" for c in subject), "has a pictogram"),
        (_ISSUE_NUMBER.search(subject), "spends its room on the issue's number"),
    ):
        if is_bad:
            yield warn("subject-manners", f"The subject {fault}.", "subject")
    if stories and lacks_attribution(stories[0].title, subject):
        yield refuse(
            "attribution",
            "The headline reports a claim, the subject states it as a fact: "
            'keep a word such as "reports".',
            "subject",
        )


def check_preheader(edition: Edition) -> Iterator[Finding]:
    """Check the preheader's length and that it says something new."""
    preheader, subject = clean(edition.preheader), clean(edition.subject)
    least, most = PREHEADER_BAND
    if not preheader:
        yield warn(
            "preheader-missing",
            "There is no preheader: mail programs will show the masthead instead.",
            "preheader",
        )
    elif not least <= len(preheader) <= most:
        yield warn(
            "preheader-length",
            f"The preheader has {len(preheader)} characters; "
            f"{least} to {most} read best.",
            "preheader",
        )
    if subject and subject.casefold() in preheader.casefold():
        yield warn(
            "preheader-repeats", "The preheader repeats the subject.", "preheader"
        )


def check_some(stories: Sequence[Story]) -> Iterator[Finding]:
    """Check that there is a story at all."""
    if not stories:
        yield refuse("empty", "The edition has no story: add one.", "edition")


def check_stories(
    stories: Sequence[Story], newsletter: Newsletter
) -> Iterator[Finding]:
    """Check that every story can be shown, read and followed."""
    slugs = {section.slug for section in newsletter.sections}
    for story in stories:
        where = f"article {story.article_id}"
        if story.section not in slugs:
            yield refuse(
                "section", f"There is no section {story.section!r} any more.", where
            )
        yield from _check_link(story, where)
        yield from _check_words(story, where)


def check_sponsor(edition: Edition) -> Iterator[Finding]:
    """Check that readers are told who paid, and that the link works."""
    sponsor = edition.sponsor
    if sponsor is None:
        return
    if not (clean(sponsor.name) and clean(sponsor.title) and web_address(sponsor.url)):
        yield refuse(
            "sponsor",
            "The paid block needs a name of who paid, a title and an https address.",
            "sponsor",
        )


def _check_link(story: Story, where: str) -> Iterator[Finding]:
    if story.url is None:
        yield warn(
            "story-link", "The story has no address: readers cannot follow it.", where
        )
    elif web_address(story.url) is None:
        yield warn(
            "story-link",
            "The story's address is not a web address: it is left out.",
            where,
        )


def _check_words(story: Story, where: str) -> Iterator[Finding]:
    if not clean(story.title):
        yield refuse("title", "The story has no headline.", where)
    if not clean(story.standfirst):
        yield warn("standfirst", "The story has no standfirst.", where)
    image = story.image
    # Small pictures beside a headline are decoration; the lead's is not.
    if image.url and story.position == 1 and not clean(image.alt):
        yield warn("alt", "The picture has no text for those who cannot see it.", where)
    if image.url and not clean(image.credit):
        yield warn("credit", "The picture has no credit.", where)
