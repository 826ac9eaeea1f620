"""A story's picture as readers see it: our own files, at the size they are shown."""

from dataclasses import dataclass

from digest.domain.pictures import PictureFile, fit

_LEAD = (600, 800)
_THUMBNAIL = (120, 160)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One file at one place.

    Attributes:
        path: Where this site serves it.
        width: As shown, in CSS pixels; half of the file's own where it has enough.
        height: Likewise, in the file's proportions.
    """

    path: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class PictureView:
    """A picture with its words.

    Attributes:
        lead: Across the letter.
        thumbnail: Beside a headline.
        credit: Who made it; may be empty.
        alt: What it shows; may be empty.
    """

    lead: Shown
    thumbnail: Shown
    credit: str
    alt: str


def show(file: PictureFile, box: tuple[int, int]) -> Shown:
    """Fit a file into a box of CSS pixels."""
    width, height = fit(file, width=box[0], height=box[1])
    return Shown(path=file.path, width=width, height=height)


def show_picture(
    small: PictureFile, large: PictureFile, *, credit: str, alt: str
) -> PictureView:
    """Arrange both files of a picture."""
    return PictureView(
        lead=show(large, _LEAD),
        thumbnail=show(small, _THUMBNAIL),
        credit=credit,
        alt=alt,
    )
