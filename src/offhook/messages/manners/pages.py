"""The manners in the SMS section of a number's page."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import numbers
from offhook.messages.manners import service
from offhook.messages.manners.rules import BOUNDS, EVERYWHERE, MannersInvalid
from offhook.teams import CurrentActor, TeamSession
from offhook.web import country_name, figures, redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=400)]
MS = 1000


@router.get("/fragments/texting/{number_id}")
async def fragment(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    number = await numbers.get(session, actor.team_id, number_id)
    return render(
        request,
        "messages/manners.html",
        number=number,
        manners=await service.of(session, actor.team_id, number.id),
        own=country_name(number.country),
        default_s=request.app.state.settings.settle_ms / MS,
        gone=number.status in service.GONE,
    )


@router.post("/numbers/{number_id}/texting")
async def change(
    request: Request, number_id: str, actor: CurrentActor, session: TeamSession, *,
    settle_s: Text = "", replies_per_hour: Text = "", replies_per_day: Text = "",
    new_senders_per_hour: Text = "", countries: Text = "", stops_loops: Text = "",
) -> Response:  # fmt: skip
    await service.change(
        session,
        actor.team_id,
        number_id,
        numbers.By(actor.who, actor.email),
        settle_ms=_settle_ms(settle_s),
        replies_per_hour=figures.whole("replies_per_hour", replies_per_hour),
        replies_per_day=figures.whole("replies_per_day", replies_per_day),
        new_senders_per_hour=figures.whole("new_senders_per_hour", new_senders_per_hour),
        countries=_countries(countries),
        stops_loops=bool(stops_loops),
    )
    return redirect(request, f"/numbers/{number_id}/sms", toast="Saved")


def _settle_ms(text: str) -> int | None:
    """Seconds and their fraction, or nothing. Raises MannersInvalid at the field of the page."""
    if not text.strip():
        return None
    low, high = (bound // MS for bound in BOUNDS["settle_ms"])
    try:
        seconds = float(text.strip().replace(",", "."))
    except ValueError:
        seconds = -1.0
    if not low <= seconds <= high:
        sentence = f"“{text.strip()[:20]}” is not a number from {low} to {high}."
        errors = [{"field": "settle_s", "sentence": sentence}]
        raise MannersInvalid(sentence, remedy="Change it and save again.", errors=errors)
    return round(seconds * MS)


def _countries(text: str) -> tuple[str, ...]:
    """Codes with anything between them; the star alone says all."""
    written = text.upper().replace(",", " ").split()
    return (EVERYWHERE,) if EVERYWHERE in written else tuple(sorted(set(written)))
