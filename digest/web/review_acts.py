"""What the buttons of the desk's page do, each under the address of its holder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field as default

from digest.bootstrap import Service
from digest.compose.approve import approve
from digest.compose.edit import Changes, edit
from digest.compose.hold import hold
from digest.compose.view import clean
from digest.compose.withdraw import ChangedError
from digest.domain.addresses import parse_address
from digest.domain.errors import DigestError
from digest.send import steering
from digest.timetable.reviewing import Access
from digest.web.forms import Form, field

_TYPED = ("subject", "preheader", "opening", "opening_by", "why", "because")
_LONGEST_REASON = 500
_MOST_DIGITS = 18  # what a row id can have


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a button did.

    Attributes:
        done: Names what was done, for the page to tell; empty: nothing.
        mistake: Names why nothing was; empty: it was done.
        said: What a stage said about that, in English.
        typed: What stood in the form, so that nobody types it twice.
        dropped: The story that was dropped just now; 0: none.
        status: Of the answer.
    """

    done: str = ""
    mistake: str = ""
    said: str = ""
    typed: Mapping[str, str] = default(default_factory=dict)
    dropped: int = 0
    status: int = 200


NOTHING = Outcome()


def act(service: Service, access: Access, form: Form) -> Outcome:
    """Do what a button says; a stage's refusal is an outcome, too."""
    verb, _, article = field(form, "do").partition(":")
    typed = {name: field(form, name) for name in _TYPED if name in form}
    try:
        if verb in _STORY_VERBS and _is_row_id(article):
            return _change_stories(service, access, form, verb, int(article))
        if verb not in _VERBS:
            return Outcome(mistake="unknown", status=400)
        return _VERBS[verb](service, access, form)
    except ChangedError:
        return Outcome(mistake="changed", typed=typed, status=409)
    except DigestError as error:
        return Outcome(mistake="refused", said=error.message, typed=typed, status=409)


def mail_link(service: Service, access: Access) -> str:
    """Mail fresh links to whoever held those that have expired."""
    assert access.review is not None, "the link was one of ours"
    service.ask_desk(
        _edition_id(access),
        None,
        actor=access.actor,
        now=service.now(),
        addresses=[access.review.address],
    )
    return "mailed"


def _approve(service: Service, access: Access, form: Form) -> Outcome:
    because = _reason(form)
    if not because and service.look(_edition_id(access)).warnings:
        return Outcome(mistake="because", status=422)
    approve(
        service.db,
        edition_id=_edition_id(access),
        because=because,
        templates=service.templates,
        site=service.site,
        posting=service.posting(),
        actor=access.actor,
        now=service.now(),
        seen=field(form, "seen"),
    )
    return Outcome(done="approved")


def _hold(service: Service, access: Access, form: Form) -> Outcome:
    hold(
        service.db,
        edition_id=_edition_id(access),
        because=_reason(form),
        actor=access.actor,
        now=service.now(),
    )
    return Outcome(done="held")


def _release(service: Service, access: Access, _form: Form) -> Outcome:
    service.release(_edition_id(access), actor=access.actor)
    return Outcome(done="released")


def _pause(service: Service, access: Access, form: Form) -> Outcome:
    steering.pause(
        service.db,
        edition_id=_edition_id(access),
        reason=_reason(form) or str(access.actor),
        actor=access.actor,
        now=service.now(),
    )
    return Outcome(done="paused")


def _resume(service: Service, access: Access, _form: Form) -> Outcome:
    steering.resume(
        service.db,
        edition_id=_edition_id(access),
        actor=access.actor,
        now=service.now(),
    )
    return Outcome(done="resumed")


def _test(service: Service, access: Access, _form: Form) -> Outcome:
    assert access.review is not None, "the door is open"
    service.send_proof(
        _edition_id(access),
        address=parse_address(access.review.address),
        actor=access.actor,
    )
    return Outcome(done="tested")


def _save(service: Service, access: Access, form: Form) -> Outcome:
    changes = Changes(
        subject=_word(form, "subject"),
        preheader=_word(form, "preheader"),
        opening=_word(form, "opening"),
        opening_by=_word(form, "opening_by"),
        why=_word(form, "why"),
    )
    _edit(service, access, form, changes)
    return Outcome(done="saved")


def _change_stories(
    service: Service, access: Access, form: Form, verb: str, article: int
) -> Outcome:
    _edit(service, access, form, _change(service, access, verb, article))
    return Outcome(done=verb, dropped=article if verb == "drop" else 0)


def _change(service: Service, access: Access, verb: str, article: int) -> Changes:
    if verb == "lead":
        return Changes(lead=article)
    if verb == "drop":
        return Changes(drop=[article])
    if verb == "add":
        return Changes(add=[article])
    places = {
        s.article_id: s.position for s in service.look(_edition_id(access)).stories
    }
    step = -1 if verb == "up" else 1
    return Changes(moves=[(article, places.get(article, 0) + step)])


def _edit(service: Service, access: Access, form: Form, changes: Changes) -> None:
    edit(
        service.db,
        edition_id=_edition_id(access),
        changes=changes,
        templates=service.templates,
        site=service.site,
        actor=access.actor,
        now=service.now(),
        seen=field(form, "seen"),
    )


def _word(form: Form, name: str) -> str | None:
    """Return what a field has; None: it was not sent, which is not to empty it."""
    # Browsers send CR LF; what is stored, and compared, has LF alone.
    return field(form, name).replace("\r\n", "\n") if name in form else None


def _reason(form: Form) -> str:
    """Return why somebody does something, in one line that any database takes."""
    return " ".join(clean(field(form, "because")[:_LONGEST_REASON]).split())


def _is_row_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _edition_id(access: Access) -> int:
    assert access.edition is not None, "the door is known"
    return access.edition.id


_STORY_VERBS = {"lead", "up", "down", "drop", "add"}
_VERBS: Mapping[str, Callable[[Service, Access, Form], Outcome]] = {
    "approve": _approve,
    "hold": _hold,
    "release": _release,
    "pause": _pause,
    "resume": _resume,
    "test": _test,
    "save": _save,
}
