"""What is put right afterwards: minutes taken back (UC4, UC6, UC9), calls that only the carrier
saw (UC5).

Nothing is changed on the ledger: a correction is an entry beside the one that it takes back, with
its reason and who made it. A call that only the carrier has is entered whole, marked, and may pass
a limit (UI1): it happened. Every function may be repeated.
"""

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, fetch, now, touch
from offhook.errors import Conflict
from offhook.prices import Direction
from offhook.usage import kernel, notices, spend
from offhook.usage.calendar import period_at
from offhook.usage.meters import tariff
from offhook.usage.minutes import CallUnknown
from offhook.usage.models import Entry, MeteredCall
from offhook.usage.rating import Rate
from offhook.usage.rules import FROM_CARRIER, Service, minute_start, started_minutes
from offhook.usage.statements import ONCE, add_to_days

log = logging.getLogger(__name__)

RECORD = f"""
WITH entered AS (
    INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,
        units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency,
        reason)
    SELECT %(team_id)s, %(number_id)s, %(service)s, %(subject_id)s, %(index)s, unit.stage,
        unit.kind, unit.units, %(direction)s, %(period_start)s, %(starts_at)s, %(recorded_at)s,
        unit.price_id, unit.price_micros, unit.currency, %(reason)s
    FROM (VALUES ('hold', 'reserved', 0, NULL, NULL, NULL),
        ('resolution', 'posted', 1, %(price_id)s::text, %(price_micros)s::bigint,
         %(currency)s::text)) AS unit (stage, kind, units, price_id, price_micros, currency)
    {ONCE}
    RETURNING *
), counted AS (
    UPDATE usage_counters AS counter
    SET posted = counter.posted + sums.units
    FROM (SELECT sum(units) AS units FROM entered) AS sums
    WHERE counter.team_id = %(team_id)s AND counter.number_id = %(number_id)s
      AND counter.service = %(service)s AND counter.period_start = %(period_start)s
      AND sums.units > 0
    RETURNING counter.posted, counter.pending, counter.limit_units, counter.period_end
), days AS ({add_to_days("(SELECT entered.* FROM entered, counted)")})
SELECT * FROM counted
"""  # noqa: S608 - the inserted parts are constants


class CorrectionRefused(Conflict):
    """A correction that would add units: it only takes back."""

    code = "correction_refused"


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one call or message: `posted` once, `net` of what was taken back."""

    posted: int
    net: int


async def units_of(
    session: Session, service: Service, subject_ids: Collection[str]
) -> dict[str, Units]:
    """The units of calls or messages; who has none posted is missing. Within what is seen."""
    rows = await session.execute(
        select(
            Entry.subject_id,
            func.count().filter(Entry.units > 0),
            func.sum(Entry.units),
        )
        .where(Entry.service == service.value, Entry.subject_id.in_(subject_ids), Entry.units != 0)
        .group_by(Entry.subject_id)
    )
    return {subject_id: Units(posted, net) for subject_id, posted, net in rows}


async def correct_minutes(
    session: Session, team_id: str, *, call_id: str, keep: int, reason: str, actor: str
) -> int:
    """Take a call's minutes back until `keep` are left; how many were taken.

    The last ones go first. Raises CallUnknown, CorrectionRefused when fewer than `keep` are there.
    """
    call = await session.scalar(
        select(MeteredCall)
        .where(MeteredCall.call_id == call_id, MeteredCall.team_id == team_id)
        .with_for_update(key_share=True)
    )
    if call is None:
        raise CallUnknown(f"There is no call {call_id} on the ledger.", call_id=call_id)
    entries = await session.execute(
        select(Entry.unit_index, Entry.units)
        .where(
            Entry.team_id == team_id,
            Entry.service == Service.CALLS.value,
            Entry.subject_id == call_id,
            Entry.units != 0,
        )
        .order_by(Entry.unit_index)
    )
    posted, taken_back = _indexes(entries.all())
    left = [index for index in posted if index not in taken_back]
    if not 0 <= keep <= len(left):
        raise CorrectionRefused(
            f"The call is charged {len(left)} min; a correction to {keep} would add to it.",
            remedy=f"Choose 0 to {len(left)}.",
        )
    present = await now(session)
    for index in left[keep:]:  # by ascending month, as all locks of counters
        await kernel.correct(
            session,
            team_id,
            Service.CALLS,
            call_id,
            index,
            recorded_at=present,
            reason=reason,
            actor=actor,
        )
    if left[keep:]:
        await touch(session, team_id, "usage")
    return len(left) - keep


async def record_from_carrier(
    session: Session,
    team_id: str,
    *,
    number_id: str,
    call_id: str,
    answered_at: datetime,
    seconds: float,
    direction: Direction,
) -> int:
    """Enter an answered call that only the carrier knows (UC5); its minutes, 0 if it is there.

    `call_id` is the carrier's own id. Marked by the reason `FROM_CARRIER`; its month's allowance
    counts as for any late record (UF8). Raises MeterMissing.
    """
    minutes = started_minutes(seconds)
    present = await now(session)
    prices = await tariff(session, team_id, number_id)
    made = await session.scalar(
        insert(MeteredCall)
        .values(
            call_id=call_id,
            team_id=team_id,
            number_id=number_id,
            direction=direction.value,
            answered_at=answered_at,
            alive_at=present,
            reserved_minutes=minutes,
            ended_at=present,
            billed_seconds=max(0, math.ceil(seconds)),
            billed_minutes=minutes,
        )
        .on_conflict_do_nothing()
        .returning(MeteredCall.call_id)
    )
    if made is None:
        return 0
    for index in range(minutes):
        start = minute_start(answered_at, index)
        wanted = kernel.Wanted(
            team_id=team_id,
            number_id=number_id,
            service=Service.CALLS,
            subject_id=call_id,
            index=index,
            direction=direction.value,
            starts_at=start,
        )
        await _enter(session, wanted, start, prices.of(Service.CALLS, direction, start), present)
    log.error("incident: call %s is on the carrier's record only; %s min", call_id, minutes)
    await touch(session, team_id, "usage")
    return minutes


def _indexes(rows: Sequence[tuple[int, int]]) -> tuple[list[int], set[int]]:
    posted = [index for index, units in rows if units > 0]
    return posted, {index for index, units in rows if units < 0}


async def _enter(
    session: Session,
    wanted: kernel.Wanted,
    start: datetime,
    rate: Rate | None,
    present: datetime,
) -> None:
    """One unit, held and used at once, whatever the limit says."""
    period = await period_at(session, wanted.team_id, start)
    await kernel.open_counters(
        session, wanted.team_id, wanted.number_id, period.starts_at, period.ends_at
    )
    account = kernel.Account(wanted.team_id, wanted.number_id, wanted.service, period.starts_at)
    rows = await fetch(
        session,
        RECORD,
        {
            **account.keys(),
            "subject_id": wanted.subject_id,
            "index": wanted.index,
            "direction": wanted.direction,
            "starts_at": start,
            "recorded_at": present,
            "reason": FROM_CARRIER,
            "price_id": rate and rate.price_id,
            "price_micros": rate and rate.micros,
            "currency": rate and rate.currency,
        },
    )
    for posted, pending, limit, ends_at in rows:
        month = notices.Month(
            wanted.team_id, wanted.number_id, wanted.service, period.starts_at,
            ends_at.astimezone(UTC),
        )  # fmt: skip
        await notices.limit(session, month, posted=posted, pending=pending, limit=limit)
        await notices.allowance(session, month)
        await spend.forget(session, wanted.team_id)
