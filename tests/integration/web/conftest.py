"""The application on a test client, with a reader in each state."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from digest.bootstrap import Service
from digest.domain.actor import READER
from digest.domain.addresses import parse_address
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Origin, Subscription
from digest.domain.tokens import Purpose
from digest.storage import subscribers, subscriptions
from digest.subscriptions import opt_in, sign_up
from digest.web.app import make_app
from tests.builders import NOW, add_newsletter


@dataclass(frozen=True, kw_only=True)
class Web:
    """The pages, and what a test looks at behind them."""

    client: TestClient
    service: Service
    newsletter: Newsletter

    def held(self, address: str) -> Subscription:
        with self.service.db.read() as tx:
            reader = subscribers.find(tx, address)
            assert reader is not None
            return subscriptions.for_subscriber(tx, reader.id)[0]

    def token(self, purpose: Purpose, address: str) -> str:
        held = self.held(address)
        return self.service.secrets.tokens.issue(purpose, held.id, at=NOW)


@pytest.fixture
def web(service: Service) -> Iterator[Web]:
    """alice is active, bob is pending."""
    newsletter = add_newsletter(service.db)
    origin = Origin(source="test", wording="Yes.")
    opt_in.record(
        service.db,
        newsletter="weekly",
        address=parse_address("alice@example.test"),
        origin=origin,
        secrets=service.secrets,
        actor=READER,
        now=NOW,
    )
    sign_up.request(
        service.db,
        newsletter="weekly",
        address=parse_address("bob@example.test"),
        origin=origin,
        site=service.site,
        secrets=service.secrets,
        templates=service.templates,
        actor=READER,
        now=NOW,
    )
    with TestClient(make_app(service, answer_after=0)) as client:
        yield Web(client=client, service=service, newsletter=newsletter)
