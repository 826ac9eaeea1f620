"""The mailboxes that the settings name, read side by side."""

import asyncio
from collections.abc import Callable, Mapping

from digest.bootstrap import Service
from digest.inbound.imap import Imap
from digest.inbound.mailbox import Mailbox, MailboxError, Reader
from digest.inbound.maildir import Maildir
from digest.settings import Settings


def find_mailboxes(settings: Settings) -> Mapping[str, Callable[[], Mailbox]]:
    """Say which mailboxes are set, and how each is opened; often none."""
    found: dict[str, Callable[[], Mailbox]] = {}
    folder, account = settings.maildir.folder, settings.imap
    if folder is not None:
        found["maildir"] = lambda: Maildir(folder)
    if account.host is not None:
        found["imap"] = lambda: Imap(account)
    return found


def find_trouble(open_mailbox: Callable[[], Mailbox]) -> str | None:
    """Say why a mailbox cannot be read; None: it can."""
    try:
        mailbox = open_mailbox()
    except MailboxError as error:
        return str(error)
    try:
        mailbox.keys()
    except MailboxError as error:
        return str(error)
    finally:
        mailbox.close()
    return None


def make_readers(service: Service) -> list[Reader]:
    """Make a reader for each mailbox that is set."""
    found = find_mailboxes(service.settings)
    return [Reader(service, opens, name=name) for name, opens in found.items()]


async def read_mailboxes(service: Service, *, stop: asyncio.Event) -> None:
    """Read them until told to stop; returns at once where there is none."""
    await asyncio.gather(*(reader.run(stop) for reader in make_readers(service)))
