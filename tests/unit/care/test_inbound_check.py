"""Whether anybody takes mail to our domain."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from digest.care.inbound_check import Inbound, check_inbound


def make_inbound(
    *, protocol: str = "lmtp", port: int = 1, has_mailbox: bool = False
) -> Inbound:
    return Inbound(
        mail_domain="news.example.test",
        protocol=protocol,
        host="127.0.0.1",
        port=port,
        has_mailbox=has_mailbox,
    )


@contextmanager
def greeting(words: bytes) -> Iterator[int]:
    """Something that greets whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(words)
                connection.recv(64)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
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


@pytest.mark.parametrize(("has_mailbox", "advice"), [(True, False), (False, True)])
def test_without_a_listener_a_mailbox_will_do(
    *, has_mailbox: bool, advice: bool
) -> None:
    found = check_inbound(make_inbound(protocol="none", has_mailbox=has_mailbox))

    assert (found.ok, bool(found.mend)) == (True, advice)
