"""Pages beside the contacts: attributes, who is blocked, receipts of erasures."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import audit, phone
from offhook.contacts import defining, erasing, screening
from offhook.contacts.rules import Attribute, Type
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
TYPES = (
    (Type.TEXT, "Text"),
    (Type.NUMBER, "Number"),
    (Type.DATE, "Date"),
    (Type.BOOLEAN, "Yes or no"),
    (Type.CHOICE, "One of several"),
    (Type.EMAIL, "Email"),
    (Type.PHONE, "Phone number"),
)


@router.get("/contacts/attributes")
async def attributes(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    found = await defining.attributes(session, actor.team_id)
    return render(
        request,
        "contacts/attributes.html",
        attributes=found,
        types=TYPES,
        type_names=dict(TYPES),
        is_admin=actor.is_admin,
    )


@router.post("/contacts/attributes")
async def add(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    label: Text = "",
    type: Annotated[Type, Form()] = Type.TEXT,  # noqa: A002 - the field's own name
    choices: Text = "",
    description: Text = "",
    agent_fills: Text = "",
) -> Response:
    wanted = Attribute(
        "",
        label,
        type,
        tuple(choices.splitlines()),
        description,
        agent_fills=bool(agent_fills),
    )
    await defining.add(session, actor.team_id, wanted)
    return redirect(request, "/contacts/attributes", toast="Added")


@router.post("/contacts/attributes/{key}")
async def change(
    request: Request,
    key: str,
    actor: AdminActor,
    session: TeamSession,
    label: Annotated[str | None, Form()] = None,
    choices: Annotated[str | None, Form()] = None,
    description: Annotated[str | None, Form()] = None,
    agent_fills: Text = "",
) -> Response:
    await defining.change(
        session,
        actor.team_id,
        key,
        label=label,
        description=description,
        choices=None if choices is None else choices.splitlines(),
        agent_fills=bool(agent_fills),
    )
    return redirect(request, "/contacts/attributes", toast="Saved")


@router.post("/contacts/attributes/{key}/remove")
async def remove(request: Request, key: str, actor: AdminActor, session: TeamSession) -> Response:
    await defining.remove(session, actor.team_id, key)
    return redirect(request, "/contacts/attributes", toast="Removed")


@router.get("/contacts/blocked")
async def blocked(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return render(
        request,
        "contacts/blocked.html",
        blocked=await screening.blocked(session, actor.team_id),
        refuse_hidden=await screening.refuses_hidden(session, actor.team_id),
        is_admin=actor.is_admin,
    )


@router.post("/contacts/blocked")
async def block(
    request: Request, actor: CurrentActor, session: TeamSession, number: Text = ""
) -> Response:
    wanted = phone.parse(number, actor.country)
    await screening.block(session, actor.team_id, wanted, by=actor.who)
    return redirect(request, "/contacts/blocked", toast="Blocked")


@router.post("/contacts/blocked/{e164}/remove")
async def unblock(
    request: Request, e164: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await screening.unblock(session, actor.team_id, phone.parse(e164, actor.country))
    return redirect(request, "/contacts/blocked", toast="Unblocked")


@router.post("/contacts/screening")
async def screen(
    request: Request, actor: AdminActor, session: TeamSession, refuse_hidden: Text = ""
) -> Response:
    refuse = bool(refuse_hidden)
    await screening.refuse_hidden(session, actor.team_id, refuse, by=actor.who)
    toast = "Hidden callers are not answered" if refuse else "Hidden callers are answered"
    return redirect(request, "/contacts/blocked", toast=toast)


@router.get("/contacts/erased")
async def receipts(request: Request, actor: AdminActor, session: TeamSession) -> HTMLResponse:
    found = await erasing.receipts(session, actor.team_id)
    return render(request, "contacts/erased.html", receipts=found)


@router.get("/contacts/erased/{erasure_id}")
async def receipt(
    request: Request, erasure_id: str, actor: AdminActor, session: TeamSession
) -> HTMLResponse:
    found = await erasing.receipt(session, actor.team_id, erasure_id)
    who = dict(await audit.actors(session, actor.team_id)).get(found.erased_by, found.erased_by)
    return render(request, "contacts/receipt.html", receipt=found, who=who)
