"""The carrier's callbacks about calls: answered with documents, verified before anything is read.

    POST /carriers/twilio/voice                 a call for one of our numbers: answer or reject
    POST /carriers/twilio/stream-ended/{call}   our media stream is over: hang up, or explain
    POST /carriers/twilio/call-status           the call's end, by the carrier's record

No document ends by waiting (CM4). Whatever goes wrong on our side, the carrier is told to reject:
an answered call costs the caller (C1).
"""

import asyncio
import logging
from typing import Annotated, cast

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from offhook import numbers
from offhook.calls import admission, service
from offhook.calls.admission import Admitted, Refused
from offhook.calls.away import AWAY, PATIENCE_S, within
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End, Refusal, signal_for
from offhook.calls.tokens import stream_token
from offhook.carriers import (
    CallStatus,
    Carriers,
    InboundCall,
    Received,
    callbacks,
    parse_call_status,
    parse_inbound_call,
    readable,
    twiml,
)
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import SpeechUnavailable, VoiceCache, speakable

log = logging.getLogger(__name__)
router = APIRouter(prefix="/carriers/twilio", include_in_schema=False)
RING_S = 10.0  # within the carrier's own time-out for an answer
ASK_AGAIN_S = 0.5
Signature = Annotated[str | None, Header(alias="X-Twilio-Signature")]


async def _received(request: Request) -> Received:
    return callbacks.receive(
        _settings(request),
        raw_path=request.scope["raw_path"],
        query=request.scope["query_string"],
        body=await request.body(),
    )


async def _fields(request: Request, came: Received, signature: str | None) -> list[tuple[str, str]]:
    """The callback's fields, signed by the account of the number that it is about (SEC1).

    A call that we know belongs to its number, whatever else is claimed; any other one to the
    number that is called, or, if nobody's, to the operator's account. Raises one of AWAY.
    """
    async with asyncio.timeout(PATIENCE_S), _database(request).system() as session:
        call = await service.by_carrier_id(session, readable(came.claim("CallSid")))
        if call is not None:
            account_id = await numbers.account_of(session, call.number_id)
        else:
            number = await numbers.held(session, readable(came.claim("To")))
            account_id = number.account_id if number else None
    await callbacks.verify(came, _carriers(request), account_id, signature)
    return came.fields


@router.post("/voice")
async def voice(request: Request, signature: Signature = None) -> Response:
    """Decide about an inbound call and say how it goes on."""
    came = await _received(request)
    verdict = await _decide(request, came, signature)
    if not isinstance(verdict, Admitted):
        log.info("call %s refused: %s", _named(came), verdict.refusal.value)
        return _document(twiml.reject(verdict.signal))
    base = _settings(request).web_url
    token = stream_token(_secret(request), verdict.call_id, verdict.epoch)
    return _document(
        twiml.connect_stream(
            f"{verdict.node_url}/stream",
            parameters={"call": verdict.call_id, "token": token},
            action_url=f"{base}/carriers/twilio/stream-ended/{verdict.call_id}",
        )
    )


async def _decide(request: Request, came: Received, signature: str | None) -> admission.Verdict:
    """A ledger that does not answer is asked again while the caller hears it ring; then it is our
    own fault, for limited and unlimited numbers alike: no call without a minute (UL13, C1).
    """
    try:
        return await within(RING_S, _ask_until_told(request, came, signature))
    except TimeoutError:
        log.exception("incident: call %s refused for want of an answer", _named(came))
        return Refused(Refusal.OUR_FAULT, signal_for(Refusal.OUR_FAULT))


async def _ask_until_told(
    request: Request, came: Received, signature: str | None
) -> admission.Verdict:
    while True:
        try:
            fields = await within(PATIENCE_S, _fields(request, came, signature))
            inbound = parse_inbound_call(fields)
            ready = await _prepare_greeting(request, inbound)
            return await within(PATIENCE_S, _admit(request, inbound, ready=ready))
        except AWAY as error:
            log.warning("no answer for %s: %s", _named(came), error)
            await asyncio.sleep(ASK_AGAIN_S)


async def _admit(request: Request, inbound: InboundCall, *, ready: bool) -> admission.Verdict:
    async with _database(request).system() as session:
        return await admission.admit(session, inbound, greeting_is_ready=ready)


@router.post("/stream-ended/{call_id}")
async def stream_ended(request: Request, call_id: str, signature: Signature = None) -> Response:
    """The stream is over. A call that we did not end lost its media process: settle it, say so."""
    came = await _received(request)
    try:
        fields = await within(PATIENCE_S, _fields(request, came, signature))
        status = parse_call_status(fields)
        return await within(PATIENCE_S, _after_stream(request, call_id, status))
    except AWAY as error:  # the sweeper settles it
        log.warning("nothing is known of %s: %s", readable(call_id)[:40], error)
        callbacks.verify_known(came, _carriers(request), signature)
        return _document(twiml.say_and_hang_up(ENGLISH.trouble))


async def _after_stream(request: Request, call_id: str, status: CallStatus) -> Response:
    async with _database(request).system() as session:
        call = await service.by_carrier_id(session, status.call_id)
        if call is None or call.id != call_id:
            return _document(twiml.hang_up())
        team_id = call.team_id
        if status.state.final:  # the caller hung up: the media process hears it too, and settles
            await service.request_end(session, team_id, call_id, End.CALLER_HUNG_UP)
            return _document(twiml.hang_up())
        lost = await service.finish(session, team_id, call_id, End.MEDIA_LOST)
    return _document(twiml.say_and_hang_up(ENGLISH.trouble) if lost else twiml.hang_up())


@router.post("/call-status")
async def call_status(request: Request, signature: Signature = None) -> Response:
    """The carrier's record of a call's end; settles a call that nobody else could (UC2)."""
    status = parse_call_status(await _fields(request, await _received(request), signature))
    if status.state.final:
        async with _database(request).system() as session:
            call = await service.by_carrier_id(session, status.call_id)
            if call is not None and call.state is CallState.ADMITTED:
                await service.finish(session, call.team_id, call.id, End.CALLER_HUNG_UP)
            elif call is not None and call.state is CallState.LIVE:
                await service.request_end(session, call.team_id, call.id, End.CALLER_HUNG_UP)
    return _document(twiml.nothing())


def _named(came: Received) -> str:
    """The call's id as it is claimed, for the log."""
    return readable(came.claim("CallSid"))[:40]


async def _called(request: Request, inbound: InboundCall) -> admission.Called | None:
    async with _database(request).system() as session:
        return await admission.called(session, inbound)


async def _prepare_greeting(request: Request, inbound: InboundCall) -> bool:
    """Have the greeting's audio made before the call is answered; False when it cannot be."""
    target = await within(PATIENCE_S, _called(request, inbound))
    if target is None or target.snapshot is None:
        return True
    snapshot = target.snapshot
    text = speakable(snapshot.greeting, snapshot.language)
    if text is None:
        return True
    try:
        await _voices(request).audio(text, voice=snapshot.voice, language=snapshot.language)
    except SpeechUnavailable as problem:
        log.warning("no greeting for %s: %s", inbound.call_id, problem)
        return False
    return True


def _document(text: str) -> Response:
    return Response(text, media_type=twiml.CONTENT_TYPE)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


def _carriers(request: Request) -> Carriers:
    return cast("Carriers", request.app.state.carriers)


def _secret(request: Request) -> bytes:
    return cast("bytes", request.app.state.secret)


def _voices(request: Request) -> VoiceCache:
    return cast("VoiceCache", request.app.state.voices)
