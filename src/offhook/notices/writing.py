"""From an event to the letter that tells it. What is not in the event is read from its room."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from offhook import billing, numbers, teams
from offhook.db import EventRow, Session
from offhook.notices import letters
from offhook.notices.kinds import Kind
from offhook.notices.letters import Notice
from offhook.usage import Service
from offhook.web import money_text

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Team:
    """Whom the event is about."""

    id: str
    name: str
    zone: str


Write = Callable[[Session, Team, Payload], Awaitable[Notice | None]]


async def _person_needed(session: Session, team: Team, told: Payload) -> Notice:
    name = await _number_name(session, team, told["number_id"])
    return letters.PersonNeeded(
        team=team.name,
        number=name,
        is_call=told["channel"] == "call",
        path=f"/inbox/{told['conversation_id']}",
    )


async def _limit(
    session: Session, team: Team, told: Payload, letter: type[letters.LimitNear]
) -> Notice:
    resets = moment(datetime.fromisoformat(told["resets_at"]), team.zone)
    if told["scope"] == "spend_cap":
        currency = told["currency"]
        return letter(
            team=team.name,
            of="what a month costs",
            used=f"{told['charged']} {currency}",
            limit=f"{told['cap']} {currency}",
            resets=resets,
            path="/usage",
        )
    is_calls = Service(told["service"]) is Service.CALLS
    unit = "minutes" if is_calls else "messages"
    name = await _number_name(session, team, told["number_id"])
    return letter(
        team=team.name,
        of=f"{'calls' if is_calls else 'texts'} of {name}",
        used=f"{told['used']:,} {unit}",
        limit=f"{told['limit']:,} {unit}",
        resets=resets,
        path=f"/numbers/{told['number_id']}",
    )


async def _near(session: Session, team: Team, told: Payload) -> Notice:
    return await _limit(session, team, told, letters.LimitNear)


async def _reached(session: Session, team: Team, told: Payload) -> Notice:
    return await _limit(session, team, told, letters.LimitReached)


async def _payment(session: Session, team: Team, told: Payload) -> Notice | None:
    """Of an invoice; who buys a number sees the refusal on the page."""
    reference, code = told["reference"], told["decline_code"]
    found = await billing.not_paid(session, team.id, reference, code)
    if found is None:
        return None
    return letters.PaymentFailed(
        team=team.name,
        invoice=found.number,
        due=money_text(found.due),
        why=found.why,
        until=day(found.until, team.zone),
    )


async def _suspended(_session: Session, team: Team, _told: Payload) -> Notice:
    return letters.Suspended(team=team.name)


async def _restored(_session: Session, team: Team, _told: Payload) -> Notice:
    return letters.Restored(team=team.name)


async def _releasing(_session: Session, team: Team, told: Payload) -> Notice:
    at = datetime.fromisoformat(told["releases_at"])
    return letters.Releasing(team=team.name, days=told["days"], at=moment(at, team.zone))


TOLD: Mapping[str, tuple[Kind, Write]] = {
    "conversation.human_required": (Kind.PERSON, _person_needed),
    "limit.warning": (Kind.LIMITS, _near),
    "limit.reached": (Kind.LIMITS, _reached),
    "payment.failed": (Kind.PAYMENTS, _payment),
    "subscription.suspended": (Kind.PAYMENTS, _suspended),
    "subscription.restored": (Kind.PAYMENTS, _restored),
    "subscription.releasing": (Kind.PAYMENTS, _releasing),
}
"""Which events are mailed, to whom, and who writes the letter."""


def key_of(row: EventRow) -> str:
    """What is told once: an invoice that failed, however often it is tried; else the event."""
    if row.name == "payment.failed":
        return f"{row.name}:{row.payload['reference']}"
    return row.id


async def team_of(session: Session, team_id: str) -> Team:
    row = await teams.team(session, team_id)
    return Team(row.id, row.name, await teams.zone(session, team_id))


async def _number_name(session: Session, team: Team, number_id: str) -> str:
    label = (await numbers.labels(session, team.id)).get(number_id)
    return label.text if label else "a number"


def host(url: str) -> str:
    return urlsplit(url).hostname or url[:80]


def day(at: datetime, zone: str) -> str:
    """`14 Dec 2026` in the team's zone."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y}"


def moment(at: datetime, zone: str) -> str:
    """`14 Dec 2026, 09:00 (Europe/Paris)`."""
    return f"{day(at, zone)}, {at.astimezone(ZoneInfo(zone)):%H:%M} ({zone})"
