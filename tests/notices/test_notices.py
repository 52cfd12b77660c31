"""News reach the members who want them, once, and say what is to be done (I6, U9, W10)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from offhook import db, mail, notices
from offhook.billing.events import SubscriptionReleasing, SubscriptionSuspended
from offhook.db import Database, Event, EventRow, Jobs
from offhook.inbox.events import ConversationHumanRequired
from offhook.mail.service import letter_of
from offhook.notices import Kind, sending
from offhook.notices.jobs import TELL, tell_event
from offhook.notices.kinds import KINDS, gets
from offhook.settings import Settings
from offhook.teams import Role
from offhook.teams.models import User
from offhook.usage import Service
from offhook.usage.events import LimitReached, LimitWarning, Scope
from offhook.vault import open_vault
from offhook.webhooks import Endpoint
from offhook.webhooks.rules import EndpointKind, EndpointState
from web_fixtures import Person, Site, new_member, new_owner

RESETS = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)


@pytest.fixture
async def team(database: Database) -> Person:
    """The owner of a team in Paris."""
    return await new_owner(database, zone="Europe/Paris")


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are told to notices alone."""
    monkeypatch.setattr("offhook.db.outbox._hooks", [])
    db.when_published(notices.published)


async def publish(database: Database, event: Event) -> EventRow:
    async with database.team(event.team_id) as session:
        (row,) = await db.write_events(session, [event])
        return row


async def mailed(database: Database, settings: Settings, team_id: str) -> dict[str, str]:
    """Who was mailed, and under which subject."""
    async with database.team(team_id) as session:
        rows = (await session.scalars(select(mail.Mail).order_by(mail.Mail.recipient))).all()
    vault = open_vault(settings)
    letters = {row.recipient: letter_of(row, vault) for row in rows}
    return {to: mail.render(letter, settings.web_url).subject for to, letter in letters.items()}


def reached(team_id: str, kind: type[LimitWarning | LimitReached] = LimitReached) -> Event:
    return kind(
        team_id=team_id,
        number_id="num_gone",
        service=Service.CALLS,
        used=1300,
        held=0,
        limit=1300,
        resets_at=RESETS,
    )


@pytest.mark.usefixtures("joined")
async def test_a_limit_is_mailed_to_who_runs_the_team_once(
    database: Database, settings: Settings, team: Person
) -> None:
    admin = await new_member(database, team.team_id, Role.ADMIN)
    await new_member(database, team.team_id)
    await new_owner(database, "Other")
    event = await publish(database, reached(team.team_id))
    jobs = Jobs(database)
    notices.register_jobs(jobs, database)

    async def leave(**_: Any) -> None:
        """Whether mail leaves is mail's own matter."""

    jobs.add("mail.send", leave)
    await jobs.run_due()
    await tell_event(database, team.team_id, event.id)  # as after a kill
    told = await mailed(database, settings, team.team_id)
    assert told == dict.fromkeys(
        sorted([team.email, admin.email]), "The limit for calls of a number is reached"
    )


async def text_of(database: Database, settings: Settings, event: Event) -> str:
    row = await publish(database, event)
    await tell_event(database, event.team_id, row.id)
    async with database.team(event.team_id) as session:
        sent = (await session.scalars(select(mail.Mail))).one()
    return mail.render(letter_of(sent, open_vault(settings)), "https://o.example").text


async def test_a_limit_says_what_is_used_and_when_it_starts_anew(
    database: Database, settings: Settings, team: Person
) -> None:
    text = await text_of(database, settings, reached(team.team_id, LimitWarning))
    assert "Used: 1,300 minutes" in text
    assert "Starts anew: 1 Dec 2026, 00:00 (Europe/Paris)" in text
    assert "https://o.example/numbers/num_gone" in text
    assert "https://o.example/account/notices" in text


async def test_a_needed_person_is_told_where_and_no_word_of_what_was_said(
    database: Database, settings: Settings, team: Person
) -> None:
    event = ConversationHumanRequired(
        team_id=team.team_id,
        conversation_id="cnv_1",
        channel="sms",
        number_id="num_gone",
        reason="Zoë wants her money back",
    )
    text = await text_of(database, settings, event)
    assert "https://o.example/inbox/cnv_1" in text
    assert "Zoë" not in text


async def test_the_spend_cap_is_told_in_money(
    database: Database, settings: Settings, team: Person
) -> None:
    event = LimitReached(
        team_id=team.team_id,
        scope=Scope.SPEND_CAP,
        charged="50.00",
        cap="50.00",
        currency="USD",
        resets_at=RESETS,
    )
    text = await text_of(database, settings, event)
    assert "Limit: 50.00 USD" in text


async def test_a_suspended_team_hears_when_its_numbers_go_back(
    database: Database, settings: Settings, team: Person
) -> None:
    event = SubscriptionReleasing(team_id=team.team_id, days=7, releases_at=RESETS)
    text = await text_of(database, settings, event)
    assert "At 1 Dec 2026, 00:00 (Europe/Paris) its numbers go back" in text


