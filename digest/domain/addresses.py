"""E-mail addresses: parsed once at the edge, trusted inside."""

from dataclasses import dataclass

import email_validator
from email_validator import EmailNotValidError

from digest.domain.errors import RefusedError


class AddressError(RefusedError):
    """The text is not an address we would write to."""


@dataclass(frozen=True, kw_only=True)
class EmailAddress:
    """An address as it is stored, shown and put into RCPT TO.

    Attributes:
        address: Local part as given, domain in its A-label form (RFC 5891).
        domain: The domain alone, lower case, A-label form.
    """

    address: str
    domain: str

    @property
    def key(self) -> str:
        """The folded form under which an address is unique here."""
        return self.address.lower()


def parse_address(text: str) -> EmailAddress:
    """Read one address.

    Args:
        text: An addr-spec; surrounding white space is ignored.

    Returns:
        The address with its domain in A-label form.

    Raises:
        AddressError: It is malformed, quoted, holds control characters, or its
            local part exceeds 64 octets (RFC 5321 §4.5.3.1.1).
    """
    try:
        found = email_validator.validate_email(
            text.strip(" \t"),
            check_deliverability=False,
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError as error:
        raise AddressError(
            f"Not an e-mail address: {error}", "Check its spelling."
        ) from None
    domain = found.ascii_domain.lower()
    return EmailAddress(address=f"{found.local_part}@{domain}", domain=domain)
