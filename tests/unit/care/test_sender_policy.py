"""SPF and DMARC as published, asked of a real server on loopback."""

import pytest
from hypothesis import given, strategies as st

from digest.care.checks import Check
from digest.care.resolver import Resolver
from digest.care.sender_policy import (
    check_dmarc,
    check_spf,
    organisation,
    walk_tree,
)
from tests.dns_server import Zone, serve_zone

NAME = "news.example.com"


def txt(*texts: str) -> list[str]:
    return [f'"{text}"' for text in texts]


def spf(**records: str) -> Check:
    zone: Zone = {
        (name.replace("_", "."), "TXT"): txt(record) for name, record in records.items()
    }
    with serve_zone(zone) as resolver:
        return check_spf(resolver, NAME)


def dmarc(zone: Zone) -> Check:
    with serve_zone(zone) as resolver:
        return check_dmarc(resolver, NAME)


@pytest.mark.parametrize(
    "record", ["v=spf1 mx -all", "v=spf1 ip4:192.0.2.1 ~all", "V=SPF1 -ALL"]
)
def test_takes_a_whole_record(record: str) -> None:
    assert spf(news_example_com=record).ok


@pytest.mark.parametrize("record", ["v=spf1 mx", "v=spf1 +all", "v=spf1 all"])
def test_a_record_that_refuses_nobody_fails(record: str) -> None:
    check = spf(news_example_com=record)

    assert check.ok is False
    assert "refuses nobody" in check.detail


@pytest.mark.parametrize("record", ["v=spf10 -all", "something else"])
def test_no_record_fails_with_one_to_paste(record: str) -> None:
    check = spf(news_example_com=record)

    assert check.ok is False
    assert "has no SPF record" in check.detail
    assert "v=spf1 mx -all" in check.mend


def test_two_records_fail() -> None:
    zone: Zone = {(NAME, "TXT"): txt("v=spf1 -all", "v=spf1 mx -all")}

    with serve_zone(zone) as resolver:
        check = check_spf(resolver, NAME)

    assert "2 SPF records" in check.detail


def test_counts_the_lookups_of_includes() -> None:
    check = spf(
        news_example_com="v=spf1 mx include:r.example ip4:192.0.2.1 -all",
        r_example="v=spf1 a:x.example include:s.example ?all",
        s_example="v=spf1 exists:%{i}.example -all",
    )

    assert check.ok
    assert "5 of 10" in check.detail


def test_a_redirect_hands_over_the_end() -> None:
    check = spf(news_example_com="v=spf1 redirect=r.example", r_example="v=spf1 a -all")

    assert check.ok


def test_more_than_ten_lookups_fail() -> None:
    """RFC 7208 §4.6.4."""
    terms = " ".join(f"a:h{n}.example" for n in range(11))

    check = spf(news_example_com=f"v=spf1 {terms} -all")

    assert "more than 10" in check.detail


def test_a_record_that_includes_itself_ends() -> None:
    check = spf(
        news_example_com="v=spf1 include:r.example -all",
        r_example=f"v=spf1 include:{NAME} -all",
    )

    assert "includes itself" in check.detail


def test_an_include_of_nothing_fails() -> None:
    check = spf(news_example_com="v=spf1 include:gone.example -all")

    assert "gone.example has no SPF record" in check.detail


def test_finds_the_policy_at_the_name_itself() -> None:
    check = dmarc({(f"_dmarc.{NAME}", "TXT"): txt("v=DMARC1; p=none")})

    assert check.ok
    assert check.detail.startswith("none")


def test_walks_up_to_a_policy_for_subdomains() -> None:
    """RFC 9989 §4.10."""
    check = dmarc({("_dmarc.example.com", "TXT"): txt("v=DMARC1; p=none; sp=reject")})

    assert check.detail.startswith("reject, by _dmarc.example.com")


def test_tags_that_are_gone_are_named() -> None:
    record = txt("v=DMARC1; p=reject; pct=50; ri=1")

    check = dmarc({(f"_dmarc.{NAME}", "TXT"): record})

    assert check.ok
    assert "pct, ri" in check.mend


@pytest.mark.parametrize("texts", [["v=DMARC1"], ["v=DMARC1; p=maybe"], [], ["x"]])
def test_no_policy_fails(texts: list[str]) -> None:
    check = dmarc({(f"_dmarc.{NAME}", "TXT"): txt(*texts)})

    assert check.ok is False


def test_two_policies_fail() -> None:
    record = txt("v=DMARC1; p=none", "v=DMARC1; p=reject")

    assert dmarc({(f"_dmarc.{NAME}", "TXT"): record}).ok is False


def test_walks_at_most_eight_names() -> None:
    """RFC 9989 §4.10: from a deep name straight to its seventh label."""
    deep = "a.b.c.d.e.f.g.h.i.example.com"

    found = list(walk_tree(deep))

    assert found[:2] == [deep, "e.f.g.h.i.example.com"]
    assert len(found) == 8


def test_the_organisation_is_the_highest_name_with_a_policy() -> None:
    zone: Zone = {("_dmarc.example.com", "TXT"): txt("v=DMARC1; p=none")}

    with serve_zone(zone) as resolver:
        found = organisation(resolver, "a.b.example.com")

    assert found == "example.com"


class OneText(Resolver):
    """Publishes one text at every name."""

    def __init__(self, text: str) -> None:
        super().__init__(["127.0.0.1"])
        self._text = text

    def lookup(self, *_: str) -> list[str]:
        return [self._text]


terms = st.sampled_from(
    ["include:", "redirect=", "a", "mx/24", "exists:%{i}", "-all", "?", "=", ":", "p="]
)


@given(st.lists(terms | st.text(max_size=8), max_size=12).map(" ".join))
def test_judges_any_text_that_is_published(text: str) -> None:
    for resolver in (OneText(f"v=spf1 {text}"), OneText(f"v=DMARC1;{text}")):
        assert check_spf(resolver, NAME).detail
        assert check_dmarc(resolver, NAME).detail
