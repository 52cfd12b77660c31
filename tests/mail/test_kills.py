"""A worker that is killed at any place of a sending: the mail arrives once, or not at all."""

import os
from pathlib import Path

import pytest
from mail_catcher import Catcher
from test_post import Sent

import programs
from offhook import failpoints
from offhook.db import Database
from offhook.mail.models import State
from offhook.settings import Settings
from web_fixtures import Person

pytestmark = [pytest.mark.kills, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("OFFHOOK_KILLS", "1"))
PROGRAM = Path(__file__).with_name("send_and_die.py")


async def run(mailing: Settings, team_id: str, mail_id: str, place: str) -> int:
    """Send in a process of its own; its exit status."""
    given = {
        "OFFHOOK_HOME": mailing.home,
        "OFFHOOK_DATABASE_URL": mailing.database_url.get_secret_value(),
        "OFFHOOK_SMTP_HOST": mailing.smtp_host,
        "OFFHOOK_SMTP_PORT": str(mailing.smtp_port),
        "OFFHOOK_SMTP_TLS": "none",
        failpoints.ENVIRONMENT: place,
    }
    process = await programs.start(PROGRAM, team_id, mail_id, **given)
    return await process.wait()


@pytest.mark.parametrize(
    ("place", "arrived", "state"),
    [
        ("mail.accepted", 0, State.SENT),  # nothing had left: it is sent again
        ("mail.handing", 0, State.UNKNOWN),  # it may have left: it is not
        ("mail.taken", 1, State.UNKNOWN),  # it has
    ],
)
async def test_a_mail_never_arrives_twice(
    mailing: Settings,
    database: Database,
    team: Person,
    catcher: Catcher,
    place: str,
    arrived: int,
    state: State,
) -> None:
    outbox = Sent(mailing, database, team.team_id)
    for _ in range(KILLS):
        catcher.caught.clear()
        mail_id = await outbox.send()
        assert mail_id is not None
        assert await run(mailing, team.team_id, mail_id, place) == failpoints.EXIT_STATUS
        assert len(catcher.caught) == arrived
        row = await outbox.deliver(mail_id)
        assert row.state is state
        assert len(catcher.caught) == (1 if state is State.SENT else arrived)
