"""The probe: one letter to an operator, carried at once, and what the server said."""

from dataclasses import replace
from datetime import datetime, timedelta

from digest.domain.actor import Actor
from digest.domain.deliveries import Intent, LetterKind, Notice, Result
from digest.domain.letters import NewNotice
from digest.domain.states import DeliveryState
from digest.mail.smtp import (
    Accepted,
    Broken,
    Line,
    Outcome,
    Refused,
    Relay,
    Timeouts,
)
from digest.send.notice_letter import NoticeLetters
from digest.storage import audit, ledger, notice_ledger, notices
from digest.storage.engine import Database

_OWNER = "probe"
# Somebody waits for the answer, so we wait less than a worker would.
_TIMEOUTS = Timeouts(connect=20, mail=30, rcpt=30, data=30, dot=120)
_LEASE = timedelta(minutes=10)


async def send_probe(
    db: Database,
    letter: NewNotice,
    *,
    relay: Relay,
    letters: NoticeLetters,
    actor: Actor,
    now: datetime,
) -> Result:
    """Carry one letter past the queue; it is tried once.

    Args:
        db: The database; the letter and its result are kept like any notice's.
        letter: The probe.
        relay: Where it is handed over.
        letters: Writes and signs it.
        actor: Who asks.
        now: Its Date.

    Returns:
        What became of it: sent, failed or uncertain.

    Raises:
        DigestError: It cannot be written, or the relay's settings are wrong.
    """
    notice = _claim(db, letter, actor=actor, now=now)
    envelope = letters.write(notice, dated_at=now)

    async def may_send() -> bool:
        intent = Intent(lease=notice.lease, letter_id=notice.id, at=now, dated_at=now)
        with db.write() as tx:
            return bool(ledger.intend(tx, LetterKind.NOTICE, [intent]))

    async with Line(replace(relay, timeouts=_TIMEOUTS)) as line:
        outcome = await line.send(envelope, before_data=may_send)
    result = _result(notice, outcome, now)
    with db.write() as tx:
        ledger.settle(tx, LetterKind.NOTICE, [result], worker=_OWNER)
    return result


def _claim(db: Database, letter: NewNotice, *, actor: Actor, now: datetime) -> Notice:
    with db.write() as tx:
        notice_id = notices.add(tx, letter, now=now)
        notice = notice_ledger.claim_one(
            tx, notice_id, owner=_OWNER, now=now, lease=_LEASE
        )
        audit.record(
            tx,
            actor=actor,
            action="notice.probed",
            subject=("notice", notice_id),
            now=now,
        )
    return notice


def _result(notice: Notice, outcome: Outcome, now: datetime) -> Result:
    result = Result(
        lease=notice.lease,
        letter_id=notice.id,
        at=now,
        state=DeliveryState.FAILED,
        intended=True,
    )
    if isinstance(outcome, Accepted):
        reply = outcome.reply
        return replace(
            result,
            state=DeliveryState.SENT,
            smtp_code=reply.code,
            smtp_text=reply.text,
        )
    if isinstance(outcome, Refused):
        reply = outcome.reply
        return replace(
            result, reason=outcome.stage, smtp_code=reply.code, smtp_text=reply.text
        )
    # Nobody else may take the letter, so the ledger never says no.
    assert isinstance(outcome, Broken)
    state = DeliveryState.UNCERTAIN if outcome.after_dot else DeliveryState.FAILED
    return replace(result, state=state, reason=f"{outcome.stage}: {outcome.reason}")
