"""Pages of the audit log: a team's, and the installation's for its operator."""

from dataclasses import asdict, dataclass
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
from offhook.teams.log_words import ACTORS, ids_in, line
from offhook.web import Paging, render

router = APIRouter(include_in_schema=False)
PAGE = 50
Word = Annotated[str, Query(max_length=80)]
Day = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to see of a log, as the page's address says it."""

    who: Word = ""
    what: Word = ""
    of: Word = ""
    since: Day = ""
    until: Day = ""

    def filter(self, zone: str) -> audit.Filter:
        return audit.Filter(
            actor_id=self.who,
            subject=self.what,
            subject_id=self.of,
            since=_day(self.since, zone),
            until=_day(self.until, zone, after=1),
        )


Asked = Annotated[Question, Depends()]
Cursor = Annotated[str, Query(max_length=500)]


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
    asked: Question,
    cursor: str,
) -> HTMLResponse:
    wanted = asked.filter(actor.timezone)
    rows, following = await audit.listed(session, team_id, wanted, Paging(PAGE, cursor))
    actors = await audit.actors(session, team_id)
    names = {id_: audit.Named("person", name) for id_, name in actors}
    names |= await audit.names(session, team_id, ids_in(rows))
    here = {key: value for key, value in asdict(asked).items() if value}
    return render(
        request,
        template,
        actor=actor,
        lines=[line(row, names) for row in rows],
        actors=actors,
        name_of_asked=names[asked.of].name if asked.of in names else "",
        subjects=await audit.subjects(session, team_id),
        kinds=ACTORS,
        asked=asked,
        query=urlencode(here),
        next_url=f"{request.url.path}?{urlencode(here | {'cursor': following})}"
        if following
        else "",
        first_url=f"{request.url.path}?{urlencode(here)}" if cursor else "",
    )


@router.get("/team/audit")
async def page(
    request: Request, actor: AdminActor, session: TeamSession, asked: Asked, cursor: Cursor = ""
) -> HTMLResponse:
    """Who changed what in this team, the newest first."""
    return await _log(request, session, actor, "teams/log.html", actor.team_id, asked, cursor)


@router.get("/team/audit.csv")
async def download(
    request: Request, actor: AdminActor, session: TeamSession, asked: Asked
) -> StreamingResponse:
    return log_csv.download(request, session, actor.team_id, asked.filter(actor.timezone))


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
    asked: Asked,
    cursor: Cursor = "",
) -> HTMLResponse:
    """What belongs to no team: people, prices, vendor rates, the seller's details."""
    return await _log(request, session, actor, "teams/operator_log.html", None, asked, cursor)


@router.get("/operator/audit/check", dependencies=[Depends(operator_only)])
async def check_installation(request: Request, session: SystemSession) -> HTMLResponse:
    verdict = await audit.verify(session, None)
    return render(request, "teams/log_verdict.html", verdict=verdict)
