"""Log lines where nobody watches: JSON, whatever strangers put into them."""

import json
import logging
import sys
from typing import Any, NoReturn

import pytest
import structlog

from digest.cli import logs

HOSTILE = 'no\r\n{"event": "forged"}\x1b[2J\x85\x9b31m\u2028\u202eتم'


def refuse() -> NoReturn:
    raise ValueError(HOSTILE)


def read_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    # splitlines knows more ends of lines than LF.
    (line,) = capsys.readouterr().err.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert line.isprintable()
    return found


def test_an_exception_that_a_library_logs_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up()

    try:
        refuse()
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Refused: %s", HOSTILE)

    found = read_line(capsys)
    assert found["event"] == f"Refused: {HOSTILE}"
    assert (found["level"], found["logger"]) == ("error", "uvicorn.error")
    assert found["exception"].endswith(f"ValueError: {HOSTILE}")


def test_an_event_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()

    structlog.get_logger().warning("relay.closed", reason=HOSTILE)

    assert read_line(capsys)["reason"] == HOSTILE


def test_setting_up_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logs.set_up()

    logging.getLogger("asyncio").error("Task exception was never retrieved")

    assert read_line(capsys)["event"] == "Task exception was never retrieved"


def test_a_record_that_cannot_be_written_stops_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.set_up()
    monkeypatch.setattr(logging, "raiseExceptions", False)

    logging.getLogger("asyncio").error("%d tasks", "many")

    assert capsys.readouterr().err == ""


def test_a_traceback_on_a_screen_shows_nobodys_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(address: str) -> NoReturn:
        raise ValueError(len(address))

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.set_up()

    try:
        fail("alice" + "@example.org")
    except ValueError:
        structlog.get_logger().exception("web.failed")

    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "alice@example.org" not in shown
