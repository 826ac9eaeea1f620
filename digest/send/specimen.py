"""Specimens: an edition's letters as they would be posted, to a reader nobody is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.domain.deliveries import Delivery
from digest.domain.editions import Edition, Variant
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.states import DeliveryState
from digest.mail import verification
from digest.mail.dkim import Signer
from digest.send.letter import EditionLetters
from digest.send.release import imprint_of

READER = "reader@example.com"


@dataclass(frozen=True, kw_only=True)
class Specimens:
    """Writes specimens, and verifies their signatures.

    Attributes:
        site: The public addresses.
        secrets: Keys of tokens and message ids.
        find_signer: Returns what signs each letter; None: nobody does, or the relay.
        now: The present, for Date.
    """

    site: Site
    secrets: Secrets
    find_signer: Callable[[], Signer | None]
    now: datetime

    def write(
        self, edition: Edition, newsletter: Newsletter, variants: Sequence[Variant]
    ) -> list[bytes]:
        """Write one letter of each variant, by the way of every other letter.

        Args:
            edition: The edition.
            newsletter: Its newsletter.
            variants: Renderings with slots, each with an id of its own.

        Raises:
            DigestError: Something cannot stand in a letter, or the key cannot be read.
        """
        letters = EditionLetters(
            imprint_of(edition, newsletter, self.site),
            variants,
            secrets=self.secrets,
            signer=self.find_signer(),
        )
        return [
            letters.write(self._nobody(variant), dated_at=self.now).message
            for variant in variants
        ]

    def find_fault(self, message: bytes) -> str | None:
        """Say what is wrong with a specimen's signature; None: nothing."""
        signer = self.find_signer()
        return verification.find_fault(message, signer.public_key) if signer else None

    def _nobody(self, variant: Variant) -> Delivery:
        # No row has the id 0: the links of a specimen act on nobody.
        return Delivery(
            id=0,
            edition_id=variant.edition_id,
            subscription_id=0,
            variant_id=variant.id,
            address=READER,
            confirmed_on=self.now.date(),
            key_id=self.secrets.tokens.current,
            state=DeliveryState.QUEUED,
            attempts=0,
            refusals=0,
            first_attempt_at=None,
            dated_at=None,
        )
