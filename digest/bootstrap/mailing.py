"""What letters leave by, as the settings say: the relay, the signer, both together."""

from datetime import datetime
from functools import cache, partial

from digest.compose.posting import Posting, Signature
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.mail.dkim import Signer
from digest.mail.relay import Relay
from digest.send.specimen import Specimens
from digest.settings import Settings


def make_relay(settings: Settings) -> Relay:
    """Return the server letters are handed to."""
    smtp = settings.smtp
    secret = smtp.password
    return Relay(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        username=smtp.username,
        password=None if secret is None else secret.get_secret_value(),
        messages_per_connection=smtp.messages_per_connection,
    )


def make_signer(settings: Settings) -> Signer | None:
    """Return what signs letters; None: the relay does, or there is no key yet.

    Raises:
        DigestError: The key cannot be read or is of another kind or too small.
    """
    path = settings.dkim_key_file
    named = settings.dkim.private_key_file is not None
    if settings.dkim.mode == "relay" or not (named or path.exists()):
        return None
    return Signer(settings.dkim_domain, settings.dkim.selector, path.read_bytes())


def make_posting(
    settings: Settings, site: Site, secrets: Secrets, *, now: datetime
) -> Posting:
    """Return how an installation would post letters."""
    signature = Signature.NOBODY
    if settings.is_signed:
        is_relay = settings.dkim.mode == "relay"
        signature = Signature.RELAY if is_relay else Signature.OURS

    specimens = Specimens(
        site=site,
        secrets=secrets,
        find_signer=cache(partial(make_signer, settings)),
        now=now,
    )
    return Posting(
        write=specimens.write,
        now=now,
        signature=signature,
        find_fault=specimens.find_fault,
        signing_domain=settings.dkim_domain,
        least_stories=settings.preflight.least_stories,
        refuses_few=settings.preflight.few_stories == "refuse",
    )
