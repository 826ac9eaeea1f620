"""Logs: one line an event on stderr; JSON where nobody watches."""

import sys
from typing import Any

import structlog


def set_up() -> None:
    """Send log lines to stderr: stdout belongs to the command's result."""
    watched = sys.stderr.isatty()
    last: Any = (
        structlog.dev.ConsoleRenderer()
        if watched
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if watched else [structlog.processors.format_exc_info]),
            last,
        ],
        # Asked for anew each time: stderr may have been replaced meanwhile.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
