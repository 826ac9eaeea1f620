"""Before an issue's hour: collect, compose, ask; then look at all of it once more."""

from collections.abc import Sequence
from contextlib import suppress

import structlog

from digest.domain.alerts import AlertKind
from digest.domain.editions import Edition
from digest.domain.errors import DigestError, NotFoundError, StateError
from digest.domain.schedules import Step
from digest.domain.states import EditionState
from digest.schedule import desk, stages
from digest.schedule.case import WAITING, Case
from digest.storage import alerts, editions, schedules

_log = structlog.get_logger()
_MOST_UNSEEN = 2


def prepare(case: Case) -> None:
    """Bring one issue as far as it can be brought by now."""
    edition = case.edition()
    if edition is None:
        _collect_once(case)
        edition = _compose(case)
    elif edition.state is EditionState.DRAFT and not desk.is_asked(
        case.service, edition.id
    ):
        # Whoever composed it died before they were done, or is a person.
        _complete(case, edition)
    elif edition.state in WAITING and _is_near(case):
        _collect_again(case, edition)
        edition = case.edition()
        if edition is not None and edition.state in WAITING:
            is_as_it_was(case, edition)
    if edition is not None:
        notes = tuple(case.standing())
        desk.ask(case.service, edition.id, case.now, notes=notes)


def is_as_it_was(case: Case, edition: Edition) -> bool:
    """Look an edition's stories up, unless that was done; hold it where they changed.

    Returns:
        Whether it may go. What the desk was told about before is its own decision.
    """
    done = case.done_at(Step.LOOKED_UP)
    # What was looked up before an earlier hour, the issue was moved since.
    if done is not None and done >= max(edition.updated_at, case.near):
        return True
    found = stages.look_up(case.service, edition.id, case.now)
    known = case.standing()
    news = [words for words in found.changed if words not in known]
    if news:
        # Held first: were the alert lost, the hold would still be told.
        with suppress(StateError):
            stages.keep_back(case.service, edition.id, " ".join(news), case.now)
        case.alert(AlertKind.STORY, *news, edition=case.edition())
    case.alert(AlertKind.UNSEEN, *_in_short(found.unseen))
    case.mark(Step.LOOKED_UP)
    return not news


def count_stories(case: Case, edition: Edition) -> int:
    """Count the stories an edition carries."""
    with case.service.db.read() as tx:
        return len(editions.stories(tx, edition.id))


def say_few(case: Case, count: int) -> str:
    """Say that there are too few stories."""
    has = "no story" if count == 0 else "1 story" if count == 1 else f"{count} stories"
    return f"It has {has}; it goes by itself with {case.plan.policies.least} or more."


def _in_short(unseen: Sequence[str]) -> list[str]:
    """Say what could not be looked at, in one line where it is much."""
    if len(unseen) <= _MOST_UNSEEN:
        return list(unseen)
    return [f"{unseen[0]} So it is with {len(unseen) - 1} more."]


def _is_near(case: Case) -> bool:
    return case.now >= case.near


def _collect_once(case: Case) -> None:
    if case.kept.has_collected(case.day):
        return
    _collect(case)
    # Only now: a run that died while collecting does it again.
    with case.service.db.write() as tx:
        schedules.mark_collected(tx, case.kept, case.day)
    if _is_near(case):
        case.mark(Step.COLLECTED_AGAIN)


def _collect(case: Case) -> None:
    done = stages.collect(case.service, case.newsletter, case.now)
    failed = [one for one in done if one.error]
    words = [
        f"The source {one.source.title or one.source.url} could not be read:"
        f" {one.error} The issue goes without its new stories."
        for one in failed
    ]
    case.alert(AlertKind.SOURCE, *words)


def _compose(case: Case) -> Edition | None:
    try:
        edition = stages.compose(case.service, case.newsletter, case.day, case.now)
    except DigestError as error:
        # Otherwise somebody else composed it just now, and asks when it is done.
        if case.edition() is None:
            _tell_uncomposed(case, error)
        return None
    _log.info("schedule.composed", newsletter=case.newsletter.slug, edition=edition.id)
    _settle(case, AlertKind.FEW)
    _complete(case, edition)
    return case.edition()


def _complete(case: Case, edition: Edition) -> None:
    """Bring a new draft to where the desk can be asked about it; may be repeated."""
    stages.gather_pictures(case.service, edition.id, case.now)
    # Seen now, so that a later look can tell what changed.
    found = stages.look_up(case.service, edition.id, case.now)
    case.alert(AlertKind.UNSEEN, *_in_short(found.unseen))
    count = count_stories(case, edition)
    if count < case.plan.policies.least:
        # The question about the draft says it.
        case.alert(AlertKind.FEW, say_few(case, count), is_quiet=True)
    if case.is_automatic:
        _tell_errors(case, edition)


def _tell_uncomposed(case: Case, error: DigestError) -> None:
    case.tell(str(error))
    if isinstance(error, NotFoundError):
        case.alert(AlertKind.FEW, say_few(case, 0))
    else:
        case.alert(AlertKind.BLOCKED, str(error))


def _tell_errors(case: Case, edition: Edition) -> None:
    """Say early what an editor must mend before the hour."""
    try:
        stages.require_no_errors(case.service, edition.id)
    except DigestError as error:
        case.tell(str(error))
        case.alert(AlertKind.BLOCKED, str(error), is_quiet=True)


def _collect_again(case: Case, edition: Edition) -> None:
    read = case.done_at(Step.COLLECTED_AGAIN)
    if not case.plan.collect_again or (read is not None and read >= case.near):
        return
    _settle(case, AlertKind.SOURCE)
    _collect(case)
    if case.is_automatic:
        # Somebody who changes it just now knows what they do.
        with suppress(StateError):
            done = stages.take_in_news(case.service, edition.id, case.now)
            _tell_news(case, done.waiting)
    case.mark(Step.COLLECTED_AGAIN)


def _tell_news(case: Case, titles: Sequence[str]) -> None:
    words = [f"“{title}” came in after the draft and is not in it." for title in titles]
    case.alert(AlertKind.NEWS, *words)


def _settle(case: Case, kind: AlertKind) -> None:
    with case.service.db.write() as tx:
        alerts.settle(
            tx,
            schedule_id=case.kept.id,
            issue_date=case.day,
            kinds=(kind,),
            now=case.now,
        )
