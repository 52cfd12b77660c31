"""Pages of numbers that a team has: the Telephony list, and one number section by section.

A control that may be refused changes only with the server's answer: switches are buttons of a
form, so that a refusal leaves them as they are. Buying is in buying_pages.py.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import agents, audit, billing, usage
from offhook.db import Session
from offhook.numbers import activity, limits, listing, problems, rules, sections, service
from offhook.numbers.listing import Filter
from offhook.numbers.models import Activity, Number
from offhook.numbers.rules import Missing, NumberStatus
from offhook.numbers.web import CarrierName
from offhook.numbers.who import by
from offhook.phone import E164, national
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.usage import LimitInvalid, Service
from offhook.web import PagingQuery, paginate, redirect, render

router = APIRouter(include_in_schema=False)
HOME = "/numbers"


WHERE_SET = {
    Missing.NAME: "#name",
    Missing.AGENT: "/agent",
    Missing.LIVE_AGENT: "/agent",
    Missing.SERVICE: "/calls",
}
ACTIONS = {
    "purchased": "Bought",
    "imported": "Imported",
    "configured": "Changed",
    "limited": "Changed a limit",
    "enabled": "Enabled",
    "disabled": "Disabled",
    "deleted": "Deleted",
    "released": "Returned to the carrier",
}
FIELDS = {
    "name": "Name",
    "agent_id": "Agent",
    "calls_enabled": "Calls",
    "sms_enabled": "SMS",
    "record_calls": "Recording",
    "recording_notice": "Recording notice",
    "calls_limit": "Minutes a month",
    "sms_limit": "Messages a month",
    "hours": "Hours",
    "when_closed": "Outside the hours",
    "closed_sentence": "What is said then",
    "fallback_target_id": "Fallback number",
    "refuse_hidden": "Refuse hidden callers",
    "refuse_failed": "Refuse false numbers",
    "max_calls_an_hour": "Calls of one caller an hour",
    "caller_lines": "Calls of one caller at once",
    "number_lines": "Calls at once",
    "says_ai": "Says that an AI speaks",
    "settle_ms": "Wait for more texts",
    "replies_per_hour": "Replies to one sender an hour",
    "replies_per_day": "Replies to one sender a day",
    "new_senders_per_hour": "New senders answered an hour",
    "countries": "Countries answered",
    "stops_loops": "Silent between machines",
    "quiet_hours": "Calls within hours only",
    "opens": "Calls from",
    "closes": "Calls until",
    "countries_called": "Countries called",
    "daily_calls": "Calls begun a day",
    "daily_per_contact": "Calls to one person a day",
    "machine": "When a machine answers",
    "opening": "First words of a call",
}


@router.get(HOME)
async def index(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    carrier_name: CarrierName,
    q: Annotated[str, Query(max_length=80)] = "",
    status: str = "",
    agent_id: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    wanted = Filter(q, status if status in list(NumberStatus) else "", agent_id)
    context = await _listed(session, actor, wanted)
    standing = await billing.standing(session, actor.team_id)
    return render(
        request,
        "numbers/list.html",
        **context,
        agents=await agents.listed(session, actor.team_id),
        missing=standing.missing,
        simulated=carrier_name == "simulator",
    )


@router.get("/numbers/rows")
async def rows(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    carrier_name: CarrierName,
    q: Annotated[str, Query(max_length=80)] = "",
    status: str = "",
    agent_id: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    wanted = Filter(q, status if status in list(NumberStatus) else "", agent_id)
    context = await _listed(session, actor, wanted)
    return render(
        request,
        "numbers/list.html",
        block="rows",
        **context,
        simulated=carrier_name == "simulator",
    )


async def _listed(session: Session, actor: Actor, wanted: Filter) -> dict[str, Any]:
    return {
        "actor": actor,
        "rows": await listing.rows(session, actor.team_id, wanted),
        "wanted": wanted,
        "filtered": bool(wanted.q or wanted.status or wanted.agent_id),
        "statuses": [("", "Any status")] + [(each, each.capitalize()) for each in NumberStatus],
    }


@router.get("/numbers/{number_id}")
async def overview(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
) -> HTMLResponse:
    return await section(request, number_id, "", actor, session, paging)


@router.get("/numbers/{number_id}/limits/sentence")
async def limit_sentence(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    limited: Service,
    limit: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """What a limit would mean, while it is being typed."""
    number = await service.get(session, actor.team_id, number_id)
    try:
        value = usage.limit_from_text(limit.strip())
        sentence = await limits.sentence_for(session, number, limited, value)
    except LimitInvalid as invalid:
        sentence = f"{invalid.sentence} {invalid.remedy}"
    return render(request, "numbers/sentence.html", sentence=sentence)


@router.get("/numbers/{number_id}/state")
async def state(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """The head of a number's page: its status, switch and what is missing."""
    context = await _shown(session, actor, number_id)
    return render(request, "numbers/number.html", block="state", **context)


