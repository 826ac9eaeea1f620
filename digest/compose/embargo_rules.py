"""Preflight rules about embargoes: no story goes before it may be seen."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from digest.compose.finding import Finding, refuse, warn
from digest.compose.posting import Known
from digest.domain.newsletters import Newsletter


def check_embargoes(
    newsletter: Newsletter, known: Known, now: datetime
) -> Iterator[Finding]:
    """Check that every embargo has ended when the edition goes.

    Args:
        newsletter: Whose local time is shown.
        known: The embargoes, and when the edition goes.
        now: The present.
    """
    zone = ZoneInfo(newsletter.time_zone)
    for embargo in known.embargoes:
        if embargo.until <= now:
            continue
        until = embargo.until.astimezone(zone)
        said = f"The story is under embargo until {until:%Y-%m-%d %H:%M}"
        where = f"article {embargo.article_id}"
        if known.goes_at is None or known.goes_at >= embargo.until:
            yield warn("embargo", f"{said}: the edition cannot go before.", where)
        else:
            hour = max(known.goes_at, now).astimezone(zone)
            yield refuse(
                "embargo",
                f"{said}, and the edition goes at {hour:%Y-%m-%d %H:%M}: drop the "
                "story or move the issue.",
                where,
            )
