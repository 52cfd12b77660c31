"""A fragment for a contact's page: their conversations over all numbers and channels."""

from fastapi import APIRouter
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse

from offhook import contacts, numbers
from offhook.inbox import looks
from offhook.inbox.listing import Filter, listed
from offhook.inbox.models import Conversation, Turn
from offhook.teams import CurrentActor, TeamSession
from offhook.web import render

router = APIRouter(include_in_schema=False)
SHOWN = 50


@router.get("/fragments/contact-timeline/{contact_id}")
async def timeline(
    request: Request, contact_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """The newest fifty, refused calls left out."""
    contact = await contacts.get(session, actor.team_id, contact_id)
    query = listed(actor.team_id, Filter(contact_id=contact.id, snoozed=None))
    newest = query.order_by(Conversation.last_activity_at.desc(), Conversation.id.desc())
    found = (await session.scalars(newest.limit(SHOWN + 1))).all()
    held = await session.scalars(
        select(numbers.Number).where(
            numbers.Number.team_id == actor.team_id,
            numbers.Number.id.in_([each.number_id for each in found]),
        )
    )
    return render(
        request,
        "inbox/contact_timeline.html",
        conversations=found[:SHOWN],
        more=len(found) > SHOWN,
        contact=contact,
        numbers={each.id: each for each in held},
        states=looks.STATES,
        reason=looks.reason,
    )


@router.get("/fragments/turn/{turn_id}")
async def turn(
    request: Request, turn_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """What was said in the turn that a value came from (P3)."""
    found = await session.scalar(
        select(Turn).where(Turn.team_id == actor.team_id, Turn.id == turn_id)
    )
    return render(request, "inbox/turn.html", turn=found)
