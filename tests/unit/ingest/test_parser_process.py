"""The process that parses what comes from outside."""

from digest.ingest.parser_process import Job, run_apart, without_settings


def test_is_told_no_secret() -> None:
    environ = {
        "PATH": "/bin",
        "DIGEST_SMTP__PASSWORD": "x",
        "DIGEST_DATABASE__URL": "y",
    }

    assert without_settings(environ) == {"PATH": "/bin"}


def test_reads_all_the_same() -> None:
    found = run_apart(Job.PAGE, b"<html><title>T</title><p>One</p></html>")

    assert found is not None
    assert found["title"] == "T"
