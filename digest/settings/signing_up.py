"""What sign-ups are held to."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from digest.domain.allowances import SignUpRules
from digest.settings.parts import Letters, Part, Word, read_list


def _fold(pattern: str) -> str:
    return pattern.lower()


Patterns = Annotated[
    list[Annotated[Word, AfterValidator(_fold)]], BeforeValidator(read_list)
]


class SignUpSettings(Part):
    """Who may ask for letters how often."""

    per_network: Letters = Field(
        default=30, description="Sign-ups an hour from one network."
    )
    per_mailbox: Letters = Field(
        default=3, description="Confirmation letters a day to one inbox."
    )
    altogether: Letters = Field(
        default=3000, description="Confirmation letters an hour to everybody."
    )
    pending_days: int = Field(
        default=30,
        ge=8,  # a confirmation link works for 7
        le=365,
        description="Days until an address that was never confirmed is forgotten.",
    )
    disposable_domains: Patterns = Field(
        default=[
            "*10minutemail*",
            "*discard.email",
            "*dispostable*",
            "*getnada*",
            "*guerrillamail*",
            "*maildrop*",
            "*mailinator*",
            "*sharklasers*",
            "*temp-mail*",
            "*tempmail*",
            "*throwaway*",
            "*trashmail*",
            "*yopmail*",
        ],
        description="Domains the operator is warned of; nobody is refused for them.",
    )

    @property
    def rules(self) -> SignUpRules:
        """The rules these values make."""
        return SignUpRules(
            per_network=self.per_network,
            per_mailbox=self.per_mailbox,
            altogether=self.altogether,
            disposable_domains=self.disposable_domains,
        )
