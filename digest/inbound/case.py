"""One message that is acted upon, read, and with what answering it takes."""

from dataclasses import dataclass

from digest.bootstrap import Service
from digest.domain.actor import Actor, ActorKind
from digest.domain.addresses import AddressError, parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.own_mail import (
    InboxState,
    Incoming,
    MessageKind,
    Recipient,
    Verdict,
)
from digest.domain.subscribers import Origin
from digest.domain.tokens import Purpose
from digest.feedback.reading import Reading
from digest.storage import newsletters
from digest.subscriptions.by_mail import Means
from digest.subscriptions.mail_answers import Answered

MAIL = Actor(kind=ActorKind.MAIL)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One message, read, and what is needed to act upon it."""

    service: Service
    message: Incoming
    recipient: Recipient
    reading: Reading

    @property
    def means(self) -> Means:
        """What answers are written with."""
        return Means(
            db=self.service.db,
            site=self.service.site,
            secrets=self.service.secrets,
            templates=self.service.templates,
            now=self.service.now(),
        )

    @property
    def answered(self) -> Answered | None:
        """What to answer; None: this sender is never answered (RFC 3834 §2)."""
        reading = self.reading
        if reading.is_loop or reading.kind is MessageKind.AUTO_REPLY:
            return None
        try:
            sender = parse_address(self.message.sender)
        except AddressError:
            return None
        if sender.domain == self.service.site.mail_domain:
            return None
        return Answered(
            message=self.message.id, to=sender.address, message_id=reading.message_id
        )

    @property
    def is_from_its_author(self) -> bool:
        """Whether the envelope names the author too, which mail servers can check."""
        author = self.reading.author
        return author is not None and self.message.sender.lower() == author.key

    def done(self, why: str) -> Verdict:
        """Say that it is done with."""
        return Verdict(state=InboxState.DONE, kind=self.reading.kind, why=why)

    def quarantined(self, why: str) -> Verdict:
        """Say that an operator may want to look at it."""
        return Verdict(state=InboxState.QUARANTINED, kind=self.reading.kind, why=why)

    def has_token(self, purpose: Purpose) -> bool:
        """Tell whether the address holds a token that we made for a purpose."""
        tokens, now = self.service.secrets.tokens, self.service.now()
        return tokens.read(purpose, self.recipient.tag, now=now) is not None

    def origin(self, wording: str = "") -> Origin:
        """Return the evidence: which address it came to, without any token."""
        name = self.message.recipient.partition("@")[0].partition("+")[0]
        domain = self.service.site.mail_domain
        return Origin(source=f"mailto:{name}@{domain}", wording=wording)

    def find_newsletter(self) -> Newsletter | None:
        """Return the newsletter that the address names; None: there is none such."""
        with self.service.db.read() as tx:
            known = newsletters.list_all(tx)
        wanted = self.recipient.tag or known[0].slug
        return next((each for each in known if each.slug == wanted), None)
