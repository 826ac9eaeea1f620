"""A new confirmation letter by way of an old one's link."""

from datetime import datetime

from digest.domain.actor import Actor
from digest.domain.addresses import parse_address
from digest.domain.allowances import SignUpRules
from digest.domain.newsletters import Newsletter
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.domain.subscribers import Origin
from digest.storage import newsletters
from digest.storage.engine import Database
from digest.subscriptions import opt_in, sign_up
from digest.templating import Templates


def send_again(
    db: Database,
    *,
    token: str,
    origin: Origin,
    rules: SignUpRules,
    site: Site,
    secrets: Secrets,
    templates: Templates,
    actor: Actor,
    now: datetime,
) -> Newsletter | None:
    """Ask once more with an expired link, within the limits of `sign_up`.

    Returns:
        The newsletter, so that the page can speak its language; None for a link
        that is not ours. Whether a letter was mailed is not told.
    """
    with db.read() as tx:
        found = opt_in.find(tx, token, secrets, now)
        if found is None:
            return None
        newsletter = newsletters.get_by_id(tx, found.subscription.newsletter_id)
    assert found.reader.address is not None
    sign_up.request(
        db,
        newsletter=newsletter.slug,
        address=parse_address(found.reader.address),
        sections=found.subscription.sections,
        letter_format=found.subscription.format,
        by_holder=True,
        origin=origin,
        rules=rules,
        site=site,
        secrets=secrets,
        templates=templates,
        actor=actor,
        now=now,
    )
    return newsletter
