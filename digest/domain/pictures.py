"""A picture as readers get it: two files of ours, named by their content."""

from dataclasses import dataclass
from enum import StrEnum

SMALL, LARGE = 600, 1200
"""How wide the two files are at most, in pixels."""


class PictureKind(StrEnum):
    """What a file is, and how its name ends."""

    JPEG = "jpg"  # photographs
    PNG = "png"  # few colours, or transparent


MEDIA_TYPES = {PictureKind.JPEG: "image/jpeg", PictureKind.PNG: "image/png"}


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """One file.

    Attributes:
        hash: SHA-256 of its octets, 64 hexadecimal digits.
        kind: JPEG or PNG.
        width: In pixels.
        height: In pixels.
    """

    hash: str
    kind: PictureKind
    width: int
    height: int

    @property
    def path(self) -> str:
        """Where this site serves it."""
        return f"/pictures/{self.hash}.{self.kind}"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture in both sizes; one file twice where its source is small.

    Attributes:
        small: At most `SMALL` wide.
        large: At most `LARGE` wide.
    """

    small: PictureFile
    large: PictureFile


def fit(file: PictureFile, *, width: int, height: int) -> tuple[int, int]:
    """Return the size at which a file is shown in a box; it is never enlarged.

    Args:
        file: The file.
        width: Of the box, in CSS pixels.
        height: Likewise.

    Returns:
        Width and height in the file's own proportions, each at least 1.
    """
    scale = min(1.0, width / file.width, height / file.height)
    return max(1, round(file.width * scale)), max(1, round(file.height * scale))
