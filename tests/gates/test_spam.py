"""SpamAssassin's own rules, no network: the letter looks like no spam."""

import email
import email.policy
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gates.figures import tell
from tests.gates.letters import Written

MOST = 0.5
NO_BONUS = "--cf=score MAILING_LIST_MULTI 0"  # what list headers earn by themselves


def arrived(letter: Written) -> bytes:
    """The letter as the reader's server gives it to its filter."""
    name, reader = "mail.news.example.test", letter.parsed["To"]
    head = (
        f"Return-Path: <bounces@news.example.test>\r\n"
        f"Received: from {name} ({name} [IPv6:2001:db8::25])\r\n"
        f"\tby mx.readers.example.test with ESMTPS id 1 for <{reader}>;\r\n"
        f"\t{letter.parsed['Date']}\r\n"
    )
    return head.encode("ascii") + letter.message


def test_its_score_stays_low(letter: Written, edition: str, tmp_path: Path) -> None:
    tool = shutil.which("spamassassin")
    if tool is None:
        pytest.skip("spamassassin (Debian's package) is not installed")

    done = subprocess.run(  # noqa: S603 - Debian's own
        [
            tool,
            "--local",
            "--test-mode",
            "--nocreate-prefs",
            "--cf=use_bayes 0",
            NO_BONUS,
        ],
        input=arrived(letter),
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )

    judged = email.message_from_bytes(done.stdout, policy=email.policy.default)
    status = " ".join(str(judged["X-Spam-Status"]).split())
    found = re.search(r"score=(-?[\d.]+).*?tests=(.*?) autolearn", status)
    assert found is not None, status
    tell(f"SpamAssassin, {edition}: {found[1]}, rules hit: {found[2]}")
    assert float(found[1]) <= MOST
