"""Check this number: its section of the number's page, REST, and where its callback arrives.

POST /numbers/{id}/check                    the lines, for the page
POST /api/v1/numbers/{id}/check             the lines
POST /carriers/twilio/check                 answers a signed callback with its nonce
"""

from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse

from offhook import numbers
from offhook.calls.asked import Signature, received, verified
from offhook.calls.checking.rules import State
from offhook.calls.checking.service import Checks
from offhook.carriers import readable
from offhook.db import Session
from offhook.teams import CurrentActor
from offhook.web import render

router = APIRouter()
MAX_NONCE = 60


class Line(BaseModel):
    """One thing that was looked at."""

    code: str
    title: str
    state: State
    sentence: str
    remedy: str


class Check(BaseModel):
    passed: bool = Field(description="No line failed.")
    lines: list[Line]


async def _nothing_yet(_: Session, __: numbers.Number) -> Mapping[str, Any]:
    return {"lines": None}


SECTION = numbers.Section("check", "Check", "stethoscope", "calls/number_check.html", _nothing_yet)


@router.post("/api/v1/numbers/{number_id}/check", tags=["numbers"])
async def check(request: Request, number_id: str, actor: CurrentActor) -> Check:
    """Look at everything that an answered call or text needs; takes about ten seconds."""
    found = await _checks(request).number(actor.team_id, number_id)
    lines = [Line.model_validate(each, from_attributes=True) for each in found]
    return Check(passed=not any(each.failed for each in found), lines=lines)


@router.post("/numbers/{number_id}/check", include_in_schema=False)
async def check_on_page(request: Request, number_id: str, actor: CurrentActor) -> HTMLResponse:
    lines = await _checks(request).number(actor.team_id, number_id)
    return render(request, "calls/number_check_lines.html", lines=lines, number_id=number_id)


@router.post("/carriers/twilio/check", include_in_schema=False)
async def callback(request: Request, signature: Signature = None) -> PlainTextResponse:
    """A callback that means nothing, to see whether callbacks arrive."""
    fields = dict(await verified(request, await received(request), signature))
    return PlainTextResponse(readable(fields.get("Nonce", ""))[:MAX_NONCE])


def _checks(request: Request) -> Checks:
    return cast("Checks", request.app.state.checks)
