"""Pictures drawn for tests and samples, and files that only look like pictures."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

from digest.domain.editions import Story
from digest.storage import pictures
from digest.storage.engine import Database
from tests.builders import NOW

GPS = 0x8825  # Exif 2.32 §4.6.3
_SKIES = ("#f2c9a1", "#9fc3d8", "#e7d9b0", "#c9b6d6", "#b9d3b0")
_HILLS = ("#7a5230", "#2f5d73", "#8a6d1f", "#5b3f74", "#3d6136")


def scene(number: int = 0, size: tuple[int, int] = (1600, 900)) -> Image.Image:
    """Draw a sky in many shades, a sun, hills and a row of lorries."""
    width, height = size
    top = Image.new("RGB", (1, 2), "white")
    top.putpixel((0, 1), _rgb(_SKIES[number % len(_SKIES)]))
    picture = top.resize(size, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(size, 24).convert("RGB")
    picture = Image.blend(picture, noise, 0.06)
    draw = ImageDraw.Draw(picture)
    sun = width // 9
    left = width * (2 + number % 5) // 9
    draw.ellipse((left, height // 8, left + sun, height // 8 + sun), fill="#fff3d0")
    hill = _HILLS[number % len(_HILLS)]
    line = [(0, height * 2 // 3), (width // 3, height // 2), (width, height * 3 // 4)]
    draw.polygon([*line, (width, height), (0, height)], fill=hill)
    for lorry in range(5):
        x, y = width * lorry // 5 + width // 40, height * 5 // 6
        draw.rectangle((x, y, x + width // 8, y + height // 12), fill="#3b3b3b")
    return picture


def chart(size: tuple[int, int] = (1600, 900)) -> Image.Image:
    """Draw bars in four colours, which JPEG would spoil."""
    width, height = size
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for bar, colour in enumerate(("#8c1d18", "#2f5d73", "#8a6d1f")):
        x = width * (bar + 1) // 5
        draw.rectangle((x, height * (bar + 2) // 7, x + 80, height), fill=colour)
    return picture


def saved(picture: Image.Image, form: str = "JPEG", **how: Any) -> bytes:
    """Write a picture as a file of some format."""
    file = io.BytesIO()
    picture.save(file, form, **how)
    return file.getvalue()


def photo(number: int = 0, size: tuple[int, int] = (1600, 900)) -> bytes:
    """A JPEG as a camera writes it: turned, with its place, maker and owner."""
    exif = Image.Exif()
    exif[0x010F] = "Camera works"
    exif[0x8298] = "Copyright Mona"
    exif.get_ifd(GPS).update({1: "N", 2: (30.0, 2.0, 41.0), 3: "E", 4: (31.0, 14.0, 8)})
    return saved(scene(number, size), exif=exif, comment=b"taken at home")


def declared_png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has a size, with as much of it as there is data."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            png_chunk(b"IHDR", head),
            png_chunk(b"IDAT", data or zlib.compress(bytes(1000))),
            png_chunk(b"IEND", b""),
        )
    )


def png_chunk(name: bytes, data: bytes) -> bytes:
    """One chunk with its right checksum (PNG §5.3)."""
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@cache
def _saved_scene(number: int, size: tuple[int, int]) -> bytes:
    return saved(scene(number, size), quality=80)


def put_files(db: Database, stories: Sequence[Story]) -> None:
    """Draw what the stories of a reference week show, under the names they have."""
    with db.write() as tx:
        for number, story in enumerate(stories):
            if story.picture is None:
                continue
            for file in (story.picture.small, story.picture.large):
                drawn = _saved_scene(number, (file.width, file.height))
                pictures.put(tx, file, drawn, now=NOW)
