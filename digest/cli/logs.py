"""Logs: one line an event on stderr; JSON where nobody watches."""

import json
import logging
import re
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

# What JSON leaves as it is although a terminal or a reader of lines acts on it: DEL,
# C1 controls, separators of lines, marks of direction.
_ACTIVE = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class _Handler(logging.Handler):
    """Writes where structlog writes, under the same lock."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a wrong record must not stop its work
            self.handleError(record)
        else:
            _writer().msg(line)


def set_up() -> None:
    """Send log lines to stderr: stdout belongs to the command's result.

    What libraries log with the standard library is rendered alike.
    """
    watched = sys.stderr.isatty()
    chain: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if watched:
        # The usual tracebacks show variables: addresses, tokens, whole messages.
        plain = structlog.dev.plain_traceback
        chain += [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        chain += [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_write_json),
        ]
    structlog.configure(
        processors=chain,
        logger_factory=_writer,
        cache_logger_on_first_use=False,
    )
    handler = _Handler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[ProcessorFormatter.remove_processors_meta, *chain],
        )
    )
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        if isinstance(earlier, _Handler):
            root.removeHandler(earlier)
    root.addHandler(handler)


def _writer(*_: Any) -> structlog.PrintLogger:
    # Asked for anew each time: stderr may have been replaced meanwhile.
    return structlog.PrintLogger(sys.stderr)


def _write_json(event: Any, **named: Any) -> str:
    line = json.dumps(event, ensure_ascii=False, **named)
    return _ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
