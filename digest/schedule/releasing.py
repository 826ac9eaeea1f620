"""At an issue's hour: let it go, keep it back, or leave it out."""

import structlog

from digest.domain.alerts import AlertKind
from digest.domain.editions import Edition
from digest.domain.errors import DigestError
from digest.domain.policies import TooFew, Unapproved
from digest.domain.states import EditionState
from digest.schedule import stages
from digest.schedule.case import WAITING, Case
from digest.schedule.preparing import count_stories, is_as_it_was, prepare, say_few

_log = structlog.get_logger()


def release(case: Case) -> None:
    """Do with one issue what its hour, its edition and its schedule's policies say."""
    edition = case.edition()
    if edition is not None and edition.state not in WAITING:
        case.settle()
    elif case.is_late:
        case.ask_late(edition)
    elif edition is None:
        _go_without(case)
    else:
        _let_go(case, edition)


def _go_without(case: Case) -> None:
    """Leave out what has no story even now, if the policy says so."""
    if case.plan.policies.too_few is not TooFew.SKIP:
        return
    prepare(case)
    if case.edition() is None:
        _leave_out(case, None, "There is no story for it.")


def _let_go(case: Case, edition: Edition) -> None:
    is_draft = edition.state is EditionState.DRAFT
    if is_draft and not case.is_automatic:
        _wait_for_approval(case, edition)
    elif is_draft and _is_thin(case, edition):
        return
    elif is_as_it_was(case, edition):
        _release(case, edition)
    else:
        # It was held just now; the alert said why.
        case.tell(f"It is held. Run: digest editions approve {edition.id}")


def _wait_for_approval(case: Case, edition: Edition) -> None:
    policy = case.plan.policies.unapproved
    if policy is Unapproved.SKIP and edition.held_at is None:
        _leave_out(case, edition, "Nobody approved it by its hour.")
        return
    mend = f"Run: digest editions approve {edition.id}"
    case.tell(f"It waits for an approval. {mend}")
    # The desk's reminders say it by mail.
    words = "It was not approved by its hour."
    case.alert(AlertKind.BLOCKED, words, edition=edition, is_quiet=True)


def _is_thin(case: Case, edition: Edition) -> bool:
    """Tell whether too few stories keep a draft back, and do what the policy says."""
    count, policies = count_stories(case, edition), case.plan.policies
    if count >= policies.least or policies.too_few is TooFew.SHORT:
        return False
    if policies.too_few is TooFew.SKIP and edition.held_at is None:
        _leave_out(case, edition, say_few(case, count))
        return True
    words = say_few(case, count)
    case.tell(f"{words} Run: digest editions approve {edition.id}")
    case.alert(AlertKind.BLOCKED, f"It did not go. {words}", edition=edition)
    return True


def _release(case: Case, edition: Edition) -> None:
    if case.is_late:
        # The host slept while the stories were looked up, say.
        case.ask_late(edition)
        return
    try:
        if case.is_automatic:
            stages.approve(case.service, edition.id, case.now)
        stages.release(case.service, edition.id)
    except DigestError as error:
        latest = case.edition()
        # Otherwise somebody else was quicker, and there is no trouble.
        if latest is not None and latest.state in WAITING:
            case.tell(str(error))
            words = f"It did not go at its hour. {error}"
            # What is held was told about when it was, and the desk is reminded of it.
            is_held = latest.held_at is not None
            case.alert(AlertKind.BLOCKED, words, edition=latest, is_quiet=is_held)
        return
    _log.info("schedule.released", edition=edition.id)
    case.settle()


def _leave_out(case: Case, edition: Edition | None, why: str) -> None:
    try:
        case.leave_out(edition, why)
    except DigestError as error:
        # Somebody was quicker: the next turn looks again.
        _log.info("schedule.not_skipped", schedule=case.kept.id, why=str(error))
