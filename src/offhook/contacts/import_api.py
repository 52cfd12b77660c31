"""Imports over REST: upload, say how the file is to be read, start, read the report."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import StreamingResponse

from offhook.contacts import importing
from offhook.contacts.api import attached
from offhook.contacts.import_models import Import, ImportState
from offhook.contacts.importing import Upload
from offhook.contacts.spreadsheet import MAX_BYTES, Way
from offhook.db import Database
from offhook.teams import AdminActor, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1/contact-imports", tags=["contacts"])
UPLOAD_BYTES = MAX_BYTES + 100_000
SAMPLE = 5
Short = Annotated[str, StringConstraints(max_length=40)]


class ImportOut(BaseModel):
    """`columns`: what each column means, "" for one that is left out."""

    id: str
    kind: str
    filename: str
    encoding: str
    separator: str
    country: str
    columns: list[str]
    options: dict[str, Any]
    state: ImportState
    rows_total: int
    rows_done: int
    created: int
    updated: int
    unchanged: int
    refused: int
    started_by: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Import) -> "ImportOut":
        return cls.model_validate(row, from_attributes=True)


class Reading(shapes.Body):
    """Another way to read the file."""

    encoding: Short
    separator: Annotated[str, StringConstraints(min_length=1, max_length=1)]


class Start(shapes.Body):
    """Without `columns` as they were guessed. Of opt-outs the option `number_id` names the number
    that was stopped; without it all of the team's.
    """

    columns: list[Short] | None = Field(default=None, max_length=200)
    options: dict[Literal["number_id"], Short] = Field(default={})


class Refusal(BaseModel):
    line: int
    cells: list[str]
    reason: str


@router.get("")
async def index(actor: AdminActor, session: TeamSession) -> list[ImportOut]:
    """Imports of the last 30 days, the newest first."""
    return [ImportOut.of(each) for each in await importing.listed(session, actor.team_id)]


@router.post(
    "",
    status_code=201,
    openapi_extra={"x-max-bytes": MAX_BYTES},
    max_body_size=UPLOAD_BYTES,
)
async def upload(
    file: Annotated[UploadFile, File(description="CSV, at most 10 MB and 50,000 rows.")],
    actor: AdminActor,
    session: TeamSession,
    kind: Annotated[Literal["contacts", "opt_outs"], Form()] = "contacts",
) -> ImportOut:
    """Upload a file; how it is read is proposed, nothing is imported yet."""
    data = await file.read()
    wanted = Upload(kind, file.filename or "file.csv", data, actor.country, actor.who)
    return ImportOut.of(await importing.upload(session, actor.team_id, wanted))


@router.get("/{import_id}")
async def show(import_id: str, actor: AdminActor, session: TeamSession) -> ImportOut:
    """How far an import came."""
    return ImportOut.of(await importing.get(session, actor.team_id, import_id))


@router.put("/{import_id}/reading")
async def read_again(
    import_id: str, wanted: Reading, actor: AdminActor, session: TeamSession
) -> ImportOut:
    """Read a file that has not begun another way."""
    way = Way(wanted.encoding, wanted.separator)
    return ImportOut.of(await importing.read_again(session, actor.team_id, import_id, way))


@router.post("/{import_id}/start")
async def start(
    import_id: str, wanted: Start, actor: AdminActor, session: TeamSession
) -> ImportOut:
    """Take the rows, in the background; the same file again changes nothing."""
    return ImportOut.of(
        await importing.start(
            session,
            actor.team_id,
            import_id,
            columns=wanted.columns,
            options={str(key): value for key, value in wanted.options.items()},
        )
    )


@router.get("/{import_id}/refusals")
async def refusals(
    import_id: str,
    actor: AdminActor,
    session: TeamSession,
    after: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> list[Refusal]:
    """Up to a hundred refused rows below line `after`, each with its reason."""
    await importing.get(session, actor.team_id, import_id)
    rows = await importing.refusals(session, actor.team_id, import_id, after=after)
    return [Refusal.model_validate(each, from_attributes=True) for each in rows]


@router.get("/{import_id}/refusals.csv", response_class=StreamingResponse)
async def report(
    request: Request, import_id: str, actor: AdminActor, session: TeamSession
) -> StreamingResponse:
    """All refused rows as CSV."""
    await importing.get(session, actor.team_id, import_id)
    database: Database = request.app.state.database
    return StreamingResponse(
        importing.report(database, actor.team_id, import_id),
        media_type="text/csv",
        headers=attached("refused-rows.csv"),
    )
