"""Downloads of usage: entries streamed, a month's lines at once; for pages and REST alike."""

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from offhook import audit
from offhook.db import Database, Session
from offhook.usage.export import Asked, entries_csv, lines_csv
from offhook.usage.month import month_of
from offhook.usage.months import month_named
from offhook.usage.names import names


def stream(request: Request, session: Session, team_id: str, asked: Asked) -> StreamingResponse:
    """Entries as a download, recorded; the ledger is read while they are sent."""
    database: Database = request.app.state.database
    ends = [asked.months[0].name, asked.months[-1].name] if asked.months else ["nothing"]
    name = "-to-".join(dict.fromkeys(ends)) + "-entries"
    audit.record(session, team_id, "exported", "usage", team_id, label=name)
    return StreamingResponse(
        entries_csv(database, team_id, asked),
        media_type="text/csv",
        headers=_attached(name),
    )


async def as_lines(session: Session, team_id: str, month: str) -> Response:
    """The lines of the month named `month`. Raises MonthMissing."""
    named = await month_named(session, team_id, month)
    shown = await month_of(session, team_id, named)
    text = lines_csv(shown, await names(session, team_id))
    name = f"{named.name}-summary"
    audit.record(session, team_id, "exported", "usage", team_id, label=name)
    return Response(text, media_type="text/csv", headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="offhook-usage-{name}.csv"',
        "Cache-Control": "no-store",
    }
