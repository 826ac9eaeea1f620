"""Which stories an edition takes, and their order."""

import pytest

from digest.compose.order import arrange, choose, lead_with, move_to
from digest.domain.articles import Article
from digest.domain.errors import NotFoundError, StateError
from tests.builders import make_newsletter
from tests.weeks import make_story

WEEKLY = make_newsletter()


def make_article(
    number: int, section: str | None = "news", *, featured: bool = False
) -> Article:
    return Article(
        id=number,
        newsletter_id=1,
        title=f"Story {number}",
        section=section,
        featured=featured,
        word_count=10,
    )


def test_a_featured_story_leads() -> None:
    articles = [make_article(1), make_article(2, "arts", featured=True)]

    choice = choose(articles, WEEKLY, picked=False)

    assert [s.article_id for s in choice.stories] == [2, 1]


def test_without_a_featured_story_the_newest_news_leads() -> None:
    articles = [make_article(1, "arts"), make_article(2), make_article(3)]

    choice = choose(articles, WEEKLY, picked=False)

    assert [s.article_id for s in choice.stories] == [2, 3, 1]


def test_without_news_the_newest_story_leads() -> None:
    choice = choose(
        [make_article(1, "arts"), make_article(2, "features")], WEEKLY, picked=False
    )

    assert choice.stories[0].article_id == 1


def test_takes_no_more_than_a_section_has_room_for_and_says_so() -> None:
    articles = [make_article(n, "arts") for n in range(1, 6)]

    choice = choose(articles, WEEKLY, picked=False)

    assert [s.article_id for s in choice.stories] == [1, 2, 3]
    assert choice.notes == ("No room in their sections for: 4, 5. Add with --add.",)


def test_leaves_out_nothing_a_person_picked() -> None:
    articles = [make_article(n, "arts") for n in range(5, 0, -1)]

    choice = choose(articles, WEEKLY, picked=True)

    assert [s.article_id for s in choice.stories] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(("section", "named"), [(None, ""), ("sport", " (sport)")])
def test_stories_without_a_section_go_to_the_first_and_are_named(
    section: str | None, named: str
) -> None:
    choice = choose([make_article(7, section)], WEEKLY, picked=False)

    assert choice.stories[0].section == "news"
    assert choice.notes == (
        f"Article 7 has no section here{named}: it stands in News & Politics.",
    )


def test_orders_by_section_behind_the_lead() -> None:
    stories = [
        make_story(1, section="arts"),
        make_story(2, section="arts"),
        make_story(3, section="gone"),
        make_story(4, section="news"),
    ]

    arranged = arrange(stories, WEEKLY)

    assert [(s.article_id, s.position) for s in arranged] == [
        (1, 1),
        (4, 2),
        (2, 3),
        (3, 4),
    ]


def test_the_former_lead_follows_the_new_one() -> None:
    stories = [make_story(n) for n in (1, 2, 3)]

    assert [s.article_id for s in lead_with(stories, 3)] == [3, 1, 2]


@pytest.mark.parametrize(
    ("article", "position", "order"),
    [(3, 1, [3, 1, 2]), (1, 3, [2, 3, 1]), (2, 2, [1, 2, 3])],
)
def test_moves_a_story_to_a_position(
    article: int, position: int, order: list[int]
) -> None:
    stories = [make_story(n) for n in (1, 2, 3)]

    assert [s.article_id for s in move_to(stories, article, position)] == order


@pytest.mark.parametrize("position", [0, 4])
def test_refuses_a_position_that_does_not_exist(position: int) -> None:
    with pytest.raises(StateError, match="has 3 stories"):
        move_to([make_story(n) for n in (1, 2, 3)], 1, position)


def test_says_which_stories_there_are_when_one_is_not_carried() -> None:
    with pytest.raises(NotFoundError, match="It carries: 1"):
        lead_with([make_story(1)], 9)
