"""Who changed the state: every audit row names one (design rule 10)."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """Where a change came from."""

    OPERATOR = "operator"  # a person with an account on the desk
    READER = "reader"  # somebody holding a signed token
    SCHEDULE = "schedule"  # the calendar said it was due
    MAIL = "mail"  # an inbound message
    WORKER = "worker"  # the send worker
    CLI = "cli"  # whoever may run commands on the machine


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The author of a change.

    Attributes:
        kind: Where the change came from.
        name: An account or system user; never a reader's address.
    """

    kind: ActorKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)


READER = Actor(kind=ActorKind.READER)
WORKER = Actor(kind=ActorKind.WORKER)
SCHEDULE = Actor(kind=ActorKind.SCHEDULE)
