"""Measured replies: kept with the agent's turn, read of a call and over days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert

from offhook.calls.latency.models import ReplyTimes
from offhook.calls.latency.rules import Stage, Times
from offhook.db import Session, new_id

MEDIAN, SLOW = 0.5, 0.95


@dataclass(frozen=True, slots=True)
class Whose:
    """The call and the turn that a measurement belongs to."""

    team_id: str
    call_id: str
    number_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class Share:
    """How long half of the replies took at most, and 95 of 100; milliseconds."""

    p50: int
    p95: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Of `replies` replies: each stage by itself, and all together."""

    replies: int
    stages: dict[Stage, Share]
    total: Share


@dataclass(frozen=True, slots=True)
class Day:
    """One day at the team's place."""

    date: date
    replies: int
    total: Share


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which replies: of a call, a number, an agent, a time; what is empty means all."""

    call_id: str = ""
    number_id: str = ""
    agent_id: str = ""
    since: datetime | None = None


async def record(session: Session, whose: Whose, turn_id: str, at: datetime, times: Times) -> None:
    """Keep what was measured of a reply, once."""
    await session.execute(
        insert(ReplyTimes)
        .values(
            id=new_id("rpt"),
            team_id=whose.team_id,
            call_id=whose.call_id,
            turn_id=turn_id,
            number_id=whose.number_id,
            agent_id=whose.agent_id,
            at=at,
            **{f"{stage.value}_ms": ms for stage, ms in times.items()},
        )
        .on_conflict_do_nothing(index_elements=[ReplyTimes.turn_id])
    )


async def of_call(session: Session, team_id: str, call_id: str) -> dict[str, ReplyTimes]:
    """By the turn that was the reply."""
    rows = await session.scalars(
        select(ReplyTimes)
        .where(ReplyTimes.team_id == team_id, ReplyTimes.call_id == call_id)
        .order_by(ReplyTimes.at)
    )
    return {row.turn_id: row for row in rows}


async def summary(session: Session, team_id: str, wanted: Wanted) -> Summary | None:
    """p50 and p95 of every stage; None where nothing was measured."""
    columns = [_share(_length(stage), at) for stage in Stage for at in (MEDIAN, SLOW)]
    totals = [_share(ReplyTimes.sent_ms.expression, at) for at in (MEDIAN, SLOW)]
    query = select(func.count(), *columns, *totals).where(*_narrowed(team_id, wanted))
    count, *found = (await session.execute(query)).one()
    if not count:
        return None
    shares = [
        Share(round(p50), round(p95)) for p50, p95 in zip(found[::2], found[1::2], strict=True)
    ]
    return Summary(count, dict(zip(Stage, shares, strict=False)), shares[-1])


async def by_day(session: Session, team_id: str, wanted: Wanted, zone: str) -> Sequence[Day]:
    """p50 and p95 of the whole, for each day of `zone` on which something was measured."""
    p50, p95 = (_share(ReplyTimes.sent_ms.expression, at) for at in (MEDIAN, SLOW))
    query = (
        select(
            func.date(func.timezone(zone, ReplyTimes.at)).label("day"),
            func.count().label("replies"),
            p50.label("p50"),
            p95.label("p95"),
        )
        .where(*_narrowed(team_id, wanted))
        .group_by("day")
        .order_by("day")
    )
    rows = await session.execute(query)
    return [Day(row.day, row.replies, Share(round(row.p50), round(row.p95))) for row in rows]


def _narrowed(team_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ReplyTimes.team_id == team_id]
    if wanted.call_id:
        conditions.append(ReplyTimes.call_id == wanted.call_id)
    if wanted.number_id:
        conditions.append(ReplyTimes.number_id == wanted.number_id)
    if wanted.agent_id:
        conditions.append(ReplyTimes.agent_id == wanted.agent_id)
    if wanted.since is not None:
        conditions.append(ReplyTimes.at >= wanted.since)
    return conditions


_REACHED = {
    Stage.DECIDED: ReplyTimes.decided_ms,
    Stage.WORDS: ReplyTimes.words_ms,
    Stage.TEXT: ReplyTimes.text_ms,
    Stage.VOICE: ReplyTimes.voice_ms,
    Stage.SENT: ReplyTimes.sent_ms,
}


def _length(stage: Stage) -> ColumnElement[int]:
    order = list(Stage)
    at = order.index(stage)
    reached: ColumnElement[int] = _REACHED[stage].expression
    return reached - _REACHED[order[at - 1]] if at else reached


def _share(length: ColumnElement[int], fraction: float) -> ColumnElement[float]:
    return func.percentile_cont(fraction).within_group(length)
