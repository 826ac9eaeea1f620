"""Decoding apart: what a hostile picture costs, and whom."""

import hashlib
import resource
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from digest.domain.errors import RefusedError
from digest.domain.pictures import PictureKind
from digest.pictures import shrink as shrinking
from digest.pictures.shrink import MEGABYTES, MOST_OCTETS, SECONDS, shrink
from tests.drawings import declared_png, photo, saved, scene

WEIGH = """
import os, subprocess, sys
command = [sys.executable, "-m", "digest.pictures.process", *sys.argv[1:]]
child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
_, status, cost = os.wait4(child.pid, 0)
child.returncode = status
print(cost.ru_maxrss, cost.ru_utime + cost.ru_stime)
"""
ZEROS_16_MILLION_PIXELS = zlib.compress(bytes(4_000 * (4_000 * 3 + 1)), 9)


def test_both_files_are_named_by_their_content() -> None:
    small, large = shrink(photo())

    for each, width in ((small, 600), (large, 1200)):
        assert each.file.hash == hashlib.sha256(each.body).hexdigest()
        assert (each.file.kind, each.file.width) == (PictureKind.JPEG, width)
        assert each.body.startswith(b"\xff\xd8\xff")


def test_the_reason_of_a_refusal_is_told() -> None:
    with pytest.raises(RefusedError, match="no JPEG, PNG, GIF or WebP"):
        shrink(b"<svg onload=alert(1)>")


def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(RefusedError, match="damaged, breaks off"):
        shrink(photo()[:20_000])


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(RefusedError, match="larger than 15 MB"):
        shrink(bytes(MOST_OCTETS + 1))


@pytest.mark.parametrize(
    "body",
    [
        declared_png(60_000, 60_000),
        # As many pixels as are taken, from 16 KB.
        declared_png(4_000, 4_000, ZEROS_16_MILLION_PIXELS),
        saved(Image.new("L", (7_000, 7_000)), quality=20, progressive=True),
        saved(Image.new("RGBA", (4_400, 4_400)), "PNG"),
        saved(Image.new("P", (4_400, 4_400)), "GIF"),
    ],
    ids=["declared", "zeros", "progressive", "transparent", "gif"],
)
def test_a_bomb_costs_little_and_never_the_parent(body: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Started by a small process: a child counts its parent's memory as its own.
    done = subprocess.run(  # noqa: S603 - our own module, fixed arguments
        [sys.executable, "-c", WEIGH, str(MEGABYTES), str(SECONDS)],
        input=body,
        capture_output=True,
        check=True,
        cwd=Path(shrinking.__file__).parents[2],
    )
    kilobytes, seconds = done.stdout.split()

    assert int(kilobytes) < 256 * 1024
    assert float(seconds) < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_a_declared_size_is_refused_before_it_is_decoded() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    with pytest.raises(RefusedError, match="million pixels"):
        shrink(declared_png(60_000, 60_000))

    # Of the processor, so that a busy machine does not count.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1


def test_a_process_that_dies_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "_MODULE", "digest.pictures.nothing")

    with pytest.raises(RefusedError, match="too much time or memory"):
        shrink(photo())


def test_the_memory_of_the_process_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "MEGABYTES", 20)

    with pytest.raises(RefusedError, match="too much memory"):
        shrink(photo())


def test_a_process_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "SECONDS", -4.9)
    monkeypatch.setattr(shrinking, "_MODULE", "timeit")  # runs for a while

    with pytest.raises(RefusedError, match="too much time or memory"):
        shrink(photo())


@pytest.mark.parametrize(
    "described",
    [
        None,
        [],
        [["jpg", 600, 338, 3]],
        [["jpg", 600, 338, 9], ["jpg", 600, 338, 1]],
        [["svg", 600, 338, 3], ["jpg", 600, 338, 3]],
        [["png", 600, 338, 3], ["png", 600, 338, 3]],
        [["jpg", 6000, 338, 3], ["jpg", 600, 338, 3]],
        [["jpg", 600, -1, 3], ["jpg", 600, 338, 3]],
        [["jpg", "600", 338, 3], ["jpg", 600, 338, 3]],
        [["jpg", 0.5, 338, 3], ["jpg", 600, True, 3]],
        [[{}, 600, 338, 3], ["jpg", 600, 338, 3]],
    ],
)
def test_what_a_process_taken_over_answers_is_not_believed(described: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        shrinking._read(described, b"\xff\xd8\xff" * 2)


@pytest.mark.parametrize("said", [b"[" * 100_000, b"[]", b'"error"', b"1" * 9_999])
def test_an_answer_of_any_shape_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(shrinking, "_run", lambda _body: said)

    with pytest.raises(RefusedError):
        shrink(b"")


def test_no_setting_reaches_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "secret")

    assert not any(name.startswith("DIGEST_") for name in shrinking._environment())


def test_drawn_scenes_differ() -> None:
    files = [shrink(saved(scene(number, (300, 200))))[0] for number in range(2)]

    assert files[0].file.hash != files[1].file.hash
