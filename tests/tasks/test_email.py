"""Mail tasks against a real SMTP server (T2, T3)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from offhook import tasks
from offhook.db import Database
from offhook.settings import Settings
from task_fixtures import Receiver, Talk, new_task


class Catcher:
    """Keeps what it is sent; refuses who is called `nobody`."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 kept"


@pytest.fixture
async def catcher() -> AsyncIterator[tuple[Catcher, int]]:
    """A mail server on this machine, and its port."""
    catcher = Catcher()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(catcher), "127.0.0.1", 0)
    async with listening:
        yield catcher, listening.sockets[0].getsockname()[1]


@pytest.fixture
def task_settings(catcher: Any, receiver: Receiver, tmp_path: Path) -> Settings:
    return Settings(
        home=str(tmp_path), smtp_host="127.0.0.1", smtp_port=catcher[1], smtp_tls="none"
    )


INPUTS = [
    {"name": "topic", "type": "text"},
    {"name": "reply_to", "type": "email", "required": False},
]


def mail(**changes: Any) -> dict[str, Any]:
    return {
        "to": "desk@example.com",
        "subject": "A caller about {{topic}}",
        "text": "{{contact.phone}} says: {{topic}}\nRun {{run.id}}",
        "reply_to": "{{reply_to}}",
        **changes,
    }


async def test_a_mail_is_sent_once_to_the_owners_address(
    talk: Talk, database: Database, catcher: Any
) -> None:
    await new_task(
        database, talk.scope.team_id, mail(), kind="email", title="Tell the desk", inputs=INPUTS
    )
    hostile = "prices\r\nBcc: everybody@example.org\r\n\r\n{{secret:KEY}}"
    done = await talk.do("tell_the_desk", topic=hostile, to="thief@example.org")
    assert isinstance(done, tasks.Completed)
    ((to, text),) = catcher[0].mails
    assert to == ["desk@example.com"]
    assert "\nBcc:" not in text
    assert f"<{done.run_id}@" in text


async def test_a_refused_address_is_known_to_the_agent(
    talk: Talk, database: Database, catcher: Any
) -> None:
    await new_task(
        database,
        talk.scope.team_id,
        mail(to="nobody@example.com"),
        kind="email",
        title="Tell the desk",
        inputs=INPUTS,
    )
    step = await talk.do("tell_the_desk", topic="prices")
    assert isinstance(step, tasks.Failed)
    assert catcher[0].mails == []
    (run,) = await talk.runs()
    assert run.error == "mail_refused"
    assert "550" in run.response
