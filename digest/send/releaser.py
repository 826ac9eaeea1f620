"""The releaser: releases editions whose time has come, beside the worker's letters."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog

from digest.domain.actor import SCHEDULE
from digest.domain.errors import DigestError
from digest.domain.steadiness import Steadiness
from digest.mail.reply import one_line
from digest.send import release
from digest.send.ledger import insist
from digest.send.post import Clock, Post
from digest.storage.engine import TROUBLE

_log = structlog.get_logger()


async def release_due(post: Post, *, clock: Clock) -> None:
    """Look for editions that are due, and release them, until cancelled.

    On a thread of its own: a release may take long, and heartbeats must go on. While
    the clock was just set, nothing is due by it.

    Args:
        post: The worker's rules.
        clock: The time.
    """
    steadiness = Steadiness()

    def release_all() -> None:
        if post.guard is not None and not post.guard.allows(busy=False):
            return
        # One look at the clock: it may be set at any time.
        now = clock()
        if not _is_steady(steadiness, post, now=now):
            return
        for edition_id in release.due(post.db, now=now):
            _release(post, edition_id, clock)

    thread = ThreadPoolExecutor(1, thread_name_prefix="releaser")
    try:
        while True:
            await insist(thread, release_all)
            await asyncio.sleep(post.poll.total_seconds())
    finally:
        thread.shutdown(wait=False)


def _is_steady(steadiness: Steadiness, post: Post, *, now: datetime) -> bool:
    if post.uptime is None:
        return True
    uptime = post.uptime()
    step = steadiness.look(now, uptime)
    if step is not None:
        _log.warning("worker.clock_set", seconds=int(step.total_seconds()))
    return steadiness.is_steady(uptime)


def _release(post: Post, edition_id: int, clock: Clock) -> None:
    try:
        post.release(edition_id)
    except TROUBLE:
        raise
    except Exception as error:  # noqa: BLE001 - one edition must not stop the others
        if not isinstance(error, DigestError):
            _log.exception("edition.unreleasable", id=edition_id)
        reason = one_line(str(error))
        # Of two workers that come here at once, one is too late: that is no failure.
        if release.unschedule(
            post.db, edition_id=edition_id, reason=reason, actor=SCHEDULE, now=clock()
        ):
            _log.error("edition.release_failed", id=edition_id, reason=reason)
