"""Messages: one unit each, in and out, whatever the segments (U5, UT1).

Inbound: `take_message` counts it at once. Outbound: `take_message` before the model is asked,
`post_message` when the carrier has accepted it, `give_back_message` when it was refused or
failed (U8). Every function may be repeated.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook.db import Session, now, touch
from offhook.errors import NotFound
from offhook.failpoints import failpoint
from offhook.prices import Direction
from offhook.usage import kernel, notices
from offhook.usage.grants import Denied, Granted, again, left_after, left_now, take
from offhook.usage.kernel import Account, Ended, Taken, Wanted
from offhook.usage.meters import tariff
from offhook.usage.models import Entry
from offhook.usage.rules import Kind, Reason, Service

log = logging.getLogger(__name__)


class MessageUnknown(NotFound):
    """No unit was ever granted for this message, or it belongs to another team."""

    code = "message_unknown"


@dataclass(frozen=True, slots=True)
class _Held:
    """The hold of one message."""

    team_id: str
    number_id: str
    message_id: str
    direction: Direction
    starts_at: datetime
    period_start: datetime


async def take_message(
    session: Session,
    team_id: str,
    *,
    number_id: str,
    message_id: str,
    direction: Direction,
) -> Granted | Denied:
    """Take the unit of one message (U5).

    An inbound message is counted at once; with `left == 0` it took the last unit and gets no
    reply (UT3). An outbound one is held until it is posted or given back. Denied writes nothing.
    The counter stays locked until the commit. Raises MeterMissing.
    """
    wanted = Wanted(
        team_id=team_id,
        number_id=number_id,
        service=Service.SMS,
        subject_id=message_id,
        index=0,
        direction=Direction(direction).value,
    )
    outcome = await take(session, wanted)
    if isinstance(outcome, Denied):
        return outcome
    if not isinstance(outcome, Taken):
        return await _again(session, wanted)
    at = outcome.starts_at
    if direction == Direction.INBOUND:
        held = _Held(team_id, number_id, message_id, Direction.INBOUND, at, outcome.period_start)
        await _resolve(session, held, Kind.POSTED, recorded_at=at)
    return Granted(at, at, at, outcome.period_end, left_after(outcome))


async def _again(session: Session, wanted: Wanted) -> Granted | Denied:
    good = await again(session, wanted)
    left, resets_at = await left_now(session, wanted)
    if not good:
        return Denied(Reason.GIVEN_BACK, resets_at)
    present = await now(session)
    return Granted(present, present, present, resets_at, left)


async def post_message(session: Session, team_id: str, *, message_id: str) -> None:
    """The carrier has accepted the message: its unit is used (UT6). Raises MessageUnknown."""
    await _resolve(session, await _held(session, team_id, message_id), Kind.POSTED)


async def void_message(
    session: Session, team_id: str, *, message_id: str, reason: str = "not_sent"
) -> None:
    """The message never went out: its unit is free again. Raises MessageUnknown."""
    held = await _held(session, team_id, message_id)
    await _resolve(session, held, Kind.VOIDED, reason=reason)


async def correct_message(
    session: Session, team_id: str, *, message_id: str, reason: str, actor: str = "carrier"
) -> bool:
    """Take a posted unit back by a correction beside it (UT7); the unit is usable again.

    False where nothing was posted, or it was taken back before.
    """
    corrected = await kernel.correct(
        session,
        team_id,
        Service.SMS,
        message_id,
        0,
        recorded_at=await now(session),
        reason=reason,
        actor=actor,
    )
    failpoint("usage.corrected")
    if corrected:
        await touch(session, team_id, "usage")
    return corrected


async def give_back_message(
    session: Session, team_id: str, *, message_id: str, reason: str, actor: str = "carrier"
) -> None:
    """The message was refused or failed (U8): void its held unit, or correct a posted one."""
    if await _resolution(session, team_id, message_id) is None:
        await void_message(session, team_id, message_id=message_id, reason=reason)
    else:
        await correct_message(session, team_id, message_id=message_id, reason=reason, actor=actor)


async def _resolution(session: Session, team_id: str, message_id: str) -> Entry | None:
    return await session.scalar(
        select(Entry).where(
            Entry.team_id == team_id,
            Entry.service == Service.SMS.value,
            Entry.subject_id == message_id,
            Entry.unit_index == 0,
            Entry.stage == "resolution",
        )
    )


async def _held(session: Session, team_id: str, message_id: str) -> _Held:
    held = (
        await session.execute(
            select(Entry.number_id, Entry.direction, Entry.starts_at, Entry.period_start).where(
                Entry.team_id == team_id,
                Entry.service == Service.SMS.value,
                Entry.subject_id == message_id,
                Entry.unit_index == 0,
                Entry.stage == "hold",
            )
        )
    ).one_or_none()
    if held is None:
        raise MessageUnknown(f"There is no message {message_id} on the ledger.")
    return _Held(
        team_id,
        held.number_id,
        message_id,
        Direction(held.direction),
        held.starts_at,
        held.period_start,
    )


async def _resolve(
    session: Session,
    held: _Held,
    kind: Kind,
    *,
    reason: str | None = None,
    recorded_at: datetime | None = None,
) -> None:
    rate = None
    if kind is Kind.POSTED:
        prices = await tariff(session, held.team_id, held.number_id)
        rate = prices.of(Service.SMS, held.direction, held.starts_at)
    counter = await kernel.resolve(
        session,
        Account(held.team_id, held.number_id, Service.SMS, held.period_start),
        held.message_id,
        [Ended(0, kind, held.starts_at, rate)],
        direction=held.direction.value,
        recorded_at=recorded_at or await now(session),
        reason=reason,
    )
    failpoint("usage.ended")
    if not counter.ended:
        await _ended_before(session, held.team_id, held.message_id, kind)
        return
    if kind is Kind.POSTED:
        month = notices.Month(
            held.team_id, held.number_id, Service.SMS, held.period_start, counter.period_end
        )
        await notices.limit(
            session,
            month,
            posted=counter.posted,
            pending=counter.pending,
            limit=counter.limit,
        )
        await notices.allowance(session, month)
    await touch(session, held.team_id, "usage")


async def _ended_before(session: Session, team_id: str, message_id: str, kind: Kind) -> None:
    first = await _resolution(session, team_id, message_id)
    if first is not None and first.kind != kind:
        log.error(
            "incident: message %s is to be %s; it was %s before and that stands",
            message_id,
            kind,
            first.kind,
        )
