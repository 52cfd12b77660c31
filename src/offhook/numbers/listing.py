"""Numbers as lists show them: filtered, with their agents and their month; names for the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select

from offhook import agents, billing, usage
from offhook.db import Session
from offhook.numbers import rules
from offhook.numbers.models import Number
from offhook.numbers.rules import NumberStatus, Reason
from offhook.usage import Counted, Label, Service

LIKE_WILD = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; empty shows all that the team has now. `q` is part of a name or number."""

    q: str = ""
    status: str = ""
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    number: Number
    agent: agents.Agent | None
    use: Mapping[Service, Counted]
    trouble: str
    """Why an enabled number does not answer all the same (N11, UN12), or empty."""


def query(team_id: str, wanted: Filter) -> Select[Number]:
    found = select(Number).where(Number.team_id == team_id, Number.held_since.is_not(None))
    if wanted.status:
        found = found.where(Number.status == wanted.status)
    else:
        found = found.where(Number.status != NumberStatus.RELEASED)
    if wanted.agent_id:
        found = found.where(Number.agent_id == wanted.agent_id)
    if text := wanted.q.strip()[:80]:
        pattern = f"%{text.translate(LIKE_WILD)}%"
        digits = "".join(each for each in text if each.isdigit())
        matches: list[ColumnElement[bool]] = [Number.name.ilike(pattern, escape="\\")]
        if digits:
            matches.append(Number.e164.contains(digits, autoescape=True))
        found = found.where(or_(*matches))
    return found


async def rows(session: Session, team_id: str, wanted: Filter) -> list[Row]:
    """All numbers that match, by name, each with what the Telephony list shows."""
    ordered = query(team_id, wanted).order_by(Number.name, Number.id)
    numbers = (await session.scalars(ordered)).all()
    by_id = {agent.id: agent for agent in await agents.listed(session, team_id)}
    standing = await billing.standing(session, team_id)
    use: dict[str, dict[Service, Counted]] = {}
    for each in await usage.counted(session, team_id):
        use.setdefault(each.number_id, {})[each.service] = each
    return [
        Row(
            number,
            agent := by_id.get(number.agent_id or ""),
            use.get(number.id, {}),
            _trouble(number, agent, services_on=standing.services_on),
        )
        for number in numbers
    ]


async def labels(session: Session, team_id: str) -> Mapping[str, Label]:
    """What the team's numbers are called, deleted ones too (`usage.names_from`)."""
    found: Sequence[Number] = (
        await session.scalars(select(Number).where(Number.team_id == team_id))
    ).all()
    return {
        number.id: Label(number.name, number.e164, is_gone=number.status == NumberStatus.RELEASED)
        for number in found
    }


def _trouble(number: Number, agent: agents.Agent | None, *, services_on: bool) -> str:
    service = Service.CALLS if number.calls_enabled else Service.SMS
    reason = rules.not_answering(
        number.configuration,
        service,
        status=NumberStatus(number.status),
        services_on=services_on,
        agent_is_live=agent is not None and agent.status == agents.AgentStatus.LIVE,
    )
    return (
        {
            Reason.SUSPENDED: "Team suspended",
            Reason.AGENT_NOT_LIVE: "Agent not live",
        }.get(reason, "")
        if reason
        else ""
    )
