"""Quick HMAC and base32 agree with the library's slower ones."""

import base64
import hmac

from hypothesis import given, strategies as st

from digest.domain.macs import base32, mac


@given(st.binary(min_size=1, max_size=100), st.binary(max_size=200))
def test_mac_is_hmac_sha_256(key: bytes, message: bytes) -> None:
    assert mac(key, message) == hmac.digest(key, message, "sha256")


@given(st.binary(max_size=60))
def test_base32_is_the_librarys_without_padding(octets: bytes) -> None:
    assert base32(octets) == base64.b32encode(octets).decode().rstrip("=").lower()
