"""Which network addresses may be connected to."""

import pytest

from digest.fetch.addresses import is_public, is_public_or_private, resolve_host

NEVER = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%lo",
    "0.0.0.0",  # noqa: S104 - refused
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378::1",
    "::10.0.0.1",
    "192.0.0.192",
    "::ffff:192.0.0.192",
    "192.88.99.1",
    "168.63.129.16",
    "fec0::1",
    "3fff::1",
    "not an address",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("address", PUBLIC)
def test_permits_the_public_internet(address: str) -> None:
    assert is_public(address)
    assert is_public_or_private(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_permits_private_networks_only_when_told(address: str) -> None:
    assert not is_public(address)
    assert is_public_or_private(address)


@pytest.mark.parametrize("address", NEVER)
def test_never_permits_the_rest(address: str) -> None:
    assert not is_public(address)
    assert not is_public_or_private(address)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "017700000001", "127.1"])
def test_numbers_in_disguise_are_judged_by_what_they_resolve_to(host: str) -> None:
    addresses = resolve_host(host, 80)

    assert not any(is_public(address) for address in addresses)
