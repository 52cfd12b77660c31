"""A member asks for a person, by REST and on the page: event and mail, once until seen to (I6)."""

import pytest
from sqlalchemy import select

from number_fixtures import make_agent, make_enabled
from offhook import db, inbox, mail, notices
from offhook.db import Database, EventRow, Jobs
from offhook.inbox import Channel
from offhook.mail.service import letter_of
from offhook.settings import Settings
from offhook.vault import open_vault
from web_fixtures import Person, Site, new_member, new_owner

ANN = "+14155550199"
NEEDED = "conversation.human_required"


@pytest.fixture
def rooms() -> tuple[str, ...]:
    return ("teams", "contacts", "tasks", "inbox", "notices")


@pytest.fixture(autouse=True)
def joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are told to notices alone."""
    monkeypatch.setattr("offhook.db.outbox._hooks", [])
    db.when_published(notices.published)


async def thread_of(database: Database, team: str) -> str:
    number = await make_enabled(database, team, await make_agent(database, team))
    async with database.team(team) as session:
        opened = await inbox.open_conversation(
            session, team, channel=Channel.SMS, number_id=number, sender=ANN
        )
    return opened.id


async def told(database: Database, team: str) -> list[str]:
    """Why a person was needed, by the events."""
    async with database.team(team) as session:
        rows = await session.scalars(select(EventRow).where(EventRow.name == NEEDED))
        return sorted(row.payload["reason"] for row in rows)


async def mailed(database: Database, settings: Settings, team: str) -> list[str]:
    """Who was mailed the conversation's address, after the worker's turn."""
    jobs = Jobs(database)
    notices.register_jobs(jobs, database)

    async def leave(**_: object) -> None:
        """Whether mail leaves is mail's own matter."""

    jobs.add("mail.send", leave)
    await jobs.run_due()
    vault, found = open_vault(settings), list[str]()
    async with database.team(team) as session:
        for row in await session.scalars(select(mail.Mail)):
            if "/inbox/" in mail.render(letter_of(row, vault), settings.web_url).text:
                found.append(row.recipient)
    return sorted(found)


async def test_a_person_asked_for_by_a_member_is_announced_and_mailed_once_until_seen_to(
    site: Site, settings: Settings, owner: Person
) -> None:
    database, team = site.database, owner.team_id
    member = await new_member(database, team)
    both = sorted([owner.email, member.email])
    thread = await thread_of(database, team)
    by_page, by_rest = site.client(member), site.program(await site.key(owner))
    here = f"/api/v1/conversations/{thread}/person"

    act = {"ids": thread, "act": "need_person", "value": "Wants a refund"}
    assert (await by_page.post("/inbox/acts", data=act)).status_code in {200, 204, 303}
    assert (await by_rest.get(f"/api/v1/conversations/{thread}")).json()["person_needed"] == (
        "Wants a refund"
    )
    assert await mailed(database, settings, team) == both
    again = await by_rest.post(here, json={"reason": "Still waiting"})
    assert again.json()["person_needed"] == "Still waiting"
    assert await told(database, team) == ["Wants a refund"]
    assert await mailed(database, settings, team) == both

    assert (await by_rest.delete(here)).json()["person_needed"] == ""
    assert (await by_rest.post(here, json={"reason": "Again"})).status_code == 200
    assert await told(database, team) == ["Again", "Wants a refund"]
    assert await mailed(database, settings, team) == sorted(both * 2)

    stranger = site.program(await site.key(await new_owner(database)))
    assert (await stranger.post(here, json={"reason": "Mine"})).status_code == 404
    assert len(await told(database, team)) == 2
