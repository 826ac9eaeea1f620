"""How large a picture is shown: in its own proportions, never enlarged."""

from hypothesis import given, strategies as st

from digest.domain.pictures import PictureFile, PictureKind, fit

SIDES = st.integers(1, 5000)


def make_file(width: int, height: int) -> PictureFile:
    return PictureFile(hash="0" * 64, kind=PictureKind.PNG, width=width, height=height)


def test_a_file_twice_as_wide_is_shown_at_half_its_size() -> None:
    assert fit(make_file(1200, 675), width=600, height=800) == (600, 338)


def test_a_tall_one_is_bounded_by_height() -> None:
    assert fit(make_file(600, 1200), width=600, height=800) == (400, 800)


def test_a_narrow_one_keeps_its_size() -> None:
    assert fit(make_file(320, 180), width=600, height=800) == (320, 180)


@given(width=SIDES, height=SIDES, box=st.tuples(SIDES, SIDES))
def test_it_fits_its_box_undistorted(
    width: int, height: int, box: tuple[int, int]
) -> None:
    shown = fit(make_file(width, height), width=box[0], height=box[1])

    assert 1 <= shown[0] <= min(width, box[0])
    assert 1 <= shown[1] <= min(height, box[1])
    assert abs(shown[0] * height - shown[1] * width) <= (width + height)


def test_it_is_served_under_its_content_and_kind() -> None:
    assert make_file(1, 1).path == f"/pictures/{'0' * 64}.png"
