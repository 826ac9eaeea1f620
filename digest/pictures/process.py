"""The process that decodes one picture, started by `pictures.shrink`.

It gets the octets on stdin and answers on stdout: one line of JSON, then the files. It
is limited in memory and time before it looks at them. What it writes is encoded anew
from pixels alone, so nothing else of the original survives: no EXIF, no comment, no
profile, no second file hidden behind the first.
"""

import io
import json
import resource
import sys
from typing import Any, NamedTuple

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

LARGE, SMALL = 1200, 600
TALLEST = 2  # times as high as wide
LEAST_SIDE = 32  # smaller ones count readers or fill space
MOST_DECLARED = 50_000_000  # pixels
MOST_DECODED = 20_000_000  # pixels; a JPEG is decoded at a fraction of its size
_FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        GifImagePlugin.GifImageFile,
        WebPImagePlugin.WebPImageFile,
    )
    if plugin.format
)
_ORIENTATION = 0x0112  # Exif 2.32 §4.6.4
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FEW_COLOURS = 256
_LARGEST_PNG = 600_000  # octets; a transparent photograph is not worth more
_WHITE = (255, 255, 255)
_OPAQUE = 255


class RefusedPictureError(Exception):
    """The picture is not one we take; the message says why."""


class Encoded(NamedTuple):
    """One file.

    Attributes:
        kind: `jpg` or `png`.
        width: In pixels.
        height: In pixels.
        body: Its octets.
    """

    kind: str
    width: int
    height: int
    body: bytes


def main() -> None:
    """Read a picture from stdin and answer its two files."""
    megabytes, seconds = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: dict[str, Any]
    files: tuple[Encoded, ...] = ()
    try:
        files = shrink(sys.stdin.buffer.read())
        answer = {"files": [(f.kind, f.width, f.height, len(f.body)) for f in files]}
    except RefusedPictureError as refusal:
        answer = {"error": str(refusal)}
    except MemoryError:
        answer = {"error": "It takes too much memory."}
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged input
        answer = {"error": "It is damaged, breaks off or is too large."}
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n")
    sys.stdout.buffer.writelines(f.body for f in files)


def shrink(body: bytes) -> tuple[Encoded, Encoded]:
    """Decode a picture and encode it anew in both sizes.

    Args:
        body: A JPEG, PNG, GIF or WebP file; of an animation the first frame counts.

    Returns:
        The small and the large one, upright, never larger than the original.

    Raises:
        RefusedPictureError: It is of another kind, too large or too small.
        Exception: It is damaged; decoders have no common class for that.
    """
    opened = _open(body)
    profile = opened.info.get("icc_profile")
    upright = _turn(opened, _orientation(opened))
    has_few_colours = _has_few_colours(upright)
    large = _to_srgb(_fit(upright, LARGE), profile)
    del opened, upright
    small = _fit(large, SMALL)
    files = [_encode(image, few=has_few_colours) for image in (small, large)]
    return files[0], files[1]


def _open(body: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(body), formats=_FORMATS)
    except UnidentifiedImageError:
        raise RefusedPictureError("It is no JPEG, PNG, GIF or WebP picture.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    if image.width * image.height > MOST_DECLARED:
        raise _too_many_pixels()
    if min(image.size) < LEAST_SIDE:
        raise RefusedPictureError(
            f"It is only {image.width} × {image.height} pixels large."
        )
    # JPEG alone can be decoded at 1/2, 1/4 or 1/8; elsewhere this does nothing.
    image.draft(None, (LARGE, LARGE))
    if image.width * image.height > MOST_DECODED:
        raise _too_many_pixels()
    image.load()
    return image


def _too_many_pixels() -> RefusedPictureError:
    return RefusedPictureError(
        f"It has more than {MOST_DECODED // 1_000_000} million pixels"
        f" ({MOST_DECLARED // 1_000_000} million in a JPEG)."
    )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything, and turns nothing
        return 1


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright: RGB, RGBA or CMYK, 8 bits a channel."""
    plain = _plain(image)
    turn = _TURNS.get(orientation)
    return plain if turn is None else plain.transpose(turn)


def _plain(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits of grey: converting alone would turn all but the darkest white.
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    # Converting to the mode it has would copy all of it.
    return image if image.mode in {mode, "CMYK"} else image.convert(mode)


def _has_few_colours(image: Image.Image) -> bool:
    return image.mode != "CMYK" and image.getcolors(_FEW_COLOURS) is not None


def _fit(image: Image.Image, width: int) -> Image.Image:
    scale = min(1.0, width / image.width, width * TALLEST / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply the picture's colour profile, since it does not travel with the files."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=mode,
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a broken profile, or one for another kind of picture
        if converted is not None:
            return converted
    return image.convert(mode)


def _encode(image: Image.Image, *, few: bool) -> Encoded:
    """Write a file of pixels alone: PNG for what JPEG would spoil, else JPEG."""
    if image.mode == "RGBA":
        if _is_transparent(image):
            png = _save(image, "png")
            if len(png.body) <= _LARGEST_PNG:
                return png
        paper = Image.new("RGB", image.size, _WHITE)
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    jpeg = _save(image, "jpg")
    if few:
        png = _save(image, "png")
        if len(png.body) <= 2 * len(jpeg.body):
            return png
    return jpeg


def _is_transparent(image: Image.Image) -> bool:
    return image.getchannel("A").getextrema()[0] != _OPAQUE


def _save(image: Image.Image, kind: str) -> Encoded:
    # A new image: savers copy comments, profiles and more from what was opened.
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    file = io.BytesIO()
    if kind == "png":
        bare.save(file, "PNG", optimize=True)
    else:
        bare.save(file, "JPEG", quality=82, optimize=True, progressive=True)
    return Encoded(kind, *bare.size, file.getvalue())


if __name__ == "__main__":
    main()
