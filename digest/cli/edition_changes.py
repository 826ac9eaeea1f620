"""Read what `editions` is told: an edition, and stories as `12,13` or `12:Words`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from digest.compose.edit import StoryWords
from digest.domain.errors import UsageError

EditionId = Annotated[
    int, typer.Argument(metavar="ID", help="Its number: digest editions list")
]


def parse_ids(texts: Sequence[str]) -> list[int]:
    """Read article ids, given one by one or with commas.

    Raises:
        UsageError: One is not a number.
    """
    words = [w.strip() for text in texts for w in text.split(",") if w.strip()]
    wrong = next((w for w in words if not w.isdecimal()), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no article id.", "Ids are numbers; see: digest articles list"
        )
    return [int(word) for word in words]


def parse_moves(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Read `ARTICLE:POSITION` pairs.

    Raises:
        UsageError: One is not of that shape.
    """
    moves = []
    for text in texts:
        article, _, position = text.partition(":")
        if not (article.strip().isdecimal() and position.strip().isdecimal()):
            raise UsageError(
                f"{text!r} is no move.", "Write it as ARTICLE:POSITION: --move 12:3"
            )
        moves.append((int(article), int(position)))
    return moves


def story_words(given: Mapping[str, Sequence[str]]) -> dict[int, StoryWords]:
    """Read `ARTICLE:WORDS` pairs, by the field they are for.

    Raises:
        UsageError: One has no article id before its colon.
    """
    words: dict[int, dict[str, str]] = {}
    for name, texts in given.items():
        for text in texts:
            article, colon, value = text.partition(":")
            if not (colon and article.strip().isdecimal()):
                raise UsageError(
                    f"{text!r} names no article.",
                    f"Write it as ARTICLE:WORDS: --{name} '12:…'",
                )
            words.setdefault(int(article), {})[name] = value.strip()
    return {article: StoryWords(**values) for article, values in words.items()}
