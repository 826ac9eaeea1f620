"""Keep issues back while the host's clock was just set, and tell the desk."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from digest.bootstrap import Service
from digest.domain.alerts import AlertKind
from digest.domain.calendar import next_issues
from digest.domain.outlook import write_span
from digest.domain.steadiness import PATIENCE, Steadiness
from digest.schedule.case import Case, followed

_log = structlog.get_logger()
Uptime = Callable[[], float]
"""Seconds since the host was started; nobody can set it."""


class ClockWatch:
    """Watches the clock of one process.

    Args:
        service: The installation.
        uptime: What the clock is compared with; None: it is trusted.
    """

    def __init__(self, service: Service, uptime: Uptime | None) -> None:
        self._service = service
        self._uptime = uptime
        self._steadiness = Steadiness()

    def is_steady(self, now: datetime) -> bool:
        """Tell whether issues may go by the clock; tells the desk when it was set.

        Args:
            now: What it shows.
        """
        if self._uptime is None:
            return True
        uptime = self._uptime()
        step = self._steadiness.look(now, uptime)
        if step is not None:
            tell_step(self._service, step, now)
        return self._steadiness.is_steady(uptime)


def tell_step(service: Service, step: timedelta, now: datetime) -> None:
    """Tell the desk of every schedule that the clock was set."""
    way = "forward" if step > timedelta(0) else "back"
    words = (
        f"The clock of the machine was set {way} by {write_span(abs(step))}, to"
        f" {now:%Y-%m-%d %H:%M} UTC. Nothing goes for {write_span(PATIENCE)}."
    )
    _log.warning("schedule.clock_set", seconds=int(step.total_seconds()))
    for kept, newsletter in followed(service):
        for issue in next_issues(kept.plan, now):
            case = Case(
                service=service, kept=kept, newsletter=newsletter, issue=issue, now=now
            )
            case.alert(AlertKind.CLOCK, words)
