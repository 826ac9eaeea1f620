"""The secrets of one installation, as values."""

import hashlib
import hmac
from dataclasses import dataclass

from digest.domain.tokens import TokenKeys


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What is kept under `HOME/keys` besides the DKIM key.

    Attributes:
        tokens: Keys that sign links and envelope addresses.
        address_key: 32 octets that key the hash of addresses; never rotated,
            since suppressions of erased readers are only known by that hash.
    """

    tokens: TokenKeys
    address_key: bytes

    def hash_address(self, address_key: str) -> str:
        """Hash an address so that it can be recognised but not read back.

        Args:
            address_key: The folded address, as `EmailAddress.key` gives it.

        Returns:
            64 hexadecimal digits: HMAC-SHA-256 (RFC 2104).
        """
        return hmac.digest(
            self.address_key, address_key.encode("utf-8"), hashlib.sha256
        ).hex()

    def hash_name(self, kind: str, name: str) -> str:
        """Hash what limits are kept for, a network or an inbox, apart from addresses.

        Args:
            kind: What it is the name of.
            name: The name.

        Returns:
            64 hexadecimal digits, never an address's hash.
        """
        # No address holds a NUL.
        return self.hash_address(f"{kind}\0{name}")
