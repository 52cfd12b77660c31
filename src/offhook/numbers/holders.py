"""Who held a number when: for records that come later than their time (UN6, UC5)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select

from offhook.db import Session
from offhook.numbers.models import Number


async def holders(session: Session, e164s: Collection[str]) -> list[Number]:
    """Every row of these numbers over all teams, released ones too. System scope."""
    rows = await session.scalars(
        select(Number)
        .where(Number.e164.in_(e164s), Number.held_since.is_not(None))
        .order_by(Number.held_since, Number.id)
    )
    return list(rows)


async def accounts_of(session: Session, number_ids: Collection[str]) -> dict[str, str | None]:
    """The carrier account of each number; None is the operator's. System scope."""
    rows = await session.execute(
        select(Number.id, Number.account_id).where(Number.id.in_(number_ids))
    )
    return {row.id: row.account_id for row in rows}


def holder_at(rows: Sequence[Number], e164: str, at: datetime) -> Number | None:
    """Whose number it was at that instant; None when nobody held it."""
    for row in rows:
        began = row.e164 == e164 and row.held_since is not None and row.held_since <= at
        if began and (row.released_at is None or at < row.released_at):
            return row
    return None
