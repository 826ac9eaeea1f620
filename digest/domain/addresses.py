"""E-mail addresses: parsed once at the edge, trusted inside.

What is stored is what goes into RCPT TO and what is shown, or it is refused. These
forms are valid by RFC 5321 and refused all the same, since programs on the way disagree
about them: quoted local parts, domain literals, names without a dot, and the relay
spellings `user%host` and `host!user`. Non-ASCII local parts (RFC 6531) are kept, in
Unicode form NFC; whether they can be sent to depends on the relay's SMTPUTF8.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import email_validator
from email_validator import EmailNotValidError

from digest.domain.errors import RefusedError

LOCAL_OCTETS = 64  # RFC 5321 §4.5.3.1.1
ADDRESS_OCTETS = 254  # RFC 5321 §4.5.3.1.3: a path of 256 less its brackets
_DOMAINS_KEPT = 65_536
_REASON_LENGTH = 160

# A dot-atom (RFC 5322 §3.2.3) without `!` and `%`. The dot is in no atom, so there is
# one way to match and no backtracking.
_ATOM = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


class AddressError(RefusedError):
    """The text is not an address we would write to."""


@dataclass(frozen=True, kw_only=True, slots=True)
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

    @property
    def mailbox(self) -> str:
        """The inbox it most likely ends in, for limits: many ignore dots and +tags."""
        local, _, domain = self.key.rpartition("@")
        return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def parse_address(text: str) -> EmailAddress:
    """Read one address.

    Args:
        text: An addr-spec; blanks and tabs around it are ignored.

    Returns:
        The address with its domain in A-label form.

    Raises:
        AddressError: It is malformed, too long (RFC 5321 §4.5.3.1) or of a form that
            this module refuses by policy.
    """
    given = text.strip(" \t")
    if len(given) > ADDRESS_OCTETS:
        raise _refuse(f"it is longer than {ADDRESS_OCTETS} characters")
    local, _, host = given.rpartition("@")
    if not _DOT_ATOM.fullmatch(local) or "=?" in local:
        local = _parse_unusual_local_part(given, local)
    domain = _parse_domain(host)
    if isinstance(domain, AddressError):
        raise AddressError(domain.message, domain.mend)
    if len(local.encode()) > LOCAL_OCTETS:
        raise _refuse(f"the part before the @ is longer than {LOCAL_OCTETS} octets")
    address = f"{local}@{domain}"
    if len(address.encode()) > ADDRESS_OCTETS:
        raise _refuse(f"it is longer than {ADDRESS_OCTETS} octets")
    return EmailAddress(address=address, domain=domain)


def _parse_unusual_local_part(given: str, local: str) -> str:
    """Read what is no plain dot-atom: international, or refused with its reason."""
    for sign, reason in (
        ("%", "a % before the @ is a relay route"),
        ("!", "a ! before the @ is a relay route"),
        ("=?", "an encoded-word is no part of an address"),
        ("\N{REPLACEMENT CHARACTER}", "it holds a character that could not be read"),
    ):
        if sign in local:
            raise _refuse(reason)
    try:
        found = email_validator.validate_email(
            given, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        raise _refuse(str(error)) from None
    return unicodedata.normalize("NFC", found.local_part)


@lru_cache(maxsize=_DOMAINS_KEPT)
def _parse_domain(host: str) -> str | AddressError:
    """Return the A-label form, or what is wrong: a list repeats few domains often."""
    try:
        found = email_validator.validate_email(
            f"a@{host}", check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        return _refuse(str(error))
    domain = found.ascii_domain.lower()
    if "." not in domain:
        return _refuse("The part after the @-sign should have a period.")
    return domain


def _refuse(reason: str) -> AddressError:
    short = reason[:_REASON_LENGTH].rstrip(".")
    return AddressError(f"Not an e-mail address: {short}.", "Check its spelling.")
