"""The one place that builds objects from settings and hands them to faces.

Only this module reads the clock; everything below is given `now` or a `clock`.
`mailing` has the parts that letters leave by, `installing` makes what is lacking.
"""

import os
import secrets as random
import socket
import time
import zoneinfo
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from digest.bootstrap.mailing import make_posting, make_relay, make_signer
from digest.care import keys
from digest.care.installation import Guard
from digest.compose.freeze import freeze
from digest.compose.look import Looked, look
from digest.compose.posting import Posting
from digest.compose.preview import preview
from digest.dispatch.port import Dispatch, InProcess
from digest.dispatch.queue import Queue
from digest.domain.actor import SCHEDULE, WORKER, Actor
from digest.domain.addresses import EmailAddress
from digest.domain.deliveries import UncertainPolicy
from digest.domain.editions import Edition
from digest.domain.errors import StateError
from digest.domain.reviews import DeskMail
from digest.domain.secrets import Secrets
from digest.domain.site import Site
from digest.fetch import client
from digest.fetch.client import Fetcher, Limits
from digest.send import proof, release
from digest.send.post import Post
from digest.settings import Settings
from digest.storage import schema
from digest.storage.engine import Database
from digest.templating import Templates
from digest.timetable import asking
from digest.timetable.desk_letters import Draft

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Service:
    """What faces are given.

    Attributes:
        settings: For faces only; stages take plain arguments.
        db: The database, at the schema this version knows.
        site: Public addresses.
        secrets: Signing and hashing keys.
        templates: Letters and pages.
        clock: Returns the present instant, aware, UTC.
        dispatch: Wakes workers on other machines.
        guard: Says whether letters may go from here; None: they may.
    """

    settings: Settings
    db: Database
    site: Site
    secrets: Secrets
    templates: Templates
    clock: Clock
    dispatch: Dispatch = field(default_factory=InProcess)
    guard: Guard | None = None

    def now(self) -> datetime:
        """Read the clock."""
        return self.clock()

    def release(
        self, edition_id: int, *, actor: Actor, at: datetime | None = None
    ) -> Edition:
        """Give an approved edition to the post, rendering what is missing first.

        Args:
            edition_id: The edition.
            actor: Who releases.
            at: Only set the time; a worker releases it then.

        Raises:
            StateError: It is not approved, is no longer what was approved, was
                released before, has no readers, or the database is a copy.
            NotFoundError: There is no such edition.
        """
        if self.guard is not None:
            self.guard.require()
        while True:
            # Also when nothing is missing: it refuses what was changed since the
            # approval outside the edition, in the newsletter, a template, settings.
            freeze(
                self.db,
                edition_id=edition_id,
                templates=self.templates,
                site=self.site,
                now=self.now(),
            )
            # A reader may choose other sections just now: then render those too.
            with suppress(release.VariantsMissingError):
                return release.release(
                    self.db,
                    edition_id=edition_id,
                    site=self.site,
                    key_id=self.secrets.tokens.current,
                    actor=actor,
                    now=self.now(),
                    at=at,
                    dispatch=self.dispatch,
                )

    def posting(self) -> Posting:
        """Return how letters would be posted, for preflight."""
        return make_posting(self.settings, self.site, self.secrets, now=self.now())

    def look(self, edition_id: int, *, now: datetime | None = None) -> Looked:
        """Load an edition for somebody who has to decide about it.

        Raises:
            NotFoundError: There is no such edition.
        """
        return look(
            self.db,
            edition_id=edition_id,
            templates=self.templates,
            site=self.site,
            posting=self.posting(),
            now=now or self.now(),
        )

    def ask_desk(
        self,
        edition_id: int,
        what: DeskMail | None,
        *,
        actor: Actor,
        now: datetime,
        notes: Sequence[str] = (),
        addresses: Sequence[str] | None = None,
    ) -> int:
        """Mail a draft and its problems to the desk, with links that settle it.

        Args:
            edition_id: The edition.
            what: The occasion, which comes once; None: fresh links, once an hour.
            actor: Who asks.
            now: The present.
            notes: What else the desk should know.
            addresses: Who gets fresh links; None: everybody at the desk.

        Returns:
            How many letters; 0 where the desk was mailed before.

        Raises:
            NotFoundError: There is no such edition.
        """
        found = self.look(edition_id, now=now)
        draft = Draft(
            edition=found.edition,
            newsletter=found.newsletter,
            stories=found.stories,
            errors=found.errors,
            warnings=found.warnings,
            notes=notes,
        )
        return asking.ask(
            self.db,
            draft=draft,
            what=what,
            addresses=addresses,
            site=self.site,
            secrets=self.secrets,
            templates=self.templates,
            actor=actor,
            now=now,
        )

    def send_proof(
        self, edition_id: int, *, address: EmailAddress, actor: Actor
    ) -> int:
        """Queue a test letter of an edition in any state, as readers would get it.

        Returns:
            The notice's id.

        Raises:
            NotFoundError: There is no such edition.
        """
        found = preview(
            self.db, edition_id=edition_id, templates=self.templates, site=self.site
        )
        return proof.send(
            self.db,
            edition=found.edition,
            newsletter=found.newsletter,
            variant=found.variant,
            address=address,
            site=self.site,
            secrets=self.secrets,
            actor=actor,
            now=self.now(),
        )


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(tz=UTC)  # noqa: TID251 - the one place


