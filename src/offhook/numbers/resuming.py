"""What is taken up again when nobody works on it: unfinished sagas, numbers to be given back.

One sweep for bought numbers and one for brought ones; the jobs that they enqueue may be repeated.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from offhook.db import Session, enqueue, now
from offhook.numbers.models import Number, NumberImport, Purchase
from offhook.numbers.rules import NumberStatus

SWEEP_S = 15.0
FORGOTTEN = timedelta(seconds=20)
Owned = tuple[str, str]
"""A team's id and the id of something of it."""


async def forgotten(
    session: Session, saga: type[Purchase | NumberImport], final: Sequence[StrEnum]
) -> list[Owned]:
    """Sagas of every team that have not moved for a while and are in none of the `final` states."""
    rows = await session.execute(
        select(saga.team_id, saga.id).where(
            saga.state.not_in(final), saga.updated_at < await now(session) - FORGOTTEN
        )
    )
    return [(team_id, saga_id) for team_id, saga_id in rows]


async def releasing(session: Session, *, own: bool) -> list[Owned]:
    """Numbers of every team whose carrier has not confirmed their return (UN7); `own`: brought
    ones.
    """
    rows = await session.execute(
        select(Number.team_id, Number.id).where(
            Number.status == NumberStatus.RELEASING, Number.account_id.is_not(None) == own
        )
    )
    return [(team_id, number_id) for team_id, number_id in rows]


async def resume(session: Session, job: str, argument: str, each: Iterable[Owned]) -> None:
    """Enqueue `job` for each, unless it waits already; its id goes under the name `argument`."""
    for team_id, one in each:
        arguments: dict[str, Any] = {"team_id": team_id, argument: one}
        await enqueue(session, job, queueing_lock=f"resume {one}", **arguments)
