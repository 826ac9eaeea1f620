"""What can become of a letter, as values."""

from dataclasses import dataclass

from digest.mail.reply import CLOSING, Reply, Stage


@dataclass(frozen=True)
class Accepted:
    """The server took responsibility for the letter."""

    reply: Reply


@dataclass(frozen=True)
class Refused:
    """The server, or we in its stead, said no: the letter was definitely not taken.

    Attributes:
        reply: The refusal; `judge` says what it means.
        stage: What it answered.
    """

    reply: Reply
    stage: Stage

    @property
    def is_closing(self) -> bool:
        """Whether the server hung up with it."""
        return self.reply.code == CLOSING


@dataclass(frozen=True)
class Broken:
    """The conversation ended without an answer.

    Attributes:
        stage: What was waited for.
        reason: One line for the log; holds no address and no password.
        after_dot: The letter had been written whole: whether it was taken cannot be
            known (RFC 1047).
    """

    stage: Stage
    reason: str
    after_dot: bool


@dataclass(frozen=True)
class Abandoned:
    """`before_data` said no; nothing of the letter was written."""


Outcome = Accepted | Refused | Broken | Abandoned
