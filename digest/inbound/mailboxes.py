"""The mailboxes that the settings name, read side by side."""

import asyncio

from digest.bootstrap import Service
from digest.inbound.imap import Imap
from digest.inbound.mailbox import Reader
from digest.inbound.maildir import Maildir


def make_readers(service: Service) -> list[Reader]:
    """Make a reader for each mailbox that is set; often none."""
    readers = []
    folder, account = service.settings.maildir.folder, service.settings.imap
    if folder is not None:
        readers.append(Reader(service, lambda: Maildir(folder), name="maildir"))
    if account.host is not None:
        readers.append(Reader(service, lambda: Imap(account), name="imap"))
    return readers


async def read_mailboxes(service: Service, *, stop: asyncio.Event) -> None:
    """Read them until told to stop; returns at once where there is none."""
    await asyncio.gather(*(reader.run(stop) for reader in make_readers(service)))
