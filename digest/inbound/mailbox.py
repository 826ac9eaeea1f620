"""Read mail from a mailbox, for hosts that cannot hand it to a port.

A message stays where it is until it was taken; then it goes to a place of its own, so
that nothing is lost and the next look finds what is new. What was taken but could not
be moved is taken twice at most after a restart; acting upon it again does nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from digest.bootstrap import Service
from digest.inbound import intake
from digest.inbound.envelope import read_envelope

_log = structlog.get_logger()
_LONGEST_PAUSE = 300.0
# A message is refused after it broke something so often.
_MOST_FAULTS = 5
# So many refusals for now in a row are not about single messages.
_MOST_LATER = 3
# What is under way when told to stop has so long.
_GRACE_SECONDS = 3.0


class MailboxError(Exception):
    """The mailbox cannot be read now; the text says why, without a secret."""


class Mailbox(Protocol):
    """A place with messages, each under a key; all methods may raise MailboxError."""

    def keys(self) -> Sequence[str]:
        """List what lies there, oldest first."""

    def fetch(self, key: str, most: int) -> bytes | None:
        """Read a message; one that is larger than `most` octets may be cut behind it.

        Returns:
            None where it is gone.
        """

    def move(self, key: str, *, refused: bool) -> None:
        """Put a message away: where those that were taken go, or the others."""

    def close(self) -> None:
        """Let go; what another thread does here just now fails."""


class Reader:
    """Reads one mailbox, look after look.

    Args:
        service: The installation.
        open_mailbox: Opens it; may raise MailboxError.
        name: For the log.
    """

    def __init__(
        self, service: Service, open_mailbox: Callable[[], Mailbox], *, name: str
    ) -> None:
        self._service = service
        self._open_mailbox = open_mailbox
        self._log = _log.bind(mailbox=name)
        self._mailbox: Mailbox | None = None
        self._settled: dict[str, bool] = {}
        self._tries: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._later = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop; trouble lengthens the pauses."""
        usual = self._service.settings.mailbox.look_every
        pause = usual
        while not stop.is_set():
            if await self._look_or_cut(stop):
                pause = usual
            else:
                pause = min(pause * 2, max(usual, _LONGEST_PAUSE))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
        self.close()

    async def _look_or_cut(self, stop: asyncio.Event) -> bool:
        looking = asyncio.create_task(asyncio.to_thread(self.look, stop.is_set))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not looking.done():
            await asyncio.wait({looking}, timeout=_GRACE_SECONDS)
            self.close()
        return await looking

    def look(self, is_stopped: Callable[[], bool] = lambda: False) -> bool:
        """Take what lies there.

        Returns:
            False: the mailbox, or what is written to, is not to be had just now.
        """
        try:
            self._mailbox = self._mailbox or self._open_mailbox()
            self._take_all(self._mailbox, is_stopped)
        except MailboxError as error:
            if not is_stopped():
                self._log.warning("mailbox.not_read", reason=str(error))
            self.close()
            return False
        except Exception:  # noqa: BLE001 - logged with its traceback
            # What no server should answer must not end the listener beside this.
            self._log.exception("mailbox.failed")
            self.close()
            return False
        return True

    def close(self) -> None:
        """Let the mailbox go; the next look opens it again."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.close()

    def _take_all(self, mailbox: Mailbox, is_stopped: Callable[[], bool]) -> None:
        keys = mailbox.keys()
        self._forget_all_but(keys)
        self._later = 0
        # Those never tried go first: what waits for its own reasons holds up nobody.
        for key in sorted(keys, key=lambda key: self._tries[key]):
            if is_stopped():
                return
            self._tries[key] += 1
            self._take_or_count(mailbox, key)
            if self._settled.get(key) is not None:
                mailbox.move(key, refused=not self._settled[key])
            if self._later == _MOST_LATER:
                raise MailboxError("messages cannot be kept now")

    def _take_or_count(self, mailbox: Mailbox, key: str) -> None:
        if key in self._settled:
            return
        try:
            self._take(mailbox, key)
        except MailboxError:
            raise
        except Exception:  # noqa: BLE001 - logged with its traceback
            # It must not keep those behind it waiting.
            self._log.exception("mailbox.message_failed", key=key)
            self._faults[key] += 1
            if self._faults[key] == _MOST_FAULTS:
                self._settled[key] = False

    def _take(self, mailbox: Mailbox, key: str) -> None:
        service = self._service
        raw = mailbox.fetch(key, service.settings.inbound.message_octets + 1)
        if raw is None:
            return
        envelope = read_envelope(
            raw,
            fields=service.settings.mailbox.recipient_fields,
            mail_domain=service.site.mail_domain,
        )
        if envelope.recipient is None:
            self._log.warning("mailbox.not_for_us", key=key)
            self._settled[key] = False
            return
        reply = intake.take(
            service, raw=raw, sender=envelope.sender, recipient=envelope.recipient
        )
        if reply.is_kept:
            self._settled[key] = True
        elif reply.code // 100 == 5:  # noqa: PLR2004 - RFC 5321 §4.2.1
            self._log.warning("mailbox.refused", key=key, reply=str(reply))
            self._settled[key] = False
        else:
            self._later += 1

    def _forget_all_but(self, keys: Sequence[str]) -> None:
        here = set(keys)
        for held in (self._settled, self._tries, self._faults):
            for key in held.keys() - here:
                del held[key]
