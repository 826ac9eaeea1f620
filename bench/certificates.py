"""Certificates of a day's authority: a good one, and those that must be refused."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from digest.bootstrap import utc_now

_DAY = timedelta(days=1)
_HERE = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
)
_ELSEWHERE = x509.SubjectAlternativeName([x509.DNSName("mail.example.com")])


def write_all(folder: Path) -> None:
    """Write `ca.pem`, and with its key each of a good one and three bad ones."""
    authority, own = _name("Trial authority"), ec.generate_private_key(ec.SECP256R1())
    root = _sign(own.public_key(), authority, issuer=authority, signer=own, is_ca=True)
    (folder / "ca.pem").write_bytes(root.public_bytes(Encoding.PEM))
    for name, where, from_now in (
        ("good", _HERE, _DAY),
        ("expired", _HERE, -_DAY),
        ("named-otherwise", _ELSEWHERE, _DAY),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        found = _sign(
            key.public_key(),
            _name(name),
            issuer=authority,
            signer=own,
            where=where,
            until=from_now,
        )
        _write(folder / f"{name}.pem", key, found)
    key = ec.generate_private_key(ec.SECP256R1())
    alone = _name("self-signed")
    found = _sign(key.public_key(), alone, issuer=alone, signer=key, where=_HERE)
    _write(folder / "self-signed.pem", key, found)


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _sign(
    key: ec.EllipticCurvePublicKey,
    subject: x509.Name,
    *,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    where: x509.SubjectAlternativeName | None = None,
    until: timedelta = _DAY,
    is_ca: bool = False,
) -> x509.Certificate:
    now = utc_now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if where is not None:
        builder = builder.add_extension(where, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _write(
    path: Path, key: ec.EllipticCurvePrivateKey, found: x509.Certificate
) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + found.public_bytes(Encoding.PEM))
