"""The audit log as CSV, streamed: an entry a line, its changes in one cell."""

from collections.abc import AsyncIterator
from typing import cast

from starlette.requests import Request
from starlette.responses import StreamingResponse

from offhook import audit
from offhook.db import Database, Session
from offhook.teams.log_words import changed_text
from offhook.web import csv_line

COLUMNS = (
    "position",
    "at_utc",
    "actor",
    "actor_kind",
    "actor_id",
    "action",
    "subject",
    "label",
    "subject_id",
    "changes",
    "digest",
)


def download(
    request: Request, session: Session, team_id: str, asked: audit.Filter
) -> StreamingResponse:
    """The file; that it was downloaded is recorded with `session`."""
    audit.record(session, team_id, "exported", "audit log", team_id)
    database = cast("Database", request.app.state.database)
    return StreamingResponse(
        _lines(database, team_id, asked),
        media_type="text/csv",
        headers={
            "Content-Disposition": 'attachment; filename="offhook-audit-log.csv"',
            "Cache-Control": "no-store",
        },
    )


async def _lines(database: Database, team_id: str, asked: audit.Filter) -> AsyncIterator[str]:
    yield csv_line(COLUMNS)
    async with database.team(team_id) as session:
        async for entry in audit.entries(session, team_id, asked):
            yield csv_line(_cells(entry))


def _cells(entry: audit.Entry) -> list[str]:
    return [
        str(entry.position),
        entry.at.isoformat(),
        entry.actor_name,
        entry.actor_kind.value,
        entry.actor_id,
        entry.action,
        entry.subject,
        entry.label,
        entry.subject_id,
        "; ".join(changed_text(entry)),
        entry.digest,
    ]
