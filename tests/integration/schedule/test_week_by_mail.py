"""A week run from the desk's mail alone: a draft, its link, a button, the post."""

import re
from dataclasses import replace
from datetime import datetime

from starlette.testclient import TestClient

from digest.domain.calendar import Approval
from digest.domain.states import EditionState
from digest.web.app import make_app
from tests.integration.schedule.newsroom import DUE, HOUR, Newsroom
from tests.posting import audit_of, mark_sent, notices_of


def press(room: Newsroom, at: datetime, do: str, **form: str) -> str:
    """Open the newest link that the desk was mailed, and press a button there."""
    path = re.findall(r"/review/[a-z2-7]+", notices_of(room.db)[-1].text)[0]
    service = replace(room.service, clock=lambda: at)
    with TestClient(make_app(service, answer_after=0)) as client:
        page = client.get(path).text
        seen = re.findall(r'name="seen" value="([0-9a-f]{64})"', page)[0]
        return client.post(path, data={"do": do, "seen": seen} | form).text


def test_a_week_is_run_by_mail(room: Newsroom) -> None:
    room.set(approval=Approval.REQUIRED)
    room.tick(DUE - 2 * HOUR)
    press(room, DUE - HOUR, "save", subject="The council agrees on a budget")
    press(room, DUE - HOUR, "approve", because="The address is right.")

    room.tick(DUE)
    (edition,) = room.editions()
    mark_sent(room.db, edition.id, 1, at=DUE)

    assert edition.state is EditionState.SENDING
    assert edition.subject == "The council agrees on a budget"
    assert edition.released_at == DUE
    assert [
        action
        for action, actor in audit_of(room.db)
        if actor == "operator:editor@news.example.test"
    ] == ["edition.edited", "edition.approved"]


def test_an_issue_that_goes_by_itself_is_held_by_mail(room: Newsroom) -> None:
    room.set(approval=Approval.AUTO)
    room.tick(DUE - 2 * HOUR)
    press(room, DUE - HOUR, "hold", because="The vote was annulled.")

    room.tick(DUE)
    held = room.states()
    press(room, DUE + HOUR, "approve", because="Mended.")
    room.tick(DUE + HOUR)

    assert held == ["draft"]
    assert room.states() == ["sending"]
