"""What the decoding process makes of pictures, good and hostile."""

import email
import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageCms

from digest.pictures.process import Encoded, RefusedPictureError, shrink
from tests.drawings import (
    GPS,
    chart,
    declared_png,
    photo,
    png_chunk,
    saved,
    scene,
)

SMALL_PHOTO = saved(scene(size=(320, 180)))
SECRETS = (b"Camera works", b"Copyright", b"taken at home", b"Exif", b"ICC_PROFILE")


def opened(file: Encoded) -> Image.Image:
    picture = Image.open(io.BytesIO(file.body))
    assert (picture.width, picture.height) == (file.width, file.height)
    return picture


def colour_at(file: Encoded, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place, in fractions of width and height."""
    picture = opened(file).convert("RGBA")
    found = picture.getpixel((int(x * file.width), int(y * file.height)))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 16 for a, b in zip(found, wanted, strict=False))


def test_makes_both_sizes_in_the_pictures_own_proportions() -> None:
    small, large = shrink(photo(size=(2400, 1350)))

    assert (large.width, large.height) == (1200, 675)
    assert (small.width, small.height) == (600, 338)
    assert {small.kind, large.kind} == {"jpg"}


def test_never_enlarges() -> None:
    small, large = shrink(SMALL_PHOTO)

    assert (small.width, large.width) == (320, 320)
    assert small == large


def test_a_tall_picture_is_bounded_in_height() -> None:
    _, large = shrink(saved(scene(size=(800, 4000))))

    assert (large.width, large.height) == (480, 2400)


def test_nothing_of_the_original_survives_but_pixels() -> None:
    body = photo()
    assert Image.open(io.BytesIO(body)).getexif().get_ifd(GPS)
    assert all(secret in body for secret in SECRETS[:-1])

    for file in shrink(body):
        found = opened(file)
        assert not any(secret in file.body for secret in SECRETS)
        assert not found.getexif()
        assert set(found.info) <= {
            *("jfif", "jfif_version", "jfif_unit", "jfif_density"),
            *("progressive", "progression"),
        }


def test_what_a_png_carries_beside_pixels_goes_too() -> None:
    notes = png_chunk(b"tEXt", b"Author\0Mona") + png_chunk(
        b"zTXt", b"Note\0\0" + zlib.compress(b"at home")
    )
    body = saved(chart(), "PNG")
    noted = body[:33] + notes + body[33:]

    small, large = shrink(noted)

    assert opened(large).info == {}
    assert b"tEXt" not in small.body + large.body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied(orientation: int) -> None:
    upright = Image.new("RGB", (400, 200), "white")
    upright.paste((200, 0, 0), (0, 0, 100, 100))  # top left
    turned = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    stored = upright
    for step in turned:
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation

    _, large = shrink(saved(stored, exif=exif, quality=95))

    assert (large.width, large.height) == (400, 200)
    assert near(colour_at(large, 0.1, 0.2), (200, 0, 0))
    assert near(colour_at(large, 0.9, 0.8), (255, 255, 255))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_turns_nothing() -> None:
    body = saved(scene(size=(400, 200)), exif=b"Exif\0\0II*\0\xff\xff\xff\xff\x01")

    _, large = shrink(body)

    assert (large.width, large.height) == (400, 200)


def test_an_orientation_that_is_no_number_turns_nothing() -> None:
    # One entry: tag, type 2 (text), four octets of it.
    entry = struct.pack("<HHHI", 1, 0x0112, 2, 4) + b"up!\0" + bytes(4)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entry

    _, large = shrink(saved(scene(size=(400, 200)), exif=exif))

    assert (large.width, large.height) == (400, 200)


def test_few_colours_stay_sharp_in_png() -> None:
    small, large = shrink(saved(chart(), "PNG"))

    assert (small.kind, large.kind) == ("png", "png")
    assert colour_at(large, 0.21, 0.9)[:3] == (0x8C, 0x1D, 0x18)


def test_transparency_is_kept() -> None:
    logo = Image.new("RGBA", (800, 400))
    logo.paste((140, 29, 24, 255), (200, 100, 600, 300))

    _, large = shrink(saved(logo, "PNG"))

    assert large.kind == "png"
    assert colour_at(large, 0.01, 0.01)[3] == 0
    assert colour_at(large, 0.5, 0.5) == (140, 29, 24, 255)


def test_alpha_that_hides_nothing_makes_no_png() -> None:
    _, large = shrink(saved(scene().convert("RGBA"), "PNG"))

    assert large.kind == "jpg"


def test_a_large_transparent_photograph_is_put_on_white() -> None:
    cut_out = Image.effect_noise((1200, 600), 90).convert("RGBA")
    cut_out.paste((0, 0, 0, 0), (0, 0, 300, 300))

    _, large = shrink(saved(cut_out, "PNG"))

    assert large.kind == "jpg"
    assert near(colour_at(large, 0.05, 0.05), (255, 255, 255))


def test_inks_for_paper_become_colours_for_screens() -> None:
    _, large = shrink(saved(Image.new("CMYK", (400, 300), (0, 255, 255, 0))))

    red, green, blue, _ = colour_at(large, 0.5, 0.5)
    assert red > 200
    assert green < 60
    assert blue < 60


def test_sixteen_bits_of_grey_are_scaled_not_cut() -> None:
    grey = Image.new("I;16", (400, 300), 0x8000)

    _, large = shrink(saved(grey, "PNG"))

    assert near(colour_at(large, 0.5, 0.5), (128, 128, 128))


def test_sixteen_bits_of_colour_are_scaled_not_cut() -> None:
    row = b"\0" + struct.pack(">HHH", 0x8000, 0x4000, 0xC000) * 64
    head = struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)
    body = b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            png_chunk(b"IHDR", head),
            png_chunk(b"IDAT", zlib.compress(row * 64)),
            png_chunk(b"IEND", b""),
        )
    )

    _, large = shrink(body)

    assert near(colour_at(large, 0.5, 0.5), (128, 64, 192))


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (200, 100), c) for c in ("red", "blue", "lime")]
    body = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])

    _, large = shrink(body)

    assert large.kind == "png"
    assert not getattr(opened(large), "is_animated", False)
    assert colour_at(large, 0.5, 0.5)[:3] == (255, 0, 0)


def test_webp_is_taken_and_given_as_what_every_mail_program_shows() -> None:
    _, large = shrink(saved(scene(), "WEBP"))

    assert (large.kind, large.width) == ("jpg", 1200)


def test_a_colour_profile_is_applied_before_it_is_dropped() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = Image.new("RGB", (200, 100), (10, 200, 30))

    # One for another kind of picture is as good as none.
    _, kept = shrink(saved(plain, icc_profile=profile, quality=95))
    _, broken = shrink(saved(plain, icc_profile=b"no profile", quality=95))
    _, srgb = shrink(
        saved(
            plain,
            icc_profile=ImageCms.ImageCmsProfile(
                ImageCms.createProfile("sRGB")
            ).tobytes(),
            quality=95,
        )
    )

    for file in (kept, broken, srgb):
        assert near(colour_at(file, 0.5, 0.5), (10, 200, 30))
        assert "icc_profile" not in opened(file).info


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "no JPEG"),
        (b"<html><img src=x onerror=alert(1)></html>", "no JPEG"),
        (b"%PDF-1.7", "no JPEG"),
        (saved(scene(size=(64, 64)), "TIFF"), "no JPEG"),
        (saved(scene(size=(64, 64)), "BMP"), "no JPEG"),
        (saved(Image.new("RGB", (1, 1)), "GIF"), "only 1 × 1"),
        (saved(Image.new("RGB", (2000, 8)), "PNG"), "only 2000 × 8"),
        (declared_png(60_000, 60_000), "million pixels"),
        (declared_png(9_000, 9_000), "million pixels"),
        (declared_png(6_000, 6_000), "million pixels"),
    ],
)
def test_what_is_no_picture_for_us_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RefusedPictureError, match=reason):
        shrink(body)


def test_a_gif_that_is_a_script_as_well_leaves_its_script_behind() -> None:
    # Its width spells "/*", so that a script engine reads on to what follows.
    gif = saved(Image.new("P", (0x2A2F, 40)), "GIF")
    assert gif.startswith((b"GIF87a/*", b"GIF89a/*"))

    small, large = shrink(gif + b"*/=1;alert(document.domain)//")

    assert b"alert" not in small.body + large.body
    assert large.body.startswith((b"\xff\xd8\xff", b"\x89PNG"))


def test_what_hangs_behind_a_picture_is_left_behind() -> None:
    small, large = shrink(SMALL_PHOTO + b"PK\x03\x04 a whole archive <script>")

    assert b"script" not in small.body + large.body


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
@given(share=st.floats(0.0, 0.9))
@settings(max_examples=10)
def test_a_file_that_breaks_off_is_refused(form: str, share: float) -> None:
    body = saved(scene(size=(320, 180)), form)

    with pytest.raises(Exception, match=r".*"):
        shrink(body[: int(len(body) * share)])


@pytest.mark.filterwarnings("ignore")
@given(places=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=8))
@settings(max_examples=40)
def test_a_damaged_file_gives_a_clean_picture_or_an_error(
    places: list[tuple[int, int]],
) -> None:
    body = bytearray(SMALL_PHOTO)
    for place, value in places:
        body[place % len(body)] = value

    try:
        files = shrink(bytes(body))
    except Exception:  # noqa: BLE001 - what the process's one catch-all is for
        return

    assert all(not opened(file).getexif() for file in files)


@pytest.mark.filterwarnings("ignore")
def test_real_files_become_clean_pictures_or_are_refused(shared: Path) -> None:
    bodies = [
        path.read_bytes()
        for path in sorted((shared / "corpora").rglob("*"))
        if path.suffix in {".png", ".jpg", ".jpeg", ".gif", ".webp"}
    ]
    for path in sorted((shared / "corpora/flanker/messages").rglob("*.eml")):
        bodies += _attached(path.read_bytes())
    assert bodies

    for body in bodies:
        with suppress(RefusedPictureError, OSError):  # one breaks off
            assert all(not opened(file).getexif() for file in shrink(body))


def _attached(message: bytes) -> list[bytes]:
    parts = email.message_from_bytes(message).walk()
    bodies = (
        p.get_payload(decode=True)
        for p in parts
        if "image/" in str(p.get_content_type())
    )
    return [body for body in bodies if isinstance(body, bytes)]
