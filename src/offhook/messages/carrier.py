"""The carrier's callbacks about texts, verified before anything is read (SEC1, SEC1b).

    POST /carriers/twilio/sms            a text for one of our numbers
    POST /carriers/twilio/sms-status     news of a text that we sent; `message` is our id of it

Genuine ones are answered 2xx once all is stored, repetitions alike (S2, SEC2); forged ones 403.
Those that find no connection in time are refused while the carrier still listens, and told again.
"""

from typing import Annotated, cast

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from offhook import numbers
from offhook.carriers import (
    Carriers,
    Received,
    callbacks,
    parse_inbound_sms,
    parse_message_status,
    readable,
    twiml,
)
from offhook.db import Database
from offhook.messages.delivery import on_status, sent_from
from offhook.messages.receiving import receive
from offhook.settings import Settings

router = APIRouter(prefix="/carriers/twilio", include_in_schema=False)
Signature = Annotated[str | None, Header(alias="X-Twilio-Signature")]


async def _received(request: Request) -> Received:
    return callbacks.receive(
        _settings(request),
        raw_path=request.scope["raw_path"],
        query=request.scope["query_string"],
        body=await request.body(),
    )


@router.post("/sms")
async def sms(request: Request, signature: Signature = None) -> Response:
    """Store a text and answer with an empty document: replies go through the carrier's API.

    It must be signed by the account of the number that it is for, by our own record (SEC1).
    """
    came = await _received(request)
    database = _database(request)
    async with database.system() as session:
        number = await numbers.held(session, readable(came.claim("To")))
    account_id = number.account_id if number else None
    account = await callbacks.verify(came, _carriers(request), account_id, signature)
    inbound = parse_inbound_sms(came.fields)
    await receive(
        database,
        inbound,
        account_id=account.sid,
        settle_ms=_settings(request).settle_ms,
        number=number,
    )
    return _document()


@router.post("/sms-status")
async def sms_status(
    request: Request,
    signature: Signature = None,
    message: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """News of a text of ours, signed by the account of the number that sent it."""
    came = await _received(request)
    told = readable(came.claim("MessageSid"))
    database = _database(request)
    async with database.system() as session:
        number_id = await sent_from(session, readable(message), told)
        account_id = await numbers.account_of(session, number_id) if number_id else None
    await callbacks.verify(came, _carriers(request), account_id, signature)
    news = parse_message_status(came.fields)
    await on_status(database, message, news)
    return _document()


def _document() -> Response:
    return Response(twiml.nothing(), media_type=twiml.CONTENT_TYPE)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _carriers(request: Request) -> Carriers:
    return cast("Carriers", request.app.state.carriers)


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database).within(callbacks.WAITED_FOR_S)
