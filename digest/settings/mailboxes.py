"""Mailboxes that mail is read from, where a host cannot hand it to a port."""

from typing import Annotated, Literal, Self

import pydantic
from pydantic import BeforeValidator, Field

from digest.domain.hosts import is_loopback
from digest.settings.parts import Line, Part, Place, Secret, Word, matching, read_list

# What is not ASCII in a name would need RFC 3501 §5.1.3.
FolderName = Annotated[str, matching(r"^[ -~]+$")]
FieldName = Annotated[str, matching(r"^[!-9;-~]+$")]
Fields = Annotated[list[FieldName], BeforeValidator(read_list), Field(min_length=1)]


class MailboxSettings(Part):
    """How mailboxes are read."""

    look_every: float = Field(
        default=20, ge=1, le=3600, description="Seconds between two looks."
    )
    recipient_fields: Fields = Field(
        default=["X-Original-To", "Delivered-To", "Envelope-To", "To"],
        description="Header fields that name the recipient, the most trusted first.",
    )


class MaildirSettings(Part):
    """A Maildir on this machine."""

    folder: Place | None = Field(
        default=None, description="The folder that holds new, cur and tmp."
    )


class ImapSettings(Part):
    """A mailbox on an IMAP server."""

    host: Word | None = Field(default=None, description="Name of the server.")
    port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    security: Literal["none", "starttls", "tls"] = Field(
        default="tls", description="`none`: to this machine only."
    )
    username: Line | None = Field(default=None, description="Account there.")
    password: Secret | None = Field(default=None, description="Its password.")
    folder: FolderName = Field(default="INBOX", description="What is read.")
    done: FolderName = Field(default="Done", description="Where what was taken goes.")
    refused: FolderName = Field(
        default="Refused", description="Where what is not for us goes."
    )

    @pydantic.model_validator(mode="after")
    def _check_account(self) -> Self:
        if self.host is None:
            return self
        if self.username is None or self.password is None:
            raise ValueError("it needs a username and a password")
        if self.security == "none" and not is_loopback(self.host):
            # RFC 8314 §3: a password never travels in the clear.
            raise ValueError("beyond this machine it needs security starttls or tls")
        if len({self.folder, self.done, self.refused}) < 3:  # noqa: PLR2004 - all three
            raise ValueError("folder, done and refused are three folders")
        return self
