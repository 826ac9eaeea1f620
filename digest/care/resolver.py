"""Asking DNS, with an answer or a plain error in a few seconds."""

from collections.abc import Sequence

import dns.exception
import dns.rdata
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from digest.domain.errors import DigestError

_SECONDS = 3.0


class DnsError(DigestError):
    """DNS gave no answer, not even that there is none."""


class Resolver:
    """Looks names up.

    Args:
        nameservers: Addresses of the servers to ask; None: the system's.
        port: Their port.
        seconds: The most one question may take.
    """

    def __init__(
        self,
        nameservers: Sequence[str] | None = None,
        *,
        port: int = 53,
        seconds: float = _SECONDS,
    ) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=nameservers is None)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.resolver.Resolver(configure=False)
        if nameservers is not None:
            self._resolver.nameservers = list(nameservers)
            self._resolver.port = port
        self._resolver.lifetime = seconds

    def lookup(self, name: str, kind: str) -> list[str]:
        """Return the records of a name.

        Args:
            name: A domain name.
            kind: `A`, `AAAA`, `MX`, `PTR` or `TXT`.

        Returns:
            Their text: a TXT record's strings joined (RFC 7208 §3.3), an MX record's
            host, names without a final dot; empty where there are none.

        Raises:
            DnsError: The name cannot be asked for, or no server answered.
        """
        try:
            answer = self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DnsError(
                f"DNS did not answer for {name} {kind}: {reason}",
                "Check this machine's name servers, then ask again.",
            ) from None
        return [_text(record) for record in answer]

    def addresses(self, name: str) -> list[str]:
        """Return a host's IPv4 and IPv6 addresses."""
        return [*self.lookup(name, "A"), *self.lookup(name, "AAAA")]

    def reverse(self, address: str) -> list[str]:
        """Return the names an IP address points back to."""
        pointer = dns.reversename.from_address(address)
        return self.lookup(pointer.to_text(), "PTR")


def _text(record: dns.rdata.Rdata) -> str:
    match record:
        case TXT():
            return b"".join(record.strings).decode("utf-8", "replace")
        case MX():
            return record.exchange.to_text().rstrip(".")
        case _:
            return record.to_text().rstrip(".")