def find_uptime() -> Callable[[], float] | None:
    """Return what tells the seconds since the host was started, asleep or not.

    None: this system has no such clock; one that stands still while the host sleeps
    would take each sleep for a clock that was set.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return None if boot is None else partial(time.clock_gettime, boot)


def find_database(settings: Settings) -> Database:
    """Return the database of an installation, whatever its schema.

    Raises:
        StateError: `init` has made none.
    """
    if settings.database.url is None and not (settings.home / "digest.db").exists():
        raise StateError(
            f"There is no installation in {settings.home}.", "Run: digest init"
        )
    return Database(settings.database_url)


def open_service(settings: Settings, *, clock: Clock = utc_now) -> Service:
    """Build what a face needs on an installation that `init` has made.

    Raises:
        StateError: There is no database yet, or its schema is another version's.
        SettingsError: The secret keys are missing or malformed.
    """
    pin_time_zones()
    db = find_database(settings)
    schema.require_current(db)
    return Service(
        settings=settings,
        db=db,
        site=make_site(settings),
        secrets=keys.read_secrets(settings.keys),
        templates=make_templates(settings),
        clock=clock,
        dispatch=make_dispatch(db, clock=clock),
        guard=Guard(db, settings.home, actor=WORKER, clock=clock),
    )


def pin_time_zones() -> None:
    """Take zones from the tzdata package only: a system's may be years old."""
    if zoneinfo.TZPATH:
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()


def make_dispatch(db: Database, *, clock: Clock) -> Dispatch:
    """Return how workers are woken: through PostgreSQL, or by nobody but themselves."""
    return InProcess() if db.is_sqlite else Queue(db.libpq_url, clock=clock)


def make_post(service: Service) -> Post:
    """Build what one send worker needs.

    Raises:
        DigestError: The DKIM key cannot be read.
    """
    settings = service.settings
    return Post(
        db=service.db,
        relay=make_relay(settings),
        connections=settings.smtp.connections,
        signer=make_signer(settings),
        site=service.site,
        secrets=service.secrets,
        uncertain=UncertainPolicy(settings.send.uncertain),
        worker=f"{socket.gethostname()[:40]}:{os.getpid()}:{random.token_hex(4)}",
        release=partial(service.release, actor=SCHEDULE),
        guard=service.guard,
        uptime=find_uptime(),
        retry=settings.send.retry.policy,
        rates=settings.rates,
        pause_share=settings.send.pause_policy_share,
        dispatch=service.dispatch,
    )


def make_fetcher(settings: Settings, *, limits: Limits | None = None) -> Fetcher:
    """Build the guarded HTTP client."""
    return client.make_fetcher(
        allow_private=settings.fetch.allow_private, limits=limits or Limits()
    )


def make_templates(settings: Settings) -> Templates:
    """Return the templates: those that were shipped, and the operator's layouts."""
    return Templates(own=settings.template_folder)


def make_site(settings: Settings) -> Site:
    """Return the public addresses."""
    return Site(
        base_url=settings.web.base_url,
        mail_domain=settings.mail.domain,
        takes_mail=settings.takes_mail,
    )
