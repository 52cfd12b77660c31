"""What the second leg of a transfer costs its team (UM9): a price of its own, no minute of a limit.

The operator sets it (`transfer_minute_price`) or leaves it empty: then the leg is theirs. A leg
counts started minutes from its answer, is priced once, when it is over, and keeps that price; one
that nobody answered costs nothing (WT4).
"""

from datetime import datetime

from sqlalchemy import select

from offhook import billing, settings, usage
from offhook.calls.models import Call
from offhook.calls.transfers.models import Transfer
from offhook.db import Session
from offhook.prices import Money, read_amount


def price() -> Money | None:
    """Of a started minute, as it is now; None where legs cost the team nothing."""
    amount = settings.load().transfer_minute_price
    return None if amount is None else read_amount(amount)


def rate(transfer: Transfer, ended_at: datetime, told_s: int = 0) -> None:
    """The leg is over: its minutes and their price. `told_s`: how long it was, by the carrier."""
    if transfer.answered_at is None and not told_s:
        return
    since = transfer.answered_at or ended_at
    transfer.minutes = usage.started_minutes(told_s or (ended_at - since).total_seconds())
    if (each := price()) is not None:
        transfer.price_micros, transfer.currency = each.micros, each.currency


def price_of(transfer: Transfer) -> Money | None:
    """Of each minute of the leg; None where it cost nothing, or is not over."""
    if transfer.price_micros is None or transfer.currency is None:
        return None
    return Money(transfer.price_micros, transfer.currency)


def charge(transfer: Transfer) -> Money | None:
    """What the leg cost, likewise."""
    each = price_of(transfer)
    return each * transfer.minutes if each is not None else None


async def legs_of(
    session: Session, team_id: str, start: datetime, end: datetime
) -> list[billing.Leg]:
    """The priced legs that ended in [start, end), for their month's invoice."""
    rows = await session.execute(
        select(Transfer, Call.number_id)
        .join(Call, Call.id == Transfer.call_id)
        .where(
            Transfer.team_id == team_id,
            Call.team_id == team_id,
            Transfer.ended_at >= start,
            Transfer.ended_at < end,
            Transfer.price_micros.is_not(None),
        )
    )
    return [
        billing.Leg(
            call_id=transfer.call_id,
            number_id=number_id,
            name=transfer.name,
            ended_at=transfer.ended_at,
            minutes=transfer.minutes,
            price=each,
        )
        for transfer, number_id in rows.all()
        if transfer.ended_at is not None and (each := price_of(transfer)) is not None
    ]
