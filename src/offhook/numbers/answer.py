"""Whether a number answers, and as whom: what admission of calls and texts asks (C1, S1).

Reads only, all of it in one wait; takes no lock. Limits are not looked at here, they are `usage`'s.
"""

from dataclasses import dataclass

from sqlalchemy import select

from offhook import agents, billing
from offhook.db import Session
from offhook.numbers import rules
from offhook.numbers.models import Number
from offhook.numbers.problems import NumberNotFound
from offhook.numbers.rules import NumberStatus, Reason
from offhook.phone import E164
from offhook.usage import Service


@dataclass(frozen=True, slots=True)
class Answerer:
    """The number answers; `agent` is the published version to do it, frozen."""

    number: Number
    agent: agents.Snapshot


@dataclass(frozen=True, slots=True)
class Refusal:
    """The number does not answer, and why; nothing is counted or charged."""

    number: Number
    reason: Reason


async def held(session: Session, e164: E164 | str) -> Number | None:
    """The present holder's number, over all teams, also while disabled; None: nobody's.

    For carrier callbacks, in a system transaction, before the team is known.
    """
    return await session.scalar(
        select(Number).where(
            Number.e164 == e164,
            Number.status != NumberStatus.RELEASED,
            Number.held_since.is_not(None),
        )
    )


def found(number: Number | None, asked: str) -> Number:
    """The number, where there is one. Raises NumberNotFound."""
    if number is None:
        raise NumberNotFound(
            f"Nobody here holds {asked[:40]}.", remedy="Write it with its country code."
        )
    return number


async def all_enabled(session: Session) -> list[Number]:
    """The enabled numbers of every team, oldest first. System scope."""
    rows = await session.scalars(
        select(Number)
        .where(Number.status == NumberStatus.ENABLED)
        .order_by(Number.enabled_at, Number.id)
    )
    return list(rows)


async def answering(
    session: Session, team_id: str, number_id: str, service: Service
) -> Answerer | Refusal | None:
    """Who answers `service` on this number now, or why nobody does; None: no such number."""
    found = await session.execute(
        select(Number, agents.live(team_id, Number.agent_id), billing.state_of(team_id))
        .where(Number.team_id == team_id, Number.id == number_id)
        .execution_options(populate_existing=True)  # whoever asks twice wants to know anew
    )
    row = found.one_or_none()
    if row is None:
        return None
    number, live, subscription = row
    agent = agents.read_live(live)
    reason = rules.not_answering(
        number.configuration,
        service,
        status=NumberStatus(number.status),
        services_on=billing.serves(subscription),
        agent_is_live=agent is not None,
    )
    if reason is not None or agent is None:
        return Refusal(number, reason or Reason.AGENT_NOT_LIVE)
    return Answerer(number, agent)
