"""The DNS records a sending domain needs, ready to paste."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from digest.domain.hosts import is_loopback
from digest.mail.dkim import dns_record


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record to publish.

    Attributes:
        name: Fully qualified, with its final dot; a PTR's is in words.
        type: `TXT`, `MX`, `PTR`.
        value: As a zone file has it.
        purpose: What it is for.
    """

    name: str
    type: str
    value: str
    purpose: str


def wanted_records(*, mail_domain: str, base_url: str, relay_host: str) -> list[Record]:
    """List what to publish besides the DKIM key.

    Args:
        mail_domain: Of the addresses letters come from and bounces go to.
        base_url: Its host is taken for the machine that receives mail.
        relay_host: The relay; one elsewhere must be named in SPF.
    """
    web_host = urlsplit(base_url).hostname or mail_domain
    machine = mail_domain if is_loopback(web_host) else web_host
    relay = "mx" if is_loopback(relay_host) else f"mx a:{relay_host}"
    report = f"rua=mailto:postmaster@{mail_domain}"
    return [
        Record(
            name=f"{mail_domain}.",
            type="TXT",
            value=f'"v=spf1 {relay} -all"',
            purpose="SPF: who may send. A relay that names an include: wants that one.",
        ),
        Record(
            name=f"_dmarc.{mail_domain}.",
            type="TXT",
            value=f'"v=DMARC1; p=none; {report}"',
            purpose="DMARC: later p=quarantine, when reports show that all passes.",
        ),
        Record(
            name=f"{mail_domain}.",
            type="MX",
            value=f"10 {machine}.",
            purpose="Bounces, replies and unsubscriptions by mail arrive there.",
        ),
        Record(
            name=f"the address of {machine}",
            type="PTR",
            value=f"{machine}.",
            purpose="Set where the address is rented; the name must lead back to it.",
        ),
    ]


def dkim_record(pem: bytes, *, domain: str, selector: str) -> Record:
    """Make the record of a private key.

    Raises:
        DigestError: The key cannot be read or is of another kind.
    """
    record = dns_record(pem, domain=domain, selector=selector)
    return Record(
        name=f"{record.name}.",
        type="TXT",
        value=" ".join(f'"{piece}"' for piece in record.strings),
        purpose="DKIM: the public half of the key that signs.",
    )
