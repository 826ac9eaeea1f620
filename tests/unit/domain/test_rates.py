"""Limits of speed: whole spans, whole permits, never more than was allowed."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from digest.domain.rates import (
    ANY_DOMAIN,
    Limit,
    RateRules,
    Used,
    least_time,
    per_minute,
    take,
)
from tests.builders import NOW

DAY = timedelta(days=1)
letters = st.integers(1, 200_000)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=NOW.tzinfo)
)


def drain_span(limit: Limit, used: Used | None, now: datetime) -> tuple[Used, int]:
    """Take shares until there are none."""
    total = 0
    while True:
        used, granted = take(limit, used, now=now)
        if not granted:
            return used, total
        total += granted


@given(letters, instants)
def test_a_span_lasts_about_a_second_or_one_letter(many: int, now: datetime) -> None:
    limit = per_minute("x", many)

    assert limit.permits == 1 or limit.period < timedelta(seconds=2)
    assert limit.start(now) <= now < limit.end(now)


@given(letters)
def test_spans_add_up_to_the_minute(many: int) -> None:
    limit = per_minute("x", many)

    spans = timedelta(minutes=1) / limit.period

    assert abs(spans * limit.permits - many) <= many / 100_000


@given(st.integers(1, 2_000), instants)
@settings(max_examples=30)
def test_no_minute_holds_more_than_the_limit_and_two_spans(
    many: int, begin: datetime
) -> None:
    limit, used, total, now = per_minute("x", many), None, 0, begin

    while now < begin + timedelta(minutes=1):
        used, granted = drain_span(limit, used, now)
        total += granted
        now = limit.end(now)

    assert many - limit.permits <= total < many + 2 * limit.permits


@given(letters, instants)
def test_shares_are_small_and_exhaust_the_span(many: int, now: datetime) -> None:
    limit = per_minute("x", many)

    _, first = take(limit, None, now=now)
    _, total = drain_span(limit, None, now)

    assert 1 <= first <= -(-limit.permits // 10)
    assert total == limit.permits


@given(letters, instants, st.integers(0, 400_000))
def test_never_grants_beyond_the_limit_whatever_was_taken(
    many: int, now: datetime, taken: int
) -> None:
    limit = per_minute("x", many)

    used, granted = take(limit, Used(span=limit.start(now), taken=taken), now=now)

    assert granted >= 0
    assert used.taken == taken + granted
    assert granted == 0 or used.taken <= limit.permits


def test_a_worker_whose_clock_is_behind_waits() -> None:
    limit = per_minute("x", 600)
    ahead = Used(span=limit.end(NOW), taken=1)

    assert take(limit, ahead, now=NOW) == (ahead, 0)


def test_what_was_taken_under_other_settings_counts() -> None:
    long, short = per_minute("x", 1), per_minute("x", 6)
    later = long.start(NOW) + timedelta(seconds=35)
    used = Used(span=short.start(later), taken=1)

    _, granted = take(long, used, now=later)

    assert granted == 0


def test_the_named_domain_goes_before_any_other() -> None:
    rules = RateRules(domains={"example.com": 6, "*": 600})

    named, other = rules.domain_limit("example.com"), rules.domain_limit("a.example")

    assert named is not None
    assert other is not None
    assert (named.period.seconds, named.permits) == (10, 1)
    assert (other.key, other.permits) == ("domain:a.example", 10)


def test_a_domain_without_a_limit_has_none() -> None:
    assert RateRules(domains={"example.com": 6}).domain_limit("a.example") is None


def test_the_ramp_rises_by_the_day_and_ends() -> None:
    rules = RateRules(warm_up=[50, 100])

    days = [rules.warm_up_limit(NOW, NOW + n * DAY) for n in (0, 0.99, 1, 2, 400)]

    assert [limit and limit.permits for limit in days] == [50, 50, 100, None, None]


def test_a_day_of_the_ramp_begins_with_the_hour_of_the_first() -> None:
    limit = RateRules(warm_up=[50, 100]).warm_up_limit(NOW, NOW + 1.5 * DAY)

    assert limit is not None
    assert limit.start(NOW + 1.5 * DAY) == NOW + DAY


def test_a_clock_behind_the_release_is_in_the_first_day() -> None:
    limit = RateRules(warm_up=[50]).warm_up_limit(NOW, NOW - timedelta(seconds=2))

    assert limit is not None
    assert limit.permits == 50


@given(st.integers(1, 1_000_000))
def test_a_dead_worker_wastes_little_of_a_day(many: int) -> None:
    limit = RateRules(warm_up=[many]).warm_up_limit(NOW, NOW)

    assert limit is not None
    assert 1 <= limit.share <= 20


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [
        (RateRules(), 0),
        (RateRules(relay=60), 90),
        (RateRules(domains={"a.example": 30}), 60),
        (RateRules(domains={ANY_DOMAIN: 60, "a.example": 60}), 60),
        (RateRules(relay=60, domains={"a.example": 10}), 180),
        (RateRules(warm_up=[50]), 86_400),
        (RateRules(warm_up=[50, 39]), 2 * 86_400),
        (RateRules(warm_up=[50, 40]), 86_400),
        (RateRules(warm_up=[50], warm_up_from=NOW - timedelta(days=1)), 0),
    ],
)
def test_the_least_time_is_that_of_the_tightest_limit(
    rules: RateRules, seconds: int
) -> None:
    by_domain = {"a.example": 30, "b.example": 60}

    assert least_time(rules, by_domain, now=NOW).total_seconds() == seconds
