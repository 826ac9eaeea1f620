"""What a message brings about, by the address it came to.

Each ends in one call of the stage that owns the effect.
"""

from collections.abc import Callable, Mapping

from digest.bootstrap import Service
from digest.domain.own_mail import (
    InboxState,
    Incoming,
    MessageKind,
    Post,
    Verdict,
    read_recipient,
)
from digest.domain.tokens import Purpose
from digest.feedback.reading import read
from digest.feedback.wishes import Wish
from digest.inbound.case import MAIL, Case
from digest.subscriptions import (
    asking_again,
    by_mail,
    declining,
    leave,
    opt_in,
    sign_up,
)
from digest.subscriptions.opt_in import OptIn

_REFUSALS = frozenset({Wish.NO, Wish.LEAVE})
_DOUBTFUL_AUTHOR = "It does not say beyond doubt whom it is from."


def act(service: Service, message: Incoming) -> Verdict:
    """Do what a message asks for, where it may."""
    domain = service.site.mail_domain
    recipient = read_recipient(message.recipient, mail_domain=domain)
    if recipient is None:  # the mail domain was changed since
        return Verdict(
            state=InboxState.QUARANTINED,
            kind=MessageKind.OTHER,
            why="No address of ours any more.",
        )
    reading = read(
        message.raw, sender=message.sender, post=recipient.post, mail_domain=domain
    )
    case = Case(service=service, message=message, recipient=recipient, reading=reading)
    return _ACTS[recipient.post](case)


def _leave(case: Case) -> Verdict:
    """unsubscribe+TOKEN@: the token says all; what is written does not matter."""
    service, token = case.service, case.recipient.tag
    if not case.has_token(Purpose.UNSUBSCRIBE):
        return case.quarantined("Its token is none of ours.")
    found = leave.by_token(
        service.db,
        token=token,
        origin=case.origin(),
        secrets=service.secrets,
        actor=MAIL,
        now=service.now(),
    )
    return case.done("Left." if found else "There was nothing to leave any more.")


def _confirm(case: Case) -> Verdict:
    """confirm+TOKEN@: a person's answer confirms, unless it says no."""
    service = case.service
    if (doubt := _doubt_confirmation(case)) is not None:
        return doubt
    if case.reading.wish not in _REFUSALS:
        return _opt_in(case)
    declining.decline(
        service.db,
        token=case.recipient.tag,
        origin=case.origin(),
        secrets=service.secrets,
        actor=MAIL,
        now=service.now(),
    )
    return case.done("Declined.")


def _doubt_confirmation(case: Case) -> Verdict | None:
    """Say why an answer confirms nothing; None: a person gave it."""
    reading = case.reading
    if not case.has_token(Purpose.CONFIRM):
        return case.quarantined("Its token is none of ours.")
    if not reading.is_readable:
        return case.quarantined(reading.why)
    if reading.is_loop or reading.kind is not MessageKind.CONFIRMATION:
        return case.done(f"Confirms nothing: {reading.why}")
    if reading.author is None:
        return case.quarantined(_DOUBTFUL_AUTHOR)
    return None


def _opt_in(case: Case) -> Verdict:
    service, token = case.service, case.recipient.tag
    looked = opt_in.look(
        service.db, token=token, secrets=service.secrets, now=service.now()
    )
    if looked.newsletter is None:
        return case.done("There is nothing to confirm any more.")
    if looked.outcome is OptIn.EXPIRED:
        return _ask_again(case)
    found = opt_in.confirm(
        service.db,
        token=token,
        origin=case.origin(looked.newsletter.purpose),
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=MAIL,
        now=service.now(),
    )
    return case.done(f"Confirmation: {found.outcome}.")


def _ask_again(case: Case) -> Verdict:
    service = case.service
    asking_again.send_again(
        service.db,
        token=case.recipient.tag,
        origin=case.origin(),
        rules=service.settings.sign_up.rules,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=MAIL,
        now=service.now(),
    )
    return case.done("Its token was too old; asked again.")


