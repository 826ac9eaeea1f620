"""The one tree of errors that reach a person: what is wrong, and the mend."""


class DigestError(Exception):
    """Something a person can mend.

    Args:
        message: One line that says what is wrong.
        mend: One line that says what to do about it; may be empty.
    """

    exit_status = 1

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class UsageError(DigestError):
    """The command or form was used in a way it cannot be."""

    exit_status = 2


class SettingsError(UsageError):
    """A setting is unknown, missing or unreadable."""


class NotFoundError(DigestError):
    """A thing named by the caller does not exist."""


class StateError(DigestError):
    """The thing exists, but its state does not allow the change."""


class RefusedError(DigestError):
    """Input was refused at the door: too large, malformed or not permitted."""
