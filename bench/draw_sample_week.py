"""Draw the pictures of the sample weeks: python -m bench.draw_sample_week.

They are flat and few-coloured, so that they stay small in the repository.
"""

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parents[1] / "config" / "sample-week" / "pictures"
_FINER = 3  # drawn so many times larger, for smooth edges
_COLOURS = 40


class Sheet:
    """A drawing whose places are fractions of its width and height.

    Args:
        size: In pixels.
        ground: The colour it starts with.
    """

    def __init__(self, size: tuple[int, int], ground: str) -> None:
        self.size = size
        self.image = Image.new("RGB", (size[0] * _FINER, size[1] * _FINER), ground)
        self.draw = ImageDraw.Draw(self.image)

    def at(self, *places: float) -> list[float]:
        """Turn fractions, x and y in turn, into places on the sheet."""
        sides = self.image.size
        return [place * sides[i % 2] for i, place in enumerate(places)]

    def box(self, colour: str, *corners: float) -> None:
        """Fill a rectangle."""
        self.draw.rectangle(self.at(*corners), fill=colour)

    def shape(self, colour: str, *corners: float) -> None:
        """Fill a polygon."""
        self.draw.polygon(self.at(*corners), fill=colour)

    def line(self, colour: str, width: float, *places: float) -> None:
        """Draw a line; its width is a fraction of the sheet's."""
        thick = max(1, round(width * self.image.width))
        self.draw.line(self.at(*places), fill=colour, width=thick, joint="curve")

    def disc(self, colour: str, x: float, y: float, radius: float) -> None:
        """Fill a circle; its radius is a fraction of the sheet's width."""
        (middle, high), r = self.at(x, y), radius * self.image.width
        self.draw.ellipse((middle - r, high - r, middle + r, high + r), fill=colour)

    def save(self, name: str) -> None:
        """Write it as a small PNG."""
        image = self.image.resize(self.size, Image.Resampling.LANCZOS)
        image.quantize(_COLOURS).save(FOLDER / f"{name}.png", optimize=True)


_Drawing = tuple[tuple[int, int], str, Callable[[Sheet], None]]