async def test_an_endpoint_that_was_switched_off_is_told_without_its_path(
    database: Database, settings: Settings, team: Person
) -> None:
    endpoint = Endpoint(
        id="whe_1",
        team_id=team.team_id,
        kind=EndpointKind.URL,
        url="https://hooks.example.com/secret-path?token=1",
        name="",
        state=EndpointState.GONE,
        state_since=RESETS,
    )
    for _ in range(2):
        async with database.team(team.team_id) as session:
            await notices.endpoint_off(session, endpoint)
    told = await mailed(database, settings, team.team_id)
    assert told == {team.email: "The webhook endpoint hooks.example.com was switched off"}
    async with database.team(team.team_id) as session:
        row = (await session.scalars(select(mail.Mail))).one()
    assert "secret-path" not in str(row.fields)


async def test_other_events_enqueue_nothing(database: Database, team: Person, joined: None) -> None:
    class Quiet(Event):
        event = "test.quiet"

    await publish(database, Quiet(team_id=team.team_id))
    await publish(database, SubscriptionSuspended(team_id=team.team_id, state="suspended"))
    async with database.system() as session:
        jobs = await db.fetch(session, "SELECT task_name FROM procrastinate_jobs", {})
    assert jobs == [(TELL,)]


# --- Choosing ---


@pytest.mark.parametrize(
    ("kind", "role", "chosen", "told"),
    [
        (Kind.PERSON, Role.MEMBER, None, True),
        (Kind.PERSON, Role.OWNER, False, False),
        (Kind.LIMITS, Role.MEMBER, None, False),
        (Kind.LIMITS, Role.MEMBER, True, True),
        (Kind.LIMITS, Role.ADMIN, None, True),
        (Kind.PAYMENTS, Role.MEMBER, True, False),
        (Kind.PAYMENTS, Role.OWNER, None, True),
        (Kind.WEBHOOKS, Role.ADMIN, False, False),
    ],
)
def test_who_gets_what(kind: Kind, role: Role, chosen: bool | None, told: bool) -> None:
    assert gets(kind, role, chosen) is told


async def test_a_member_chooses_on_the_page(site: Site, team: Person) -> None:
    async with site.client(team) as client:
        page = (await client.get("/account/notices")).text
        assert page.count(" checked") == len(KINDS)
        done = await client.post("/account/notices", data={"wanted": ["person", "limits"]})
        assert done.status_code == 303
        assert (await client.get("/account/notices")).text.count(" checked") == 2
    async with site.database.team(team.team_id) as session:
        choices = await sending.of_member(session, team.team_id, team.user_id, Role.OWNER)
    assert [kind for kind, wanted in choices.items() if wanted] == [Kind.PERSON, Kind.LIMITS]


async def test_a_member_chooses_over_rest_and_a_key_has_no_mailbox(
    site: Site, team: Person
) -> None:
    member = await new_member(site.database, team.team_id)
    async with site.client(member) as client:
        listed = (await client.get("/api/v1/notices")).json()["items"]
        assert {each["kind"]: each["wanted"] for each in listed} == {
            "person": True,
            "limits": False,
            "webhooks": False,
        }
        put = await client.put("/api/v1/notices/limits", json={"wanted": True})
        assert put.json()["wanted"] is True
        refused = await client.put("/api/v1/notices/payments", json={"wanted": True})
        assert refused.status_code == 404
        assert (await client.put("/api/v1/notices/x", json={"wanted": True})).status_code == 422
    async with site.program(await site.key(team)) as program:
        told = await program.get("/api/v1/notices")
    assert (told.status_code, told.json()["code"]) == (409, "no_person")


async def test_a_member_who_cannot_be_written_to_keeps_no_other_from_being_told(
    database: Database, settings: Settings, team: Person
) -> None:
    """Addresses of before that mail cannot carry: theirs alone gets nothing."""
    other = await new_member(database, team.team_id, role=Role.ADMIN)
    async with database.system() as session:
        owner = await session.get_one(User, team.user_id)
        owner.email = "zoë@example.com"
    event = SubscriptionSuspended(team_id=team.team_id, state="suspended")
    async with database.team(team.team_id) as session:
        (row,) = await db.write_events(session, [event])
    await tell_event(database, team.team_id, row.id)
    assert list(await mailed(database, settings, team.team_id)) == [other.email]


async def test_a_choice_made_twice_at_once_is_one(database: Database, team: Person) -> None:
    async def choose() -> None:
        async with database.team(team.team_id) as session:
            await sending.choose(session, team.team_id, team.user_id, Kind.LIMITS, wanted=False)

    await asyncio.gather(*(choose() for _ in range(5)))
    async with database.team(team.team_id) as session:
        chosen = await sending.of_member(session, team.team_id, team.user_id, Role.OWNER)
    assert not chosen[Kind.LIMITS]
