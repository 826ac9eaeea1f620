"""Host and domain names."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import RefusedError
from digest.domain.hosts import (
    is_loopback,
    is_reserved,
    parse_base_url,
    parse_domain,
)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"]
)
def test_knows_the_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "128.0.0.1", "::2", ""])
def test_takes_nothing_else_for_this_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("example.com", "news.example.net", "News.Example.ORG", "relay.example"),
        *("news.example.test", "x.invalid", "localhost"),
    ],
)
def test_knows_the_names_that_nobody_has(host: str) -> None:
    assert is_reserved(host)


@pytest.mark.parametrize("host", ["myexample.com", "example.eu", "test.news", ""])
def test_takes_nothing_else_for_an_example(host: str) -> None:
    assert not is_reserved(host)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("News.Example.COM.", "news.example.com"),
        ("news.example.test", "news.example.test"),
        ("نشرة.مصر", "xn--ogbpi5e.xn--wgbh1c"),
    ],
)
def test_reads_a_domain_in_its_a_label_form(text: str, name: str) -> None:
    assert parse_domain(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "com", "a..b", "-a.b", "a-.b", "a_b.c", "1.2.3.4", "a b.c", "a.b\n"),
        "x" * 64 + ".com",
        ".".join(["x" * 60] * 5),
    ],
)
def test_refuses_what_is_no_domain(text: str) -> None:
    with pytest.raises(RefusedError, match="not a domain name"):
        parse_domain(text)


@given(st.text(max_size=60))
def test_a_domain_is_read_the_same_again_or_refused(text: str) -> None:
    try:
        name = parse_domain(text)
    except RefusedError:
        return

    assert parse_domain(name) == name
    assert name.isascii()


@pytest.mark.parametrize(
    "text", ["https://n.example", "http://127.0.0.1:8000", "http://[::1]:1/x"]
)
def test_takes_https_anywhere_and_http_on_this_machine(text: str) -> None:
    assert parse_base_url(text + "/") == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://news.example.com", "https://"),
        ("ftp://news.example.com", "https://"),
        ("news.example.com", "plain web address"),
        ("https://", "plain web address"),
        ("https://a.example:99999", "plain web address"),
        ("https://[::1", "plain web address"),
        ("https://me@a.example", "plain web address"),
        ("https://a.example/?x=1", "plain web address"),
        ("https://a.example/#x", "plain web address"),
        ("https://a.example/ x", "plain web address"),
        ("https://a.example/\r\nx", "plain web address"),
    ],
)
def test_refuses_other_starts_of_links(text: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        parse_base_url(text)
