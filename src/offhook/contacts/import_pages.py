"""Pages of imports: upload, what the columns mean, progress and the report."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.contacts import importing, spreadsheet
from offhook.contacts.defining import attributes
from offhook.contacts.import_api import UPLOAD_BYTES
from offhook.contacts.import_models import Import, ImportState
from offhook.contacts.importing import Upload
from offhook.contacts.rules import NAME
from offhook.contacts.spreadsheet import NUMBER, Way
from offhook.db import Session
from offhook.teams import AdminActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
SAMPLE = 6
KINDS = {"contacts": "Contacts", "opt_outs": "Opt-outs"}
Text = Annotated[str, Form()]


@router.get("/contacts/import")
async def index(request: Request, actor: AdminActor, session: TeamSession) -> HTMLResponse:
    found = await importing.listed(session, actor.team_id)
    return render(request, "contacts/import.html", imports=found, kinds=KINDS)


@router.post("/contacts/import", max_body_size=UPLOAD_BYTES)
async def upload(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    file: Annotated[UploadFile, File()],
    kind: Text = "contacts",
) -> Response:
    data = await file.read()
    wanted = Upload(kind, file.filename or "file.csv", data, actor.country, actor.who)
    made = await importing.upload(session, actor.team_id, wanted)
    return redirect(request, f"/contacts/import/{made.id}")


@router.get("/contacts/import/{import_id}")
async def show(
    request: Request, import_id: str, actor: AdminActor, session: TeamSession
) -> HTMLResponse:
    row = await importing.get(session, actor.team_id, import_id)
    if row.state is ImportState.ASKING:
        return render(request, "contacts/import_ask.html", **await _asked(session, row))
    return render(request, "contacts/import_done.html", **await _progress(session, row))


@router.get("/contacts/import/{import_id}/progress")
async def progress(
    request: Request, import_id: str, actor: AdminActor, session: TeamSession
) -> HTMLResponse:
    row = await importing.get(session, actor.team_id, import_id)
    return render(request, "contacts/import_progress.html", **await _progress(session, row))


@router.post("/contacts/import/{import_id}/reading")
async def read_again(
    request: Request,
    import_id: str,
    actor: AdminActor,
    session: TeamSession,
    encoding: Text = "",
    separator: Text = "",
) -> Response:
    way = Way(encoding, "\t" if separator == "tab" else separator)
    await importing.read_again(session, actor.team_id, import_id, way)
    return redirect(request, f"/contacts/import/{import_id}", toast="Read again")


@router.post("/contacts/import/{import_id}/start")
async def start(
    request: Request, import_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    form = await request.form()
    columns = [str(each) for each in form.getlist("columns")]
    options = {"number_id": str(form.get("number_id") or "")}
    await importing.start(session, actor.team_id, import_id, columns=columns, options=options)
    return redirect(request, f"/contacts/import/{import_id}", toast="Importing")


async def _asked(session: Session, row: Import) -> dict[str, Any]:
    sheet = await importing.sheet_of(session, row)
    defined = await attributes(session, row.team_id)
    meanings = [(NUMBER, "Phone number")]
    if row.kind == "contacts":
        meanings += [(NAME, "Name"), *((each.key, each.label) for each in defined)]
    separators = {("tab" if key == "\t" else key): name for key, name in SEPARATORS.items()}
    return {
        "row": row,
        "kind": KINDS[row.kind],
        "sheet": sheet,
        "sample": sheet.rows[:SAMPLE],
        "meanings": [("", "Leave out"), *meanings],
        "encodings": list(spreadsheet.ENCODINGS.items()),
        "separators": list(separators.items()),
        "separator": "tab" if row.separator == "\t" else row.separator,
        "choices": await importing.choices(session, row),
    }


SEPARATORS = {key: name.capitalize() for key, name in spreadsheet.SEPARATORS.items()}


async def _progress(session: Session, row: Import) -> dict[str, Any]:
    refused = await importing.refusals(session, row.team_id, row.id)
    return {"row": row, "kind": KINDS[row.kind], "refused": refused}
