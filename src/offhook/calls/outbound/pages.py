"""Parts of pages for calls that we start: the sheet that begins one, a number's rules for them.

/fragments/call             the form of the sheet, for a contact or a number
SECTION                     the rules, a section of the number's page
"""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import contacts, numbers
from offhook.calls.outbound import rules, settings, starting
from offhook.calls.outbound.api import callee
from offhook.calls.outbound.rules import Machine, RulesInvalid
from offhook.calls.outbound.settings import Wanted
from offhook.db import Session
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import figures, redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=1_000)]
Id = Annotated[str, Query(max_length=40)]
MACHINES = [
    (Machine.HANG_UP, "Hang up"),
    (Machine.LEAVE_MESSAGE, "Leave the message after the beep"),
    (Machine.GO_ON, "Talk to it"),
]


@router.get("/fragments/call")
async def sheet(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    contact_id: Id = "",
    number_id: Id = "",
) -> HTMLResponse:
    contact = await contacts.get(session, actor.team_id, contact_id) if contact_id else None
    callers = await session.scalars(
        select(numbers.Number)
        .where(
            numbers.Number.team_id == actor.team_id,
            numbers.Number.status == numbers.NumberStatus.ENABLED,
            numbers.Number.calls_enabled,
        )
        .order_by(numbers.Number.name, numbers.Number.id)
    )
    return render(
        request,
        "calls/start.html",
        contact=contact,
        callers=[each for each in callers if number_id in {"", each.id}],
        machines=[("", "As the number has it"), *MACHINES],
        most=rules.MAX_MESSAGE_CHARACTERS,
    )


@router.post("/calls")
async def start(
    request: Request, actor: CurrentActor, session: TeamSession, *,
    number_id: Text = "", to: Text = "", contact_id: Text = "", message: Text = "",
    answering: Text = "",
) -> Response:  # fmt: skip
    order = starting.Order(
        number_id,
        await callee(session, actor, to=to, contact_id=contact_id),
        asked_by=actor.who,
        message=message,
        machine=Machine(answering) if answering in set(Machine) else None,
    )
    call = await starting.start(session, actor.team_id, order)
    return redirect(request, f"/calls/{call.id}", toast="It is being called")


async def _rules(session: Session, number: numbers.Number) -> Mapping[str, Any]:
    return {
        "rules": await settings.of(session, number.team_id, number.id),
        "machines": MACHINES,
        "usual": rules.OPENING,
        "most_daily": rules.MAX_DAILY,
        "most_per_contact": rules.MAX_PER_CONTACT,
        "most_opening": rules.MAX_OPENING_CHARACTERS,
    }


SECTION = numbers.Section(
    "outbound", "Outbound", "phone-outgoing", "calls/number_outbound.html", _rules
)


@router.post("/numbers/{number_id}/outbound")
async def change(
    request: Request, number_id: str, actor: AdminActor, session: TeamSession, *,
    quiet_hours: Text = "", opens: Text = "", closes: Text = "", countries: Text = "",
    daily_calls: Text = "", daily_per_contact: Text = "", machine: Text = "", opening: Text = "",
) -> Response:  # fmt: skip
    wanted = Wanted(
        quiet_hours=bool(quiet_hours),
        opens=_time(opens, "opens"),
        closes=_time(closes, "closes"),
        countries=tuple(countries.replace(",", " ").split()),
        daily_calls=figures.or_zero(daily_calls),
        daily_per_contact=figures.or_zero(daily_per_contact),
        machine=Machine(machine) if machine in set(Machine) else Machine.HANG_UP,
        opening=opening,
    )
    await settings.change(session, actor.team_id, number_id, numbers.by(actor), wanted)
    return redirect(request, f"/numbers/{number_id}/outbound", toast="Saved")


def _time(text: str, field: str) -> time:
    try:
        return time.fromisoformat(text.strip())
    except ValueError:
        sentence = f"“{text[:20]}” is no time of day."
        raise RulesInvalid(
            sentence, remedy="Write it as 08:00.", errors=[{"field": field, "sentence": sentence}]
        ) from None
