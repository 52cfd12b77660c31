"""Writing down what was used, and what a carrier charged; in the transaction of what used it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

from offhook import usage
from offhook.costs import rules
from offhook.costs.models import CarrierCost, CostLine, RateVersion
from offhook.costs.rates import as_rate
from offhook.costs.rules import Used
from offhook.db import Session, now
from offhook.prices import Money


async def record(
    session: Session,
    team_id: str,
    *,
    conversation_id: str,
    number_id: str,
    used: Sequence[Used],
) -> None:
    """Add what one call or reply used to its conversation, at the rates in force now.

    Once per use: it counts each time that it is called. Amounts of nothing are left out.
    """
    amounts = rules.added(used)
    if not amounts:
        return
    present = await now(session)
    period = await usage.period_at(session, team_id, present)
    rates = await _rates(session, amounts)
    rows: list[dict[str, object]] = []
    for each in amounts:
        rate = rules.in_force(rates, each, present)
        rows.append(
            {
                "team_id": team_id,
                "conversation_id": conversation_id,
                "number_id": number_id,
                "period_start": period.starts_at,
                "vendor": each.vendor[:40],
                "model": each.model[:120],
                "kind": each.kind.value,
                "rate_id": rate.id if rate else "",
                "amount": each.amount,
                "last_at": present,
            }
        )
    made = insert(CostLine).values(rows)
    await session.execute(
        made.on_conflict_do_update(
            index_elements=[
                "team_id",
                "conversation_id",
                "period_start",
                "vendor",
                "model",
                "kind",
                "rate_id",
            ],
            set_={
                "amount": CostLine.amount + made.excluded.amount,
                "last_at": made.excluded.last_at,
            },
        )
    )


async def record_carrier(
    session: Session,
    team_id: str,
    *,
    carrier_id: str,
    number_id: str,
    money: Money,
    at: datetime,
    conversation_id: str | None = None,
) -> None:
    """What a carrier charged for its call or message `carrier_id`, which happened at `at`.

    Told again it is one cost, with the newest amount: carriers set a price hours later.
    """
    period = await usage.period_at(session, team_id, at)
    made = insert(CarrierCost).values(
        carrier_id=carrier_id,
        team_id=team_id,
        conversation_id=conversation_id,
        number_id=number_id,
        period_start=period.starts_at,
        at=at,
        micros=money.micros,
        currency=money.currency,
    )
    await session.execute(
        made.on_conflict_do_update(
            index_elements=["team_id", "carrier_id"],
            set_={
                "micros": made.excluded.micros,
                "currency": made.excluded.currency,
                "conversation_id": made.excluded.conversation_id,
            },
        )
    )


async def _rates(session: Session, amounts: Sequence[Used]) -> list[rules.Rate]:
    wanted = {(each.vendor, each.model) for each in amounts}
    rows = await session.scalars(
        select(RateVersion).where(
            tuple_(RateVersion.vendor, RateVersion.model).in_(sorted(wanted)),
            RateVersion.withdrawn_at.is_(None),
        )
    )
    return [as_rate(row) for row in rows]
