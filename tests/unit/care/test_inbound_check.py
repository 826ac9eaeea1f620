"""Whether anybody takes mail to our domain."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from digest.care.inbound_check import Inbound, check_inbound

Mailboxes = Mapping[str, Callable[[], str | None]]
NONE: Mailboxes = {}


def make_inbound(
    *, protocol: str = "lmtp", port: int = 1, mailboxes: Mailboxes = NONE
) -> Inbound:
    return Inbound(
        mail_domain="news.example.test",
        protocol=protocol,
        host="127.0.0.1",
        port=port,
        mailboxes=mailboxes,
    )


@contextmanager
def greeting(words: bytes, *, heard: bool = True) -> Iterator[int]:
    """Something that greets whoever connects, if anybody does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(words)
                connection.recv(64)

        thread = threading.Thread(target=serve)
        if heard:
            thread.start()
        yield server.getsockname()[1]
        if heard:
            thread.join()


def test_a_listener_that_greets_is_well() -> None:
    with greeting(b"220 news.example.test ready\r\n") as port:
        found = check_inbound(make_inbound(port=port))

    assert (found.ok, found.mend) == (True, "")


def test_something_else_that_listens_is_named() -> None:
    with greeting(b"SSH-2.0\r\n") as port:
        found = check_inbound(make_inbound(port=port))

    assert (found.ok, "SSH-2.0" in found.detail) == (False, True)


def test_nobody_there_is_a_failure() -> None:
    assert check_inbound(make_inbound()).ok is False


def test_without_a_listener_and_a_mailbox_there_is_advice() -> None:
    found = check_inbound(make_inbound(protocol="none"))

    assert (found.ok, bool(found.mend)) == (True, True)


def test_a_mailbox_that_opens_is_well() -> None:
    found = check_inbound(
        make_inbound(protocol="none", mailboxes={"imap": lambda: None})
    )

    assert (found.ok, found.mend) == (True, "")
    assert found.detail == "imap: open to news.example.test."


@pytest.mark.parametrize("protocol", ["none", "lmtp"])
def test_one_that_cannot_be_read_is_a_failure(protocol: str) -> None:
    mailboxes: Mailboxes = {"maildir": lambda: None, "imap": lambda: "no such account"}

    with greeting(b"220 news.example.test ready\r\n", heard=protocol != "none") as port:
        found = check_inbound(
            make_inbound(protocol=protocol, port=port, mailboxes=mailboxes)
        )

    assert (found.ok, found.detail) == (False, "imap: no such account.")
