"""What one try means for the ledger: the rules of design §4.5 in one place."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from digest.domain.deliveries import LetterKind, Result, UncertainPolicy
from digest.domain.retry import RetryPolicy
from digest.domain.states import DeliveryState
from digest.mail.reply import Reply
from digest.mail.smtp import Accepted, Broken, Outcome, Refused
from digest.mail.verdict import Fault, Verdict, judge
from digest.send.job import Job

_LATE = "not accepted before its deadline"


class Judge:
    """Turns outcomes into results.

    Args:
        retry: Waits and the deadline.
        uncertain: What becomes of an edition's letters in doubt.
    """

    def __init__(self, retry: RetryPolicy, uncertain: UncertainPolicy) -> None:
        self._retry = retry
        self._uncertain = uncertain

    def result(
        self, job: Job, outcome: Outcome, *, intended: bool, now: datetime, roll: float
    ) -> Result:
        """Say what is written about a try.

        Args:
            job: The letter.
            outcome: What became of the try; not `Abandoned`.
            intended: Whether it is `dispatching` in the ledger.
            now: When.
            roll: Chance for the jitter.
        """
        sheet = _Sheet(job, intended=intended, now=now)
        match outcome:
            case Accepted(reply=reply):
                return sheet.write(DeliveryState.SENT, reply=reply)
            case Refused(reply=reply, stage=stage):
                verdict = judge(reply, stage=stage)
                return self._refused(sheet, verdict, reply, roll)
            case Broken(after_dot=True, reason=reason):
                return self._in_doubt(sheet, reason, roll)
            case Broken(stage=stage, reason=reason):
                return self._trouble(sheet, f"{stage}: {reason}", roll)
            case _:
                raise AssertionError(f"no try: {outcome}")

    def _refused(
        self, sheet: "_Sheet", verdict: Verdict, reply: Reply, roll: float
    ) -> Result:
        if verdict.fault == Fault.TRANSPORT:
            return self._trouble(sheet, verdict.reason, roll, reply=reply)
        # A policy refusal is about us: never final for a reader before the deadline.
        if verdict.permanent and verdict.fault != Fault.POLICY:
            return sheet.write(
                DeliveryState.FAILED, verdict.reason, reply=reply, refused=True
            )
        again = self._retry.after_refusal(
            refusals=sheet.job.refusals + 1,
            first_at=sheet.first_at,
            now=sheet.now,
            roll=roll,
        )
        state, reason = DeliveryState.DEFERRED, verdict.reason
        if again is None:
            state, reason = DeliveryState.FAILED, f"{reason}: {_LATE}"
        result = sheet.write(state, reason, reply=reply, again=again, refused=True)
        if verdict.fault == Fault.POLICY:
            return replace(result, policy=_code(reply))
        return result

    def _trouble(
        self, sheet: "_Sheet", reason: str, roll: float, *, reply: Reply | None = None
    ) -> Result:
        again = self._after_trouble(sheet, roll)
        if again is None:
            late = f"{reason}: {_LATE}"
            return sheet.write(DeliveryState.FAILED, late, reply=reply)
        return sheet.write(DeliveryState.DEFERRED, reason, reply=reply, again=again)

    def _in_doubt(self, sheet: "_Sheet", reason: str, roll: float) -> Result:
        """Name it uncertain; the ledger puts one to be sent again back in line.

        Past the deadline, and after `MOST_RESENDS` copies, it stays for the operator.
        """
        reason = f"answer lost: {reason}"
        match sheet.job.kind, self._uncertain:
            case (LetterKind.NOTICE, _) | (_, UncertainPolicy.RESEND):
                again = self._after_trouble(sheet, roll)
                return sheet.write(DeliveryState.UNCERTAIN, reason, again=again)
            case (LetterKind.DELIVERY, UncertainPolicy.HOLD):
                return sheet.write(DeliveryState.UNCERTAIN, reason)
            case never:
                assert_never(never)

    def _after_trouble(self, sheet: "_Sheet", roll: float) -> datetime | None:
        return self._retry.after_trouble(
            times=sheet.job.attempts - sheet.job.refusals + 1,
            first_at=sheet.first_at,
            now=sheet.now,
            roll=roll,
        )


def relay_trouble(outcome: Outcome | None) -> str | None:
    """Say why no conversation came about; None: it did, and concerns the letter."""
    match outcome:
        case Refused(reply=reply, stage="connect" | "ehlo"):
            return str(reply)
        case Broken(stage="connect" | "ehlo", reason=reason):
            return reason
        case _:
            return None


class _Sheet:
    """A result being written: what is the same for every outcome of one try."""

    def __init__(self, job: Job, *, intended: bool, now: datetime) -> None:
        self.job = job
        self.now = now
        self.first_at = job.first_attempt_at or now
        self._intended = intended

    def write(
        self,
        state: DeliveryState,
        reason: str | None = None,
        *,
        reply: Reply | None = None,
        again: datetime | None = None,
        refused: bool = False,
    ) -> Result:
        return Result(
            lease=self.job.claim.lease,
            letter_id=self.job.letter_id,
            at=self.now,
            state=state,
            intended=self._intended,
            reason=reason,
            next_attempt_at=again,
            smtp_code=reply.code if reply else None,
            smtp_text=_text(reply) if reply else "",
            refused=refused,
        )


def _code(reply: Reply) -> str:
    return " ".join(filter(None, (f"{reply.code:03}", reply.enhanced)))


def _text(reply: Reply) -> str:
    return f"{reply.enhanced} {reply.text}" if reply.enhanced else reply.text