def _subscribe(case: Case) -> Verdict:
    """subscribe@: asks the holder of the address in From, whoever wrote it."""
    if (set_aside := _set_aside(case)) is not None:
        return set_aside
    if case.reading.wish in _REFUSALS:
        return _offer_leave(case)
    newsletter = case.find_newsletter()
    if case.reading.wish is Wish.HELP or newsletter is None:
        return _explain(case)
    author = case.reading.author
    assert author is not None, "set aside before"
    service = case.service
    asked = sign_up.request(
        service.db,
        newsletter=newsletter.slug,
        address=author,
        by_holder=case.is_from_its_author,
        origin=case.origin(newsletter.purpose),
        rules=service.settings.sign_up.rules,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=MAIL,
        now=service.now(),
    )
    return case.done(f"Sign-up: {asked}.")


def _unsubscribe(case: Case) -> Verdict:
    """unsubscribe@: mails the ways out to the address, changes nothing itself."""
    if (set_aside := _set_aside(case)) is not None:
        return set_aside
    if case.reading.wish is Wish.HELP:
        return _explain(case)
    return _offer_leave(case)


def _set_aside(case: Case) -> Verdict | None:
    """Leave alone what no command is; None: it is one."""
    reading = case.reading
    if reading.is_loop or reading.kind is MessageKind.AUTO_REPLY:
        return case.done(f"Not obeyed: {reading.why}")
    if not reading.is_readable or reading.kind is not MessageKind.COMMAND:
        return case.quarantined(reading.why)
    if reading.author is None:
        return case.quarantined(_DOUBTFUL_AUTHOR)
    if reading.author.domain == case.service.site.mail_domain:
        return case.done("Not obeyed: it is from our own domain.")
    return None


def _offer_leave(case: Case) -> Verdict:
    answered, author = case.answered, case.reading.author
    if answered is None or author is None:
        return case.quarantined("Its sender cannot be answered.")
    told = by_mail.offer_leave(
        case.means, answered, author=author, newsletter=case.recipient.tag or None
    )
    return case.done("Mailed the way out." if told else "Not answered.")


def _explain(case: Case) -> Verdict:
    answered = case.answered
    if answered is None:
        return case.quarantined("Its sender cannot be answered.")
    told = by_mail.explain(case.means, answered, newsletter=case.recipient.tag or None)
    return case.done("Explained." if told else "Answered lately.")


def _keep_report(case: Case) -> Verdict:
    """bounces+TOKEN@, complaints@: kept whole; nothing changes by what they say."""
    tag = case.recipient.tag
    ours = case.has_token(Purpose.DELIVERY) or case.has_token(Purpose.NOTICE)
    if tag and not ours:
        return case.quarantined("Its token is none of ours.")
    is_robot = case.reading.kind is MessageKind.AUTO_REPLY
    if is_robot and tag and case.message.sender:
        return case.done(f"Nothing to do: {case.reading.why}")
    return case.quarantined(case.reading.why or "Not a report that is known.")


def _tell_operator(case: Case) -> Verdict:
    """postmaster@, abuse@: kept, and the operator is told (RFC 2142 §4 and §5)."""
    reading, service = case.reading, case.service
    if reading.is_loop or reading.kind is MessageKind.AUTO_REPLY:
        return case.quarantined(reading.why)
    told = by_mail.tell_operator(
        case.means,
        case.message.id,
        operator=service.settings.mail.operator,
        recipient=case.message.recipient,
        author=reading.author.address if reading.author else "?",
        subject=reading.subject,
        text=reading.text,
    )
    return case.quarantined(
        "The operator was told." if told else "Too many today to tell the operator."
    )


_ACTS: Mapping[Post, Callable[[Case], Verdict]] = {
    Post.SUBSCRIBE: _subscribe,
    Post.UNSUBSCRIBE: _unsubscribe,
    Post.LEAVE: _leave,
    Post.CONFIRM: _confirm,
    Post.BOUNCES: _keep_report,
    Post.COMPLAINTS: _keep_report,
    Post.OPERATOR: _tell_operator,
}
