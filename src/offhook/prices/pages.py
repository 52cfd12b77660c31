"""The price list editor, for operators: the list, a kind's history, a new version, its effect."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import teams
from offhook.db import Session, now
from offhook.prices import csv_list, drafts, effect, rules, service
from offhook.prices.api import OPERATOR, csv_answer, read_csv
from offhook.prices.rules import CarrierKind, NumberType, Price
from offhook.teams import Actor, OperatorActor, SystemSession, TeamSession
from offhook.web import redirect, render

router = APIRouter(prefix="/operator/prices", include_in_schema=False)
CARRIERS = {
    CarrierKind.SIMULATOR: "Simulator",
    CarrierKind.TWILIO: "Twilio",
    CarrierKind.OWN: "Brought by the team",
}
TYPES = {
    NumberType.LOCAL: "Local",
    NumberType.MOBILE: "Mobile",
    NumberType.TOLL_FREE: "Toll-free",
}
AMOUNT_LABELS = {
    "monthly": "Monthly",
    "minute_inbound": "Minute in",
    "minute_outbound": "Minute out",
    "message_inbound": "Message in",
    "message_outbound": "Message out",
}
NAMES: dict[str, Any] = {
    "carriers": {str(k): v for k, v in CARRIERS.items()},
    "types": {str(k): v for k, v in TYPES.items()},
    "amounts": AMOUNT_LABELS,
}


@router.get("")
async def price_list(
    request: Request, actor: OperatorActor, session: TeamSession, carrier: str = ""
) -> HTMLResponse:
    present = await now(session)
    rows = await service.price_list(session, present)
    known = [str(kind) for kind in CarrierKind if any(r.kind[0] == kind for r in rows)]
    shown = carrier if carrier in known else known[0]
    changes = await service.latest_changes(session)
    return render(
        request,
        "prices/list.html",
        rows=[row for row in rows if row.kind[0] == shown],
        known=known,
        shown=shown,
        changes=changes,
        people=await _people(session, changes),
        form=_form(actor, ("", "", ""), None, present),
        **NAMES,
    )


@router.get("/kinds/{carrier}/{country}/{number_type}")
async def kind(
    request: Request,
    actor: OperatorActor,
    session: TeamSession,
    carrier: str,
    country: str,
    number_type: str,
) -> HTMLResponse:
    present = await now(session)
    key = (carrier, country, number_type)
    versions = await service.history(session, key)
    if not versions:
        raise service.PriceUnknown("No price was ever set for this kind of number.")
    standing = [v.price for v in reversed(versions) if v.withdrawn_at is None]
    current = rules.in_force(standing, present)
    return render(
        request,
        "prices/kind.html",
        kind=key,
        versions=versions,
        current=current,
        earliest=present + drafts.LEAD,
        people=await _people(session, versions),
        form=_form(actor, key, current or next(iter(standing), None), present),
        **NAMES,
    )


def _form(
    actor: Actor, kind: tuple[str, str, str], price: Price | None, present: datetime
) -> dict[str, str]:
    """What the form for a new version starts with: the prices in force, from next midnight on."""
    carrier, country, number_type = kind
    tomorrow = present.astimezone(ZoneInfo(actor.timezone)) + timedelta(days=1)
    amounts = {name: getattr(price, name).amount if price else "" for name in drafts.AMOUNTS}
    names = {"carrier": carrier, "country": country, "number_type": number_type}
    start = f"{tomorrow:%Y-%m-%d}T00:00"
    return {**names, **amounts, "valid_from": start, "zone": actor.timezone}


@router.post("")
async def add(request: Request, actor: OperatorActor, session: TeamSession) -> Response:
    draft = await _draft(request, actor, session)
    price = await service.add(session, draft, by=actor.who)
    address = f"/operator/prices/kinds/{price.carrier}/{price.country}/{price.number_type}"
    return redirect(request, address, toast="Version added")


@router.post("/preview")
async def preview(request: Request, actor: OperatorActor, session: SystemSession) -> HTMLResponse:
    draft = await _draft(request, actor, session)
    return render(
        request, "prices/effect.html", effect=await effect.effect(session, [draft]), drafts=[draft]
    )


async def _draft(request: Request, actor: Actor, session: Session) -> Price:
    form = await request.form()
    fields = {name: str(form.get(name, "")) for name in drafts.FIELDS}
    return drafts.read(fields, zone=actor.timezone, present=await now(session))


@router.post("/versions/{price_id}/withdraw")
async def withdraw(
    request: Request, price_id: str, actor: OperatorActor, session: TeamSession
) -> Response:
    price = await service.withdraw(session, price_id, by=actor.who)
    address = f"/operator/prices/kinds/{price.carrier}/{price.country}/{price.number_type}"
    return redirect(request, address, toast="Version withdrawn")


@router.get("/export", dependencies=OPERATOR)
async def export(session: TeamSession) -> Response:
    return csv_answer(csv_list.written(await service.price_list(session, await now(session))))


@router.get("/import")
async def import_page(request: Request, actor: OperatorActor) -> HTMLResponse:
    return render(request, "prices/import.html", columns=drafts.FIELDS, zone_name=actor.timezone)


@router.post("/import")
async def bring_in(
    request: Request,
    actor: OperatorActor,
    session: SystemSession,
    text: Annotated[str, Form()],
    action: Annotated[str, Form()] = "preview",
) -> Response:
    found, unchanged = await read_csv(session, actor, text)
    if action != "add":
        told = await effect.effect(session, found)
        return render(request, "prices/effect.html", effect=told, drafts=found, unchanged=unchanged)
    for price in found:
        await service.add(session, price, by=actor.who)
    return redirect(request, "/operator/prices", toast=f"{len(found)} versions added")


async def _people(session: Session, versions: list[service.Version]) -> dict[str, str]:
    ids = {v.created_by for v in versions} | {v.withdrawn_by for v in versions}
    return await teams.operators.who(session, ids - {""})
