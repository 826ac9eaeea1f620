"""What preflight says of pictures."""

from dataclasses import replace

from digest.compose.picture_rules import check_pictures
from digest.domain.articles import Image
from digest.domain.pictures import Picture
from tests.weeks import make_edition, make_story, our_picture

ELSEWHERE = Image(url="https://pictures.example.test/1.png", credit="Mona", alt="Lorry")


def narrow(width: int) -> Picture:
    file = replace(our_picture().large, width=width)
    return Picture(small=file, large=file)


def test_warns_of_a_picture_that_was_not_fetched() -> None:
    (found,) = check_pictures(make_edition(id=7), [make_story(2, image=ELSEWHERE)])

    assert (found.rule, found.where, found.is_warning) == ("picture", "article 2", True)
    assert "digest editions pictures 7" in found.message


def test_warns_of_a_lead_that_is_too_narrow_for_the_letter() -> None:
    (found,) = check_pictures(make_edition(), [make_story(1, picture=narrow(480))])

    assert (found.rule, found.is_warning) == ("picture-small", True)


def test_a_narrow_thumbnail_is_fine() -> None:
    assert not [*check_pictures(make_edition(), [make_story(2, picture=narrow(200))])]


def test_a_story_with_a_picture_of_ours_or_none_is_fine() -> None:
    stories = [make_story(1, image=ELSEWHERE, picture=our_picture()), make_story(2)]

    assert not [*check_pictures(make_edition(), stories)]
