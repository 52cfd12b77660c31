"""The sections of a number's page about its manners on calls: calls, hours, screening."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from offhook import bookings, contacts, numbers
from offhook.calls.manners import service
from offhook.calls.manners.rules import WHEN_CLOSED, Manners, WhenClosed
from offhook.calls.transfers import targets
from offhook.db import Session
from offhook.teams import CurrentActor, TeamSession
from offhook.web import figures, redirect

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=4_000)]
SHOWN_BLOCKS = 10
HIDDEN = (("", "As for all numbers"), ("answer", "Answer"), ("refuse", "Do not answer"))
_HIDDEN_VALUE: Mapping[str, bool | None] = {"answer": False, "refuse": True}


async def _calls(session: Session, number: numbers.Number) -> Mapping[str, Any]:
    return {"manners": await service.of(session, number.team_id, number.id)}


async def _hours(session: Session, number: numbers.Number) -> Mapping[str, Any]:
    manners = await service.of(session, number.team_id, number.id)
    hours = manners.hours or bookings.hours.WORKING_DAYS
    spans = [bookings.hours.written(each) for each in hours.week]
    people = await targets.listed(session, number.team_id)
    return {
        "manners": manners,
        "week": list(zip(bookings.hours.DAYS, bookings.hours.DAY_NAMES, spans, strict=True)),
        "special": bookings.hours.written_special(hours.special),
        "when_closed": list(WHEN_CLOSED.items()),
        "people": [("", "Nobody"), *((each.id, each.name) for each in people)],
        "has_people": bool(people),
    }


async def _screening(session: Session, number: numbers.Number) -> Mapping[str, Any]:
    manners = await service.of(session, number.team_id, number.id)
    blocked = await contacts.blocked(session, number.team_id)
    return {
        "manners": manners,
        "hidden": HIDDEN,
        "hidden_value": {None: "", False: "answer", True: "refuse"}[manners.refuse_hidden],
        "blocked": blocked[:SHOWN_BLOCKS],
        "more_blocked": max(0, len(blocked) - SHOWN_BLOCKS),
    }


SECTIONS = (
    numbers.Section("calls", "Calls", "phone", "calls/number_calls.html", _calls),
    numbers.Section("hours", "Hours and fallback", "clock", "calls/number_hours.html", _hours),
    numbers.Section("screening", "Screening", "shield", "calls/number_screening.html", _screening),
)


@router.post("/numbers/{number_id}/opening-words")
async def opening_words(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession, says_ai: Text = ""
) -> Response:
    return await _change(request, actor, session, number_id, "calls", says_ai=bool(says_ai))


@router.post("/numbers/{number_id}/hours")
async def hours(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    when_closed: Annotated[WhenClosed, Form()],
    limited: Text = "",
    special: Text = "",
    closed_sentence: Text = "",
    fallback_target_id: Text = "",
) -> Response:
    return await _change(
        request,
        actor,
        session,
        number_id,
        "hours",
        hours=await _typed_hours(request, special) if limited else None,
        when_closed=when_closed,
        closed_sentence=" ".join(closed_sentence.split()),
        fallback_target_id=fallback_target_id or None,
    )


@router.post("/numbers/{number_id}/screening")
async def screening(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    hidden: Text = "",
    refuse_failed: Text = "",
    max_calls_an_hour: Text = "",
    caller_lines: Text = "",
    number_lines: Text = "",
) -> Response:
    return await _change(
        request,
        actor,
        session,
        number_id,
        "screening",
        refuse_hidden=_HIDDEN_VALUE.get(hidden),
        refuse_failed=bool(refuse_failed),
        max_calls_an_hour=figures.whole_or_none("max_calls_an_hour", max_calls_an_hour),
        caller_lines=figures.whole_or_none("caller_lines", caller_lines) or Manners().caller_lines,
        number_lines=figures.whole_or_none("number_lines", number_lines),
    )


async def _change(
    request: Request,
    actor: CurrentActor,
    session: Session,
    number_id: str,
    slug: str,
    **changes: Any,
) -> Response:
    await service.change(session, actor.team_id, number_id, numbers.by(actor), **changes)
    return redirect(request, f"/numbers/{number_id}/{slug}", toast="Saved")


async def _typed_hours(request: Request, special: str) -> bookings.Hours:
    form = await request.form()
    week = tuple(bookings.hours.parse(str(form.get(day, ""))[:200]) for day in bookings.hours.DAYS)
    return bookings.Hours(week, bookings.hours.parse_special(special))
