"""Pages of entries: the ones of a month, narrowed by number, price or call; and one entry, why it
was charged. And the files to download.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from offhook.teams import CurrentActor, TeamSession
from offhook.usage import entries, reasons
from offhook.usage.asking import EntriesQuery, to_export
from offhook.usage.downloads import as_lines, stream
from offhook.usage.entries import Rating
from offhook.usage.explain import explain
from offhook.usage.months import month_named, months
from offhook.usage.names import names, subjects
from offhook.usage.rules import Service
from offhook.web import decode_cursor, encode_cursor, render

router = APIRouter(include_in_schema=False)
PAGE = 50
RATINGS = (
    ("", "Free and charged"),
    (Rating.FREE, "Free"),
    (Rating.CHARGED, "Charged"),
    (Rating.TAKEN_BACK, "Taken back"),
)


@router.get("/usage/entries")
async def listed(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    asked: EntriesQuery,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    """The entries of one service in a month, the newest first."""
    service = asked.service or Service.CALLS
    named = await month_named(session, actor.team_id, asked.month)
    wanted = asked.wanted
    free = await entries.free_ids(session, actor.team_id, service, named)
    found = await entries.of_month(
        session,
        actor.team_id,
        service,
        named.period.starts_at,
        entries.rated_by(wanted, free),
        after=entries.key_of(decode_cursor(cursor, entries.KEY_KINDS)) if cursor else None,
        limit=PAGE + 1,
        newest_first=True,
    )
    shown = found[:PAGE]
    ids = list({entry.subject_id for entry in shown})
    here = f"/usage/entries?{asked.query}"
    more = urlencode({"cursor": encode_cursor(shown[-1].key)}) if len(found) > PAGE else ""
    return render(
        request,
        "usage/entries.html",
        entries=shown,
        asked=asked,
        service=service,
        named=named,
        months=await months(session, actor.team_id),
        labels=await names(session, actor.team_id),
        subjects=await subjects(session, actor.team_id, service, ids),
        ratings=RATINGS,
        next_url=f"{here}&{more}" if more else "",
        first_url=here if cursor else "",
        zone=named.period.zone,
    )


@router.get("/usage/entries.csv")
async def download(
    request: Request, actor: CurrentActor, session: TeamSession, asked: EntriesQuery
) -> StreamingResponse:
    export = await to_export(session, actor.team_id, actor.timezone, asked)
    return stream(request, session, actor.team_id, export)


@router.get("/usage/summary.csv")
async def summary(
    actor: CurrentActor,
    session: TeamSession,
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    return await as_lines(session, actor.team_id, month)


@router.get("/usage/entries/{entry_id}")
async def why(
    request: Request, entry_id: int, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """One unit: what it cost and why. Another team's entry is not there."""
    found = await explain(session, actor.team_id, entry_id)
    return render(
        request,
        "usage/entry.html",
        found=found,
        headline=reasons.headline(found),
        answers=reasons.sentences(found),
        zone=found.month.period.zone,
    )
