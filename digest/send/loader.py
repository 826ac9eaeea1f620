"""The loader: a claimed chunk's letters, ready to be carried."""

from digest.domain.deliveries import Imprint
from digest.send.job import Claim, Job
from digest.send.letter import EditionLetters
from digest.send.post import Clock, Post
from digest.storage import editions, open_letters
from digest.storage.chunks import Chunk
from digest.storage.engine import Tx

_EDITIONS_KEPT = 4


class Loader:
    """Loads chunks; what the letters of an edition share is made once.

    Args:
        post: The worker's rules.
        clock: The time.
    """

    def __init__(self, post: Post, *, clock: Clock) -> None:
        self._post = post
        self._clock = clock
        self._letters: dict[int, EditionLetters] = {}

    def load(self, claim: Claim, chunk: Chunk) -> list[Job]:
        """Load the letters of a chunk that are due; none where it is not carried.

        Raises:
            Exception: Whatever an edition holds that no letter can be made of.
        """
        if not chunk.is_carried:
            return []
        with self._post.db.read() as tx:
            writer = self._prepare(tx, chunk.edition_id).write
            found = open_letters.load(tx, chunk, now=self._clock())
        return [Job(claim=claim, letter=d, bar=bar, writer=writer) for d, bar in found]

    def _prepare(self, tx: Tx, edition_id: int) -> EditionLetters:
        """Make an edition's letters ready to be filled, once."""
        if (kept := self._letters.get(edition_id)) is not None:
            return kept
        if len(self._letters) >= _EDITIONS_KEPT:
            del self._letters[next(iter(self._letters))]
        frozen = editions.get(tx, edition_id).frozen
        assert frozen is not None, "a released edition is frozen"
        made = EditionLetters(
            Imprint(**frozen),
            editions.variants(tx, edition_id),
            secrets=self._post.secrets,
            signer=self._post.signer,
        )
        self._letters[edition_id] = made
        return made
