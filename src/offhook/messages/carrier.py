"""The carrier's callbacks about texts, verified before anything is read (SEC1, SEC1b).

    POST /carriers/twilio/sms            a text for one of our numbers
    POST /carriers/twilio/sms-status     news of a text that we sent; `message` is our id of it

Genuine ones are answered 2xx once all is stored, repetitions alike (S2, SEC2); forged ones 403.
"""

from typing import Annotated, cast

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from offhook.carriers import (
    account,
    parse_inbound_sms,
    parse_message_status,
    read_callback,
    twiml,
)
from offhook.db import Database
from offhook.messages.delivery import on_status
from offhook.messages.receiving import receive
from offhook.settings import Settings

router = APIRouter(prefix="/carriers/twilio", include_in_schema=False)
Signature = Annotated[str | None, Header(alias="X-Twilio-Signature")]


async def _fields(request: Request, signature: str | None) -> list[tuple[str, str]]:
    return read_callback(
        _settings(request),
        raw_path=request.scope["raw_path"],
        query=request.scope["query_string"],
        body=await request.body(),
        signature=signature,
    )


@router.post("/sms")
async def sms(request: Request, signature: Signature = None) -> Response:
    """Store a text and answer with an empty document: replies go through the carrier's API."""
    inbound = parse_inbound_sms(await _fields(request, signature))
    settings = _settings(request)
    await receive(
        _database(request),
        inbound,
        account_id=account(settings).sid,
        settle_ms=settings.settle_ms,
    )
    return _document()


@router.post("/sms-status")
async def sms_status(
    request: Request,
    signature: Signature = None,
    message: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    news = parse_message_status(await _fields(request, signature))
    await on_status(_database(request), message, news)
    return _document()


def _document() -> Response:
    return Response(twiml.nothing(), media_type=twiml.CONTENT_TYPE)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)
