"""Asking DNS."""

import pytest

from digest.care.resolver import DnsError, Resolver
from tests.dns_server import serve_zone


def test_joins_the_strings_of_a_text_record() -> None:
    """RFC 7208 §3.3."""
    with serve_zone({("a.example", "TXT"): ['"one " "two"']}) as resolver:
        assert resolver.lookup("a.example", "TXT") == ["one two"]


def test_a_name_without_records_has_none() -> None:
    with serve_zone({("a.example", "A"): ["192.0.2.1"]}) as resolver:
        assert resolver.lookup("a.example", "MX") == []
        assert resolver.lookup("b.example", "MX") == []


def test_finds_addresses_of_both_families_and_back() -> None:
    zone = {
        ("a.example", "A"): ["192.0.2.1"],
        ("a.example", "AAAA"): ["2001:db8::1"],
        (f"1.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa", "PTR"): ["a.example."],
    }
    with serve_zone(zone) as resolver:
        assert resolver.addresses("a.example") == ["192.0.2.1", "2001:db8::1"]
        assert resolver.reverse("2001:db8::1") == ["a.example"]


@pytest.mark.parametrize("name", ["broken.example", "a..b", "x" * 64 + ".example"])
def test_what_cannot_be_asked_or_answered_is_an_error(name: str) -> None:
    with (
        serve_zone({("broken", "broken.example"): []}) as resolver,
        pytest.raises(DnsError) as caught,
    ):
        resolver.lookup(name, "A")

    assert "\n" not in str(caught.value)


def test_takes_the_system_s_servers_unless_told() -> None:
    assert isinstance(Resolver(), Resolver)
