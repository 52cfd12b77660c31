"""Which numbers an agent serves: the answer that agents ask for before one is taken away (N7)."""

from collections.abc import Sequence

from sqlalchemy import select, update

from offhook.agents import NumberInUse
from offhook.db import Session, touch
from offhook.numbers import service
from offhook.numbers.activity import SYSTEM
from offhook.numbers.models import Number
from offhook.numbers.rules import NumberStatus


class NumbersOfAgents:
    """`agents.AgentUsers`; app.py registers one."""

    async def enabled_numbers(
        self, session: Session, team_id: str, agent_id: str
    ) -> Sequence[NumberInUse]:
        rows = await session.scalars(
            select(Number)
            .where(
                Number.team_id == team_id,
                Number.agent_id == agent_id,
                Number.status == NumberStatus.ENABLED,
            )
            .order_by(Number.id)
            .with_for_update(key_share=True)
        )
        return [NumberInUse(row.id, row.name, row.e164) for row in rows]

    async def disable(self, session: Session, team_id: str, numbers: Sequence[NumberInUse]) -> None:
        for each in numbers:
            await service.disable(session, team_id, each.number_id, SYSTEM)

    async def forget(self, session: Session, team_id: str, agent_id: str) -> None:
        await session.execute(
            update(Number)
            .where(Number.team_id == team_id, Number.agent_id == agent_id)
            .values(agent_id=None)
        )
        await touch(session, team_id, "number")


async def of_agent(session: Session, team_id: str, agent_id: str) -> Sequence[Number]:
    """Every number that the agent is assigned to, for its page."""
    rows = await session.scalars(
        select(Number)
        .where(
            Number.team_id == team_id,
            Number.agent_id == agent_id,
            Number.status != NumberStatus.RELEASED,
            Number.held_since.is_not(None),
        )
        .order_by(Number.name, Number.id)
    )
    return rows.all()


async def stop_suspended(session: Session, team_id: str) -> None:
    """A suspended team's numbers are treated as disabled: what is live on them ends (N11)."""
    rows = await session.scalars(
        select(Number).where(Number.team_id == team_id, Number.status == NumberStatus.ENABLED)
    )
    for number in rows:
        await service.stop(session, number)


async def release_suspended(session: Session, team_id: str) -> None:
    """All numbers of a team go back to the carrier, after the notices of UN11 (N10)."""
    rows = await session.scalars(
        select(Number).where(
            Number.team_id == team_id,
            Number.status.in_([NumberStatus.ENABLED, NumberStatus.DISABLED]),
            Number.held_since.is_not(None),
        )
    )
    for number in rows.all():
        await service.disable(session, team_id, number.id, SYSTEM)
        await service.delete(session, team_id, number.id, SYSTEM, confirmation=number.e164)
