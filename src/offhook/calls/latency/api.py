"""REST of measured replies: of one call, and of a number or an agent over days."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from offhook.calls import service as calls
from offhook.calls.latency import rules, service
from offhook.calls.latency.rules import Stage
from offhook.calls.latency.service import Share, Summary, Wanted
from offhook.db import now
from offhook.teams import CurrentActor, TeamSession

router = APIRouter(prefix="/api/v1", tags=["calls"])
MAX_DAYS = 90


class ShareOut(BaseModel):
    """Milliseconds: half of the replies took at most `p50`, 95 of 100 at most `p95`."""

    p50: int
    p95: int

    @classmethod
    def of(cls, share: Share) -> "ShareOut":
        return cls(p50=share.p50, p95=share.p95)


class StageOut(ShareOut):
    stage: Stage
    name: str
    sentence: str = Field(description="What happens in it.")


class ReplyOut(BaseModel):
    """One reply: milliseconds since the end of what it answers until each stage was reached."""

    turn_id: str
    at: datetime
    times: dict[Stage, int]


class DayOut(BaseModel):
    date: date
    replies: int
    total: ShareOut


class SummaryOut(BaseModel):
    """How long callers waited: each stage by itself, and from beginning to end."""

    replies: int
    total: ShareOut
    stages: list[StageOut]

    @classmethod
    def of(cls, found: Summary | None) -> "SummaryOut | None":
        if found is None:
            return None
        stages = [
            StageOut(
                stage=stage,
                name=rules.DEFINITIONS[stage].name,
                sentence=rules.DEFINITIONS[stage].sentence,
                p50=share.p50,
                p95=share.p95,
            )
            for stage, share in found.stages.items()
        ]
        return cls(replies=found.replies, total=ShareOut.of(found.total), stages=stages)


class CallLatencyOut(BaseModel):
    summary: SummaryOut | None = Field(description="Null where nothing was measured.")
    replies: list[ReplyOut] = Field(description="In the order of time.")


class LatencyOut(BaseModel):
    summary: SummaryOut | None = Field(description="Null where nothing was measured.")
    days: list[DayOut] = Field(description="Days of the team's time zone.")


@router.get("/calls/{call_id}/latency")
async def of_call(call_id: str, actor: CurrentActor, session: TeamSession) -> CallLatencyOut:
    call = await calls.get(session, actor.team_id, call_id)
    rows = await service.of_call(session, actor.team_id, call.id)
    found = await service.summary(session, actor.team_id, Wanted(call_id=call.id))
    replies = [
        ReplyOut(turn_id=row.turn_id, at=row.at, times=dict(row.times)) for row in rows.values()
    ]
    return CallLatencyOut(summary=SummaryOut.of(found), replies=replies)


@router.get("/latency")
async def over_days(
    actor: CurrentActor,
    session: TeamSession,
    number_id: Annotated[str, Query(max_length=40)] = "",
    agent_id: Annotated[str, Query(max_length=40)] = "",
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 7,
) -> LatencyOut:
    """Of all calls, or those of a number or an agent."""
    wanted = Wanted(
        number_id=number_id,
        agent_id=agent_id,
        since=await now(session) - timedelta(days=days),
    )
    found = await service.summary(session, actor.team_id, wanted)
    by_day = await service.by_day(session, actor.team_id, wanted, actor.timezone)
    return LatencyOut(
        summary=SummaryOut.of(found),
        days=[
            DayOut(date=day.date, replies=day.replies, total=ShareOut.of(day.total))
            for day in by_day
        ],
    )
