"""Web addresses of stories."""

import pytest
from hypothesis import given, strategies as st

from digest.domain.errors import RefusedError
from digest.domain.webaddresses import clean_url, require_url, url_key


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//example.com/x",
        "/x",
        "",
        "http://",
        "http://a b/",
        'http://a/"onload=x',
        "http://a/\r\nX: y",
        "http://u:p@a/",
        "http://a:99999/",
        "http://a:0/",
        "http://[::1",
        "http://a/" + "x" * 2001,
        "http://a/\ud800",
        "\x01http://a/",
    ],
)
def test_refuses_what_is_no_plain_web_address(url: str) -> None:
    assert clean_url(url) is None


def test_a_required_address_is_cleaned_or_refused_by_name() -> None:
    assert require_url(" HTTPS://A.example/x ") == "https://a.example/x"
    with pytest.raises(RefusedError, match="'ftp://x' is not a web address"):
        require_url("ftp://x")


def test_joins_relative_addresses_only_to_a_base() -> None:
    assert clean_url("/i.jpg", base="https://a.example/b/") == "https://a.example/i.jpg"


def test_lowers_scheme_and_host_but_not_the_path() -> None:
    assert clean_url(" HTTPS://A.Example/Path?Q=1#F ") == "https://a.example/Path?Q=1#F"


@pytest.mark.parametrize(
    "other",
    [
        "http://example.com/2024/story",
        "https://www.example.com/2024/story/",
        "https://EXAMPLE.com:443/2024/story",
        "http://example.com:80/2024/story#comments",
        "https://example.com/2024/story/amp/",
        "https://amp.example.com/2024/story",
        "https://example.com/2024/story?amp=1",
        "https://example.com/2024/story?utm_source=rss&utm_medium=x&fbclid=1",
        "https://example.com/2024/story/?gclid=1&mc_cid=2&mc_eid=3",
    ],
)
def test_one_story_has_one_key(other: str) -> None:
    assert url_key(other) == url_key("https://example.com/2024/story")


@pytest.mark.parametrize(
    "other",
    [
        "https://example.com/2024/story-2",
        "https://example.com/2024/Story",
        "https://example.com/2024/story?p=2",
        "https://example.com:8080/2024/story",
        "https://example.org/2024/story",
    ],
)
def test_other_stories_have_other_keys(other: str) -> None:
    assert url_key(other) != url_key("https://example.com/2024/story")


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://a.example/"]))
def test_whatever_is_accepted_is_absolute_and_keyed(text: str, start: str) -> None:
    url = clean_url(start + text, base="https://b.example/c/")

    assert url is None or url.startswith(("http://", "https://"))
    assert url is None or url_key(url)
