"""Calls as a comparison with the carrier's own records needs them (UC4 to UC7); reads only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from offhook.calls import reading
from offhook.calls.admission import LIVE_STATES
from offhook.calls.models import Call
from offhook.db import Session


@dataclass(frozen=True, slots=True)
class CallKept:
    """One call of ours. `answered`: our answer left us; `seconds`: from it to the end."""

    call_id: str
    team_id: str
    number_id: str
    carrier_id: str
    answered: bool
    is_over: bool
    at: datetime
    seconds: float
    conversation_id: str = ""


async def calls_kept(
    session: Session, *, after: datetime, before: datetime, carrier_ids: Collection[str]
) -> list[CallKept]:
    """The calls of all teams in [after, before), and those of `carrier_ids` whenever they were.

    System scope.
    """
    in_time: ColumnElement[bool] = (Call.answered_at >= after) & (Call.answered_at < before)
    rows = await session.scalars(
        select(Call)
        .where(or_(in_time, Call.carrier_call_id.in_(carrier_ids)))
        .order_by(Call.answered_at, Call.id)
    )
    return [_kept(call) for call in rows]


def _kept(call: Call) -> CallKept:
    seconds = (call.ended_at - call.answered_at).total_seconds() if call.ended_at else 0.0
    return CallKept(
        call_id=call.id,
        team_id=call.team_id,
        number_id=call.number_id,
        carrier_id=call.carrier_call_id,
        answered=reading.was_answered(call),
        is_over=call.state not in LIVE_STATES,
        at=call.answered_at,
        seconds=max(0.0, seconds),
        conversation_id=call.conversation_id,
    )