def main() -> None:
    """Draw them all."""
    wide, plain = (1200, 675), (600, 450)
    drawings: dict[str, _Drawing] = {
        "crossing": (wide, "#f3d9b1", crossing),
        "picnic": (plain, "#cfe6ee", picnic),
        "clock": (plain, "#24344d", clock),
        "basket": (plain, "#f2e3c6", basket),
        "screen": (plain, "#3a1f2b", screen),
        "books": (plain, "#dfe8dc", books),
        "harp": (plain, "#cde3e6", harp),
        "column": (plain, "#e9dcc3", column),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, (size, ground, paint) in drawings.items():
        sheet = Sheet(size, ground)
        paint(sheet)
        sheet.save(name)


def crossing(sheet: Sheet) -> None:
    """A road at dusk, a closed gate, a row of lorries."""
    for band, colour in enumerate(("#f0c795", "#ecb47c", "#e59f68")):
        sheet.box(colour, 0, 0.18 + band * 0.12, 1, 1)
    sheet.disc("#fbe9c4", 0.74, 0.4, 0.06)
    sheet.shape(
        "#c98a55", 0, 0.52, 0.22, 0.46, 0.5, 0.55, 0.8, 0.48, 1, 0.54, 1, 1, 0, 1
    )
    sheet.shape("#b37443", 0, 0.62, 0.4, 0.57, 1, 0.63, 1, 1, 0, 1)
    sheet.shape("#5d5148", 0.5, 0.56, 0.56, 0.56, 1.0, 1, 0.12, 1)
    for dash in range(4):
        low = 0.64 + dash * 0.09
        sheet.box("#d9cbb4", 0.538, low, 0.546 + dash * 0.004, low + 0.04)
    for x in (0.43, 0.6):
        sheet.box("#e8ddca", x, 0.33, x + 0.035, 0.6)
    sheet.box("#e8ddca", 0.41, 0.29, 0.655, 0.36)
    sheet.box("#8c1d18", 0.41, 0.345, 0.655, 0.36)
    for bar in range(7):
        x = 0.472 + bar * 0.018
        sheet.box("#4a4039", x, 0.38, x + 0.005, 0.58)
    for place in range(4):
        _lorry(sheet, 0.36 - place * 0.115, 0.6 + place * 0.07, 0.075 + place * 0.03)


def _lorry(sheet: Sheet, x: float, ground: float, long: float) -> None:
    high = long * 1.05
    for wheel in (0.18, 0.42, 0.86):
        sheet.disc("#2b2724", x + wheel * long, ground, long * 0.085)
    top = ground - high * 0.95
    sheet.box("#f4efe6", x, top, x + long * 0.66, ground - high * 0.14)
    sheet.box("#2f5d73", x, top + high * 0.3, x + long * 0.66, top + high * 0.4)
    cab = x + long * 0.69
    sheet.box("#8c1d18", cab, ground - high * 0.68, x + long, ground - high * 0.14)
    glass = (cab + long * 0.08, ground - high * 0.6, x + long, ground - high * 0.4)
    sheet.box("#cfe6ee", *glass)


def picnic(sheet: Sheet) -> None:
    """A tree, a cloth on the grass and painted eggs."""
    sheet.box("#8fb573", 0, 0.6, 1, 1)
    sheet.box("#6d4c33", 0.78, 0.3, 0.83, 0.66)
    for x, y, radius in ((0.7, 0.28, 0.12), (0.82, 0.2, 0.14), (0.92, 0.3, 0.11)):
        sheet.disc("#4f7d4b", x, y, radius)
    sheet.shape("#f7f1e4", 0.12, 0.68, 0.66, 0.68, 0.76, 0.93, 0.04, 0.93)
    for stripe in range(4):
        low = 0.2 + stripe * 0.12
        slope = (low - 0.39) * 0.45
        sheet.line("#c4453c", 0.008, low, 0.68, low + slope, 0.93)
    eggs = ("#c4453c", "#2f5d73", "#d6a32e", "#7a4f8a", "#3f7d5a")
    for number, colour in enumerate(eggs):
        x = 0.2 + number * 0.1
        sheet.disc(colour, x, 0.76, 0.042)
        sheet.disc(colour, x, 0.735, 0.034)


def clock(sheet: Sheet) -> None:
    """A clock at night from which one hour is missing."""
    for star in range(14):
        sheet.disc("#f3e7c3", star * 0.37 % 1, star * 0.23 % 0.9, 0.005)
    sheet.disc("#d6a32e", 0.5, 0.52, 0.3)
    sheet.disc("#f7f1e4", 0.5, 0.52, 0.27)
    first, last = (math.radians(hour * 30 - 90) for hour in (0, 1))
    far = [
        (0.5 + math.cos(a) * 0.31, 0.52 + math.sin(a) * 0.31 * 4 / 3)
        for a in (first, last)
    ]
    sheet.shape("#24344d", 0.5, 0.52, *far[0], *far[1])
    for hour in range(2, 13):
        turn = math.radians(hour * 30 - 90)
        x, y = 0.5 + math.cos(turn) * 0.235, 0.52 + math.sin(turn) * 0.235 * 4 / 3
        sheet.disc("#24344d", x, y, 0.011)
    sheet.line("#8c1d18", 0.014, 0.5, 0.52, 0.5, 0.27)
    sheet.line("#24344d", 0.018, 0.5, 0.52, 0.62, 0.62)
    sheet.disc("#24344d", 0.5, 0.52, 0.018)


def basket(sheet: Sheet) -> None:
    """Groceries in a basket, and the sign they are counted by."""
    sheet.box("#d9b98a", 0, 0.8, 1, 1)
    sheet.box("#c98a4b", 0.3, 0.28, 0.4, 0.6)
    sheet.disc("#c4453c", 0.5, 0.5, 0.075)
    sheet.disc("#8fb573", 0.62, 0.47, 0.085)
    sheet.disc("#d6a32e", 0.42, 0.53, 0.06)
    sheet.box("#f7f1e4", 0.66, 0.33, 0.74, 0.6)
    sheet.box("#2f5d73", 0.66, 0.4, 0.74, 0.48)
    sheet.shape("#8a5a2f", 0.22, 0.55, 0.8, 0.55, 0.74, 0.86, 0.28, 0.86)
    for weave in range(4):
        y = 0.61 + weave * 0.065
        sheet.line("#b98248", 0.01, 0.24 + weave * 0.012, y, 0.78 - weave * 0.012, y)
    sheet.line("#8c1d18", 0.016, 0.84, 0.36, 0.94, 0.14)
    sheet.disc("#8c1d18", 0.85, 0.18, 0.028)
    sheet.disc("#8c1d18", 0.93, 0.33, 0.028)


def screen(sheet: Sheet) -> None:
    """A screen between curtains, and heads before it."""
    sheet.box("#f3e7c3", 0.17, 0.14, 0.83, 0.66)
    sheet.box("#e59f68", 0.17, 0.44, 0.83, 0.66)
    sheet.disc("#c4453c", 0.6, 0.44, 0.07)
    sheet.shape(
        "#8a5a2f", 0.17, 0.6, 0.4, 0.46, 0.62, 0.58, 0.83, 0.5, 0.83, 0.66, 0.17, 0.66
    )
    for side in (0, 1):
        for fold in range(4):
            x = fold * 0.045 if side == 0 else 0.82 + fold * 0.045
            sheet.box(("#8c1d18", "#a32a22")[fold % 2], x, 0, x + 0.045, 0.76)
    sheet.box("#221018", 0, 0.76, 1, 1)
    for head in range(6):
        sheet.disc("#120a0e", 0.12 + head * 0.155, 0.8, 0.045)
        sheet.disc("#120a0e", 0.12 + head * 0.155, 0.97, 0.085)


def books(sheet: Sheet) -> None:
    """Three novels whose backs are houses of a street."""
    sheet.box("#b9a77f", 0, 0.84, 1, 1)
    for place, (colour, high) in enumerate(
        (("#8c1d18", 0.62), ("#2f5d73", 0.72), ("#d6a32e", 0.54))
    ):
        x, top = 0.2 + place * 0.21, 0.84 - high
        sheet.box(colour, x, top, x + 0.18, 0.84)
        sheet.box("#f7f1e4", x, top + 0.05, x + 0.18, top + 0.065)
        sheet.box("#f7f1e4", x, 0.77, x + 0.18, 0.785)
        for window in range(6):
            left = x + 0.035 + window % 2 * 0.07
            low = top + 0.13 + window // 2 * 0.13
            sheet.box("#f3e7c3", left, low, left + 0.04, low + 0.07)


def harp(sheet: Sheet) -> None:
    """A simsimiyya above the water of the canal."""
    sheet.box("#5f9aa8", 0, 0.72, 1, 1)
    for wave in range(7):
        x = wave * 0.16 - 0.04
        sheet.line("#8fc0c9", 0.008, x, 0.85, x + 0.04, 0.83, x + 0.08, 0.85)
    sheet.line("#8a5a2f", 0.03, 0.28, 0.14, 0.42, 0.66)
    sheet.line("#8a5a2f", 0.03, 0.76, 0.2, 0.58, 0.66)
    sheet.line("#6d4c33", 0.034, 0.24, 0.13, 0.8, 0.2)
    for string in range(5):
        top = 0.34 + string * 0.09
        sheet.line("#f7f1e4", 0.005, top, 0.14 + string * 0.012, 0.5, 0.68)
    sheet.disc("#8a5a2f", 0.5, 0.68, 0.13)
    sheet.disc("#d6a32e", 0.5, 0.68, 0.105)
    sheet.disc("#8a5a2f", 0.5, 0.68, 0.024)


def column(sheet: Sheet) -> None:
    """The column by which the Nile was measured."""
    for step in range(4):
        sheet.box(
            ("#cdb890", "#bda67c")[step % 2],
            0.06 + step * 0.07,
            0.24 + step * 0.13,
            0.94 - step * 0.07,
            1,
        )
    sheet.box("#5f9aa8", 0.27, 0.72, 0.73, 1)
    sheet.box("#f7f1e4", 0.45, 0.1, 0.55, 0.94)
    sheet.box("#e3d5b8", 0.52, 0.1, 0.55, 0.94)
    sheet.box("#8a5a2f", 0.3, 0.06, 0.7, 0.12)
    for mark in range(12):
        y = 0.18 + mark * 0.06
        sheet.box("#8c1d18", 0.45, y, 0.48 + mark % 2 * 0.02, y + 0.008)


if __name__ == "__main__":
    main()
