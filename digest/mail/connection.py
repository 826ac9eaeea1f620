"""One SMTP connection: letters one after the other, the next envelope riding ahead.

aiosmtplib opens the connection; from then on the conversation is ours, since the ledger
must be written before a letter's text is, since what was lost before the final dot is
another thing than what was lost after, and since it does not pipeline (RFC 2920).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

import aiosmtplib

from digest.mail.conversation import Conversation
from digest.mail.envelope import (
    Envelope,
    commands,
    refuse_locally,
    slices,
)
from digest.mail.outcomes import Abandoned, Accepted, Broken, Outcome, Refused
from digest.mail.relay import Relay
from digest.mail.reply import LOST_THREAD, Reply, Stage

if TYPE_CHECKING:
    import asyncio

BeforeData = Callable[[], Awaitable[bool]]
Following = Callable[[], Envelope | None]

_STAGES: tuple[Stage, ...] = ("mail", "rcpt", "data")
_WANTED = {"mail": 2, "rcpt": 2, "data": 3, "dot": 2}


def nothing_follows() -> None:
    """Say that no letter is ready to follow."""


class Connection:
    """One open connection; carries letters one after the other.

    Args:
        client: Connected, greeted and, where wanted, logged in.
        relay: Where it is connected to.

    Attributes:
        carried: Letters begun on it.
        begun: The envelope that was written ahead of its letter's turn.

    Raises:
        aiosmtplib.SMTPServerDisconnected: It has been lost meanwhile.
    """

    def __init__(self, client: aiosmtplib.SMTP, relay: Relay) -> None:
        if client.transport is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        self._extensions = client.esmtp_extensions
        self._pipelines = "pipelining" in self._extensions
        self._talk = Conversation(cast("asyncio.Transport", client.transport))
        self._relay = relay
        self._rcpt = b""
        self.carried = 0
        self.begun: Envelope | None = None
        timeouts = relay.timeouts
        self._patience: dict[Stage, float] = {
            "mail": timeouts.mail,
            "rcpt": timeouts.rcpt,
            "data": timeouts.data,
            "dot": timeouts.dot,
        }

    @property
    def is_usable(self) -> bool:
        """Whether another letter may be sent over it."""
        if self.begun is not None:
            # Even where it has ended: the answers that came say how far it got.
            return True
        return self._talk.ended is None and self._has_room

    @property
    def _has_room(self) -> bool:
        return self.carried < self._relay.messages_per_connection

    async def send(
        self,
        envelope: Envelope,
        *,
        before_data: BeforeData,
        following: Following = nothing_follows,
    ) -> Outcome:
        """Carry one letter.

        Args:
            envelope: The letter.
            before_data: Awaited once RCPT is accepted, before anything of the letter
                is written; False gives it up. What it raises ends the connection and
                is passed on.
            following: Asked right before the letter is written: whose envelope may
                ride with it. That letter is sent next, or `give_up` is called.

        Returns:
            What became of it. After anything but `Broken` and an answer of 421 the
            connection can be used again.
        """
        if envelope is not self.begun:
            self.give_up()
            if refused := next(refuse_locally(envelope, self._extensions), None):
                return refused
            self._begin(envelope)
        self.begun = None
        try:
            failed = await self._agree()
            if failed is None and not await before_data():
                return await self._abandon()
            return failed or await self._hand_over(envelope, following)
        except BaseException:
            # Nobody knows how far it came; nothing more may be said on it.
            self._talk.end("The letter was interrupted")
            raise

    def give_up(self) -> None:
        """Forget an envelope that was written ahead.

        Its DATA is under way and can only be taken back by hanging up.
        """
        if self.begun is not None:
            self._talk.forget("A letter was given up")
            self.begun = None

    async def close(self) -> None:
        """Say QUIT, and hang up whatever the answer."""
        self.give_up()
        self._talk.write(b"QUIT\r\n", replies=1)
        await self._talk.read(seconds=self._relay.timeouts.quit)
        self._talk.close()

    def _begin(self, envelope: Envelope, *before: bytes, owed: int = 0) -> int:
        """Write an envelope, whole or MAIL alone, behind a letter and its dot.

        Args:
            envelope: The one to begin.
            before: What stands before it.
            owed: Replies that this is answered by.

        Returns:
            How many octets stand behind the dot.
        """
        self.carried += 1
        mail, self._rcpt, data = commands(envelope, self._extensions)
        replies = len(_STAGES) if self._pipelines else 1
        octets = mail + self._rcpt + data if self._pipelines else mail
        self._talk.write(*before, octets, replies=replies + owed)
        return len(octets)

    async def _agree(self) -> Outcome | None:
        """Bring the server to where the letter is due.

        That is behind DATA where it pipelines, else before it.

        Returns:
            None, or what became of the letter; the connection is tidy again.
        """
        if self._pipelines:
            return await self._read_envelope()
        steps: tuple[tuple[Stage, bytes], ...] = (("mail", self._rcpt), ("rcpt", b""))
        for stage, command in steps:
            answer = await self._expect(stage)
            if not isinstance(answer, Reply):
                await self._reset(answer)
                return answer
            if command:
                self._talk.write(command, replies=1)
        return None

    async def _read_envelope(self) -> Outcome | None:
        """Read all three answers, whatever the first ones are (RFC 2920 §3.1)."""
        failed: Refused | Broken | None = None
        answer: Reply | Refused | Broken | None = None
        for stage in _STAGES:
            answer = await self._expect(stage)
            if not isinstance(answer, Reply):
                failed = failed or answer
        if failed is None:
            return None
        if isinstance(answer, Reply):
            # It wants a letter that has no recipient: the dot alone refuses it.
            self._talk.write(b".\r\n", replies=1)
            await self._expect("dot")
        else:
            await self._reset(failed)
        return failed

    async def _hand_over(self, envelope: Envelope, following: Following) -> Outcome:
        """Write the letter, its dot, and the next envelope."""
        if not self._pipelines:
            self._talk.write(b"DATA\r\n", replies=1)
            answer = await self._expect("data")
            if not isinstance(answer, Reply):
                await self._reset(answer)
                return answer
        if self._talk.ended is not None:
            return Broken("dot", self._talk.ended, after_dot=False)
        *first, last = slices(envelope)
        if first and not await self._get_rid_of(first):
            return await self._answer_before_dot()
        return await self._finish(last, following, owed=int(not first))

    async def _finish(
        self, octets: bytes, following: Following, *, owed: int
    ) -> Outcome:
        """Write a letter's end, and read the answer to its dot."""
        behind = self._write_end(octets, following, owed=owed)
        await self._talk.flush(seconds=self._relay.timeouts.block)
        answer = await self._expect("dot")
        if isinstance(answer, Refused):
            return answer
        if isinstance(answer, Reply) and not self._talk.was_cut:
            return Accepted(answer)
        # What stands behind the dot need not have left for the dot to have.
        is_beyond = self._talk.unsent <= behind
        return Broken("dot", self._talk.ended or "", after_dot=is_beyond)

    async def _get_rid_of(self, parts: Sequence[bytes]) -> bool:
        """Write a large letter but for its end; False: the server spoke or left.

        One slice after the other, so that what is lost before the dot was written is
        known not to have arrived.
        """
        for number, octets in enumerate(parts):
            self._talk.write(octets, replies=int(number == 0))
            await self._talk.flush(seconds=self._relay.timeouts.block)
            if self._talk.ended is not None or self._talk.has_answer:
                return False
        return True

    async def _answer_before_dot(self) -> Outcome:
        """Read what the server said of a letter it does not have."""
        answer: Outcome | Reply = await self._expect("dot")
        if isinstance(answer, Reply):
            reason = "The server answered before the letter's end"
            answer = Broken("dot", reason, after_dot=False)
        self._talk.end("The letter was not finished")
        return answer

    def _write_end(self, octets: bytes, following: Following, *, owed: int) -> int:
        """Write a letter's end; return how many octets stand behind its dot."""
        ahead = self._ride(following)
        if ahead is None:
            self._talk.write(octets, b".\r\n", replies=owed)
            return 0
        self.begun = ahead
        return self._begin(ahead, octets, b".\r\n", owed=owed)

    def _ride(self, following: Following) -> Envelope | None:
        """Return the envelope that may ride with the letter, if there is one."""
        if not (self._pipelines and self._has_room):
            return None
        ahead = following()
        if ahead is None or next(refuse_locally(ahead, self._extensions), None):
            return None
        return ahead

    async def _expect(self, stage: Stage) -> Reply | Refused | Broken:
        """Read the answer to a stage; one of another class ends the conversation."""
        reply = await self._talk.read(seconds=self._patience[stage])
        if reply is None:
            return Broken(stage, self._talk.ended or "", after_dot=False)
        if reply.code // 100 == _WANTED[stage]:
            return reply
        if is_refusal(reply):
            return Refused(reply, stage)
        # Its words may quote the recipient, and reasons outlive an erasure.
        self._talk.end(f"Unexpected answer: {reply.code}")
        return Broken(stage, self._talk.ended or "", after_dot=False)

    async def _abandon(self) -> Abandoned:
        if self._pipelines:
            # The server waits for the letter; whatever we wrote would be one.
            self._talk.end("A letter was given up")
        else:
            await self._reset(Abandoned())
        return Abandoned()

    async def _reset(self, outcome: Outcome) -> None:
        """Forget the transaction (RFC 2920 §3.1); without an answer, hang up."""
        if isinstance(outcome, Refused) and outcome.reply.code in LOST_THREAD:
            self._talk.end(str(outcome.reply))
        if self._talk.ended is None and not isinstance(outcome, Broken):
            self._talk.write(b"RSET\r\n", replies=1)
            reply = await self._talk.read(seconds=self._patience["mail"])
            if reply is None or reply.code // 100 != _WANTED["mail"]:
                self._talk.end("RSET was refused")


def is_refusal(reply: Reply) -> bool:
    """Tell whether a reply is a 4yz or 5yz (RFC 5321 §4.2.1)."""
    return reply.code // 100 in (4, 5)
