"""Pages of contacts: the list, and one contact. Their conversations are the inbox's."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.contacts import profile, service
from offhook.contacts.models import Contact
from offhook.teams import CurrentActor, TeamSession
from offhook.web import Paging, paginate, redirect, render

router = APIRouter(include_in_schema=False)
PAGE = 50


@router.get("/contacts")
async def index(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    q: Annotated[str, Query(max_length=80)] = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    query = service.listed(actor.team_id, q)
    order = (Contact.created_at, Contact.id)
    rows, after = await paginate(session, query, Paging(PAGE, cursor), *order)
    older = "?" + urlencode({"q": q, "cursor": after}) if after else ""
    return render(request, "contacts/list.html", contacts=rows, q=q, older=older)


@router.get("/contacts/{contact_id}")
async def show(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    contact = await service.get(session, actor.team_id, contact_id)
    return render(request, "contacts/contact.html", contact=contact)


@router.post("/contacts/{contact_id}/name")
async def rename(
    request: Request,
    contact_id: str,
    actor: CurrentActor,
    session: TeamSession,
    name: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    await profile.set_by_hand(session, actor.team_id, contact_id, {"name": name}, set_by=actor.who)
    inside = back.startswith("/inbox/")  # nobody else's address is followed
    return redirect(request, back if inside else f"/contacts/{contact_id}", toast="Saved")
