"""Which network addresses may be connected to, checked on what is dialled.

A name is resolved once and exactly the checked address is connected to, so a name
that changes its answer in between (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int], Sequence[str]]
"""From host name and port to IP addresses, as text."""

Permit = Callable[[str], bool]
"""Whether an IP address may be connected to."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",  # loopback, RFC 1122 §3.2.1.3
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "::1/128",
        "fc00::/7",  # unique local, RFC 4193
    )
)
# Each carries an IPv4 address inside that a router on the way may unpack.
_TUNNELS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # RFC 8215
        "2001::/32",  # Teredo, RFC 4380
        "2002::/16",  # 6to4, RFC 3056
        "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1
    )
)
# Neither private nor public, whatever Python's own table says of them.
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890; a cloud keeps credentials at 192.0.0.192
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "168.63.129.16/32",  # another cloud's, among public addresses
        "fec0::/10",  # site-local, RFC 3879
        "3fff::/20",  # documentation, RFC 9637
    )
)


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        OSError: The name has no address, or the resolver does not answer.
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def is_public(address: str) -> bool:
    """Whether an address is an ordinary one of the public internet."""
    found = _read(address)
    if found is None or any(found in network for network in _TUNNELS + _SPECIAL):
        return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified
    )


def is_public_or_private(address: str) -> bool:
    """Whether an address is public, loopback or of a private network.

    Link-local addresses stay refused: that is where clouds keep credentials.
    """
    found = _read(address)
    if found is None:
        return False
    return any(found in network for network in _PRIVATE) or is_public(address)


def _read(address: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
