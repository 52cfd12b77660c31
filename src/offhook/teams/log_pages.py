"""Pages of the audit log: a team's, and the installation's for its operator."""

from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse

from offhook import audit
from offhook.db import Session
from offhook.teams import log_csv
from offhook.teams.access import (
    Actor,
    AdminActor,
    OperatorActor,
    SystemSession,
    TeamSession,
    operator_only,
)
from offhook.teams.log_words import ACTORS, changes_of
from offhook.web import Paging, render

router = APIRouter(include_in_schema=False)
PAGE = 50
Word = Annotated[str, Query(max_length=80)]
Day = Annotated[str, Query(max_length=10)]


def _day(text: str, zone: str, *, after: int = 0) -> datetime | None:
    """The first instant of a day in the team's zone; nothing for what is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
    except (ValueError, OverflowError):
        return None
    return datetime.combine(day, time(), ZoneInfo(zone))


async def _log(
    request: Request,
    session: Session,
    actor: Actor,
    template: str,
    team_id: str | None,
    asked: dict[str, str],
) -> HTMLResponse:
    wanted = audit.Filter(
        actor_id=asked["who"],
        subject=asked["what"],
        subject_id=asked["of"],
        since=_day(asked["since"], actor.timezone),
        until=_day(asked["until"], actor.timezone, after=1),
    )
    paging = Paging(PAGE, asked["cursor"])
    rows, following = await audit.listed(session, team_id, wanted, paging)
    here = {key: value for key, value in asked.items() if value and key != "cursor"}
    return render(
        request,
        template,
        actor=actor,
        entries=[(row, changes_of(row)) for row in rows],
        actors=await audit.actors(session, team_id),
        subjects=await audit.subjects(session, team_id),
        kinds=ACTORS,
        asked=asked,
        query=urlencode(here),
        next_url=f"{request.url.path}?{urlencode(here | {'cursor': following})}"
        if following
        else "",
        first_url=f"{request.url.path}?{urlencode(here)}" if asked["cursor"] else "",
    )


@router.get("/team/audit")
async def page(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    *,
    who: Word = "",
    what: Word = "",
    of: Word = "",
    since: Day = "",
    until: Day = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    """Who changed what in this team, the newest first."""
    asked = {"who": who, "what": what, "of": of, "since": since, "until": until, "cursor": cursor}
    return await _log(request, session, actor, "teams/log.html", actor.team_id, asked)


@router.get("/team/audit.csv")
async def download(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    *,
    who: Word = "",
    what: Word = "",
    of: Word = "",
    since: Day = "",
    until: Day = "",
) -> StreamingResponse:
    wanted = audit.Filter(
        actor_id=who,
        subject=what,
        subject_id=of,
        since=_day(since, actor.timezone),
        until=_day(until, actor.timezone, after=1),
    )
    return log_csv.download(request, session, actor.team_id, wanted)


@router.get("/team/audit/check")
async def check(request: Request, actor: AdminActor, session: TeamSession) -> HTMLResponse:
    """Whether the chain holds; a fragment."""
    verdict = await audit.verify(session, actor.team_id)
    return render(request, "teams/log_verdict.html", verdict=verdict)


@router.get("/operator/audit")
async def installation(
    request: Request,
    actor: OperatorActor,
    session: SystemSession,
    *,
    who: Word = "",
    what: Word = "",
    of: Word = "",
    since: Day = "",
    until: Day = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    """What belongs to no team: people, prices, vendor rates, the seller's details."""
    asked = {"who": who, "what": what, "of": of, "since": since, "until": until, "cursor": cursor}
    return await _log(request, session, actor, "teams/operator_log.html", None, asked)


@router.get("/operator/audit/check", dependencies=[Depends(operator_only)])
async def check_installation(request: Request, session: SystemSession) -> HTMLResponse:
    verdict = await audit.verify(session, None)
    return render(request, "teams/log_verdict.html", verdict=verdict)