@router.get("/numbers/{number_id}/{slug}")
async def section(
    request: Request,
    number_id: str,
    slug: str,
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
) -> HTMLResponse:
    context = await _shown(session, actor, number_id)
    shown = sections.section(slug)
    if shown is None:
        raise problems.NumberNotFound(f"A number has no page “{slug[:40]}”.")
    context |= await shown.load(session, context["number"])
    if slug == "activity":
        query = activity.of_number(actor.team_id, number_id)
        lines, following = await paginate(session, query, paging, Activity.position)
        own = f"/numbers/{number_id}/activity"
        ids = audit.ids_in([[line.before, line.after] for line in lines])
        context |= {
            "lines": lines,
            "names": await audit.names(session, actor.team_id, ids),
            "next_url": f"{own}?cursor={following}" if following else "",
            "first_url": own if paging.cursor else "",
            "actions": ACTIONS,
            "fields": FIELDS,
        }
    return render(request, shown.page, slug=slug, **context)


async def _shown(session: Session, actor: Actor, number_id: str) -> dict[str, Any]:
    number = await service.get(session, actor.team_id, number_id)
    readiness = await service.readiness(session, number)
    standing = await billing.standing(session, actor.team_id)
    everybody = await agents.listed(session, actor.team_id)
    return {
        "actor": actor,
        "number": number,
        "title": number.name or national(E164(number.e164)),
        "readiness": readiness,
        "missing": [
            (rules.MISSING_SENTENCES[each], f"/numbers/{number.id}{_where(each, number)}")
            for each in readiness.missing
        ],
        "standing": standing,
        "agents": everybody,
        "agent_names": {agent.id: agent.name for agent in everybody},
        "month": await limits.limits(session, number),
        "sections": sections.sections(),
        "registrations": rules.registration_sentences(number.registrations),
        "gone": NumberStatus(number.status) not in rules.CONFIGURABLE,
    }


def _where(missing: Missing, number: Number) -> str:
    if missing is Missing.LIVE_AGENT and number.agent_id:
        return "/agent"
    return WHERE_SET[missing]


# --- Changes ---

Text = Annotated[str, Form()]


async def _configure(
    request: Request, session: Session, actor: Actor, number_id: str, back: str, **changes: Any
) -> Response:
    await service.configure(session, actor.team_id, number_id, by(actor), **changes)
    return redirect(request, f"/numbers/{number_id}{back}", toast="Saved")


@router.post("/numbers/{number_id}/name")
async def rename(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession, name: Text = ""
) -> Response:
    if not rules.clean_name(name):
        raise problems.NameInvalid(
            "A name has 1 to 80 characters; this one has 0.",
            remedy="Write one.",
            errors=[{"field": "name", "sentence": "Write a name."}],
        )
    return await _configure(request, session, actor, number_id, "", name=name)


@router.post("/numbers/{number_id}/agent")
async def assign(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    agent_id: Text = "",
) -> Response:
    return await _configure(request, session, actor, number_id, "/agent", agent_id=agent_id or None)


@router.post("/numbers/{number_id}/services/{switched}")
async def switch_service(
    request: Request,
    number_id: str,
    switched: Service,
    actor: CurrentActor,
    session: TeamSession,
    on: Annotated[bool, Form()],
) -> Response:
    change = {f"{switched}_enabled": on}
    return await _configure(request, session, actor, number_id, f"/{switched}", **change)


@router.post("/numbers/{number_id}/recording")
async def switch_recording(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    record_calls: Annotated[bool, Form()] = False,
    recording_notice: Annotated[bool, Form()] = False,
) -> Response:
    return await _configure(
        request,
        session,
        actor,
        number_id,
        "/calls",
        record_calls=record_calls,
        recording_notice=recording_notice,
    )


@router.post("/numbers/{number_id}/limits/{limited}")
async def change_limit(
    request: Request,
    number_id: str,
    limited: Service,
    actor: CurrentActor,
    session: TeamSession,
    limit: Text = "",
) -> Response:
    try:
        value = usage.limit_from_text(limit.strip())
    except LimitInvalid as invalid:
        invalid.details["errors"] = [{"field": "limit", "sentence": invalid.sentence}]
        raise
    await limits.set_limit(session, actor.team_id, number_id, by(actor), limited, value)
    return redirect(request, f"/numbers/{number_id}/limits", toast="Saved")


@router.post("/numbers/{number_id}/enabled")
async def switch(
    request: Request,
    number_id: str,
    actor: CurrentActor,
    session: TeamSession,
    on: Annotated[bool, Form()],
) -> Response:
    step = service.enable if on else service.disable
    number = await step(session, actor.team_id, number_id, by(actor))
    toast = "Enabled: the next call or text is answered" if on else "Disabled"
    return redirect(request, f"/numbers/{number.id}", toast=toast)


@router.post("/numbers/{number_id}/delete")
async def delete(
    request: Request, number_id: str, actor: AdminActor, session: TeamSession, typed: Text = ""
) -> Response:
    number = await service.delete(session, actor.team_id, number_id, by(actor), confirmation=typed)
    going = "leaves Offhook" if number.account_id else "goes back to the carrier"
    return redirect(request, HOME, toast=f"{national(E164(number.e164))} {going}")
