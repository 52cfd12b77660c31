"""How many calls this installation can carry now, for its operator."""

from dataclasses import dataclass

from sqlalchemy import func, select

from offhook.calls.admission import LINE_STATES, NODE_SILENT_AFTER
from offhook.calls.models import Call, MediaNode
from offhook.calls.rules import LEASE
from offhook.db import Session, now


@dataclass(frozen=True, slots=True)
class Lines:
    """Media processes that show signs of life, the calls that they can carry, and do."""

    processes: int
    capacity: int
    live: int


async def lines(session: Session) -> Lines:
    """System scope."""
    instant = await now(session)
    processes, capacity = (
        await session.execute(
            select(func.count(), func.coalesce(func.sum(MediaNode.capacity), 0)).where(
                MediaNode.heartbeat_at > instant - NODE_SILENT_AFTER
            )
        )
    ).one()
    live = await session.scalar(
        select(func.count())
        .select_from(Call)
        .where(Call.state.in_(LINE_STATES), Call.heartbeat_at > instant - LEASE)
    )
    return Lines(processes, capacity, live or 0)
