"""REST of usage: months, days, forecasts, entries with their reasons, and CSV (U9).

Whatever the pages of usage say, these say to programs. Entries come as pages of JSON, or streamed
as CSV by `Accept: text/csv` or the address `.csv`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from offhook.teams import CurrentActor, TeamSession
from offhook.usage import answers, view
from offhook.usage.answers import (
    DaysOut,
    EntryOut,
    ExplanationOut,
    ForecastsOut,
    MonthsOut,
    UsageOut,
)
from offhook.usage.asking import EntriesQuery, to_export
from offhook.usage.downloads import as_lines, stream
from offhook.usage.explain import explain
from offhook.usage.export import ENTRY_COLUMNS, LINE_COLUMNS, described
from offhook.usage.month import month_of, summary_of
from offhook.usage.months import month_named, months
from offhook.usage.names import names
from offhook.usage.reading import page_of
from offhook.web import Page, PagingQuery, shapes

router = APIRouter(prefix="/api/v1/usage", tags=["usage"])
MonthName = Annotated[shapes.Month, Query(description="YYYY-MM; empty: the running month.")]
NumberId = Annotated[str, Query(max_length=80, description="A number's id; empty: all.")]
CSV: dict[str, Any] = {"content": {"text/csv": {}}, "description": "The same as CSV."}


@router.get("")
async def usage(actor: CurrentActor, session: TeamSession, month: MonthName = "") -> UsageOut:
    """A month: used, held, free and charged, per number and service, and the lines they make."""
    named = await month_named(session, actor.team_id, month)
    shown = await month_of(session, actor.team_id, named)
    return answers.month(shown, named, await names(session, actor.team_id))


@router.get("/months")
async def summaries(actor: CurrentActor, session: TeamSession) -> MonthsOut:
    """The team's months, newest first, the running one included."""
    return MonthsOut(
        items=[
            answers.summary(await summary_of(session, actor.team_id, named), named)
            for named in await months(session, actor.team_id)
        ]
    )


@router.get("/days")
async def days(
    actor: CurrentActor,
    session: TeamSession,
    month: MonthName = "",
    number: NumberId = "",
) -> DaysOut:
    """What was used on each local day of a month, free and charged."""
    named = await month_named(session, actor.team_id, month)
    shown = await month_of(session, actor.team_id, named)
    return answers.days(shown, number)


@router.get("/forecast")
async def forecast(actor: CurrentActor, session: TeamSession) -> ForecastsOut:
    """When each limit and the free units will be reached at the running month's pace."""
    named = await month_named(session, actor.team_id, "")
    shown = await month_of(session, actor.team_id, named)
    return answers.forecasts(shown, view.outlooks(shown))


@router.get("/entries", response_model=Page[EntryOut], responses={200: CSV})
async def listed(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    asked: EntriesQuery,
    paging: PagingQuery,
    accept: Annotated[str, Header()] = "",
) -> Page[EntryOut] | Response:
    """Entries in the order of time: by month, calls before messages."""
    export = await to_export(session, actor.team_id, actor.timezone, asked)
    if "text/csv" in accept:
        return stream(request, session, actor.team_id, export)
    found, following = await page_of(session, actor.team_id, export, paging)
    return Page(items=[answers.entry(each) for each in found], next=following)


@router.get(
    "/entries.csv",
    response_class=StreamingResponse,
    responses={200: CSV},
    description=described("All entries as CSV, streamed.", ENTRY_COLUMNS),
)
async def download(
    request: Request, actor: CurrentActor, session: TeamSession, asked: EntriesQuery
) -> Response:
    export = await to_export(session, actor.team_id, actor.timezone, asked)
    return stream(request, session, actor.team_id, export)


@router.get(
    "/summary.csv",
    response_class=Response,
    responses={200: CSV},
    description=described("A month's lines as CSV.", LINE_COLUMNS),
)
async def summary(actor: CurrentActor, session: TeamSession, month: MonthName = "") -> Response:
    return await as_lines(session, actor.team_id, month)


@router.get("/entries/{entry_id}")
async def why(entry_id: int, actor: CurrentActor, session: TeamSession) -> ExplanationOut:
    """One unit: what happened to it, what it cost and why."""
    return answers.explanation(await explain(session, actor.team_id, entry_id))
