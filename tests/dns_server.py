"""A DNS server on loopback that answers from a zone given as text."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dns.message
import dns.name
import dns.rcode
import dns.rrset

from digest.care.resolver import Resolver

Zone = dict[tuple[str, str], list[str]]


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        octets, socket = self.request
        query = dns.message.from_wire(octets)
        answer = dns.message.make_response(query)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = question.rdtype.name
        zone: Zone = self.server.zone  # type: ignore[attr-defined]
        if ("broken", name) in zone:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records := zone.get((name, kind)):
            answer.answer.append(
                dns.rrset.from_text(question.name, 60, "IN", kind, *records)
            )
        elif not any(name == known for known, _ in zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        socket.sendto(answer.to_wire(), self.client_address)


@contextmanager
def serve_zone(zone: Zone) -> Iterator[Resolver]:
    """Answer from a zone: (name, type) to records; ("broken", name) fails.

    Yields:
        A resolver that asks this server.
    """
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Handler) as server:
        running: Any = server
        running.zone = zone
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Resolver(["127.0.0.1"], port=server.server_address[1], seconds=2.0)
        finally:
            server.shutdown()
            thread.join()
