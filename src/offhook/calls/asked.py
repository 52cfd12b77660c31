"""What a carrier's request about a call comes with: its verified fields, and how it is answered."""

import asyncio
from typing import Annotated, cast

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response

from offhook import numbers
from offhook.calls import service
from offhook.calls.admission import Admitted
from offhook.calls.away import PATIENCE_S
from offhook.calls.tokens import stream_token
from offhook.carriers import Carriers, Received, callbacks, readable, twiml
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import VoiceCache

Fields = list[tuple[str, str]]
Signature = Annotated[str | None, Header(alias="X-Twilio-Signature")]


async def received(request: Request) -> Received:
    return callbacks.receive(
        settings_of(request),
        raw_path=request.scope["raw_path"],
        query=request.scope["query_string"],
        body=await request.body(),
    )


async def verified(request: Request, came: Received, signature: str | None) -> Fields:
    """The callback's fields, signed by the account of the number that it is about (SEC1).

    A call that we know belongs to its number, whatever else is claimed; any other one to the
    number that is called, or, if nobody's, to the operator's account. Raises one of AWAY.
    """
    async with asyncio.timeout(PATIENCE_S), database_of(request).system() as session:
        call = await service.by_carrier_id(session, readable(came.claim("CallSid")))
        if call is not None:
            account_id = await numbers.account_of(session, call.number_id)
        else:
            number = await numbers.held(session, readable(came.claim("To")))
            account_id = number.account_id if number else None
    return await verified_by(request, came, signature, account_id)


async def verified_by(
    request: Request, came: Received, signature: str | None, account_id: str | None
) -> Fields:
    """The fields, signed by this account; None is the operator's."""
    await callbacks.verify(came, carriers_of(request), account_id, signature)
    return came.fields


def connecting(request: Request, verdict: Admitted) -> Response:
    """The document that carries the caller's audio to the media process of the call."""
    base = settings_of(request).web_url
    token = stream_token(secret_of(request), verdict.call_id, verdict.epoch)
    return document(
        twiml.connect_stream(
            f"{verdict.node_url}/stream",
            parameters={"call": verdict.call_id, "token": token},
            action_url=f"{base}/carriers/twilio/stream-ended/{verdict.call_id}",
        )
    )


def document(text: str) -> Response:
    return Response(text, media_type=twiml.CONTENT_TYPE)


def settings_of(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def database_of(request: Request) -> Database:
    return cast("Database", request.app.state.database).within(callbacks.WAITED_FOR_S)


def carriers_of(request: Request) -> Carriers:
    return cast("Carriers", request.app.state.carriers)


def secret_of(request: Request) -> bytes:
    return cast("bytes", request.app.state.secret)


def voices_of(request: Request) -> VoiceCache:
    return cast("VoiceCache", request.app.state.voices)
