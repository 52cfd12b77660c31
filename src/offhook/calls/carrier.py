"""The carrier's callbacks about calls: answered with documents, verified before anything is read.

    POST /carriers/twilio/voice                 a call for one of our numbers: answer or reject
    POST /carriers/twilio/stream-ended/{call}   our media stream is over: hang up, explain, or ring
                                                the person whom the caller is put through to
    POST /carriers/twilio/call-status           the call's end, by the carrier's record

No document ends by waiting (CM4). Whatever goes wrong on our side, the carrier is told to reject:
an answered call costs the caller (C1).
"""

import asyncio
import logging
from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from offhook.calls import admission, service
from offhook.calls.admission import Admitted, Refused
from offhook.calls.asked import (
    Signature,
    carriers_of,
    connecting,
    database_of,
    document,
    received,
    verified,
    voices_of,
)
from offhook.calls.away import AWAY, PATIENCE_S, within
from offhook.calls.first_words import make_ready
from offhook.calls.models import Call
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End, Refusal, signal_for
from offhook.calls.transfers.carrier import second_leg
from offhook.carriers import (
    CallStatus,
    InboundCall,
    Received,
    callbacks,
    parse_call_status,
    parse_inbound_call,
    readable,
    twiml,
)
from offhook.db import Session, now

log = logging.getLogger(__name__)
router = APIRouter(prefix="/carriers/twilio", include_in_schema=False)
RING_S = 10.0  # within the carrier's own time-out for an answer
ASK_AGAIN_S = 0.5


@router.post("/voice")
async def voice(request: Request, signature: Signature = None) -> Response:
    """Decide about an inbound call and say how it goes on."""
    came = await received(request)
    verdict = await _decide(request, came, signature)
    if not isinstance(verdict, Admitted):
        log.info("call %s refused: %s", _named(came), verdict.refusal.value)
        return document(twiml.reject(verdict.signal))
    return connecting(request, verdict)


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
            fields = await within(PATIENCE_S, verified(request, came, signature))
            inbound = parse_inbound_call(fields)
            ready = await _prepare_greeting(request, inbound)
            return await within(PATIENCE_S, _admit(request, inbound, ready=ready))
        except AWAY as error:
            log.warning("no answer for %s: %s", _named(came), error)
            await asyncio.sleep(ASK_AGAIN_S)


async def _admit(request: Request, inbound: InboundCall, *, ready: bool) -> admission.Verdict:
    async with database_of(request).system() as session:
        return await admission.admit(session, inbound, greeting_is_ready=ready)


@router.post("/stream-ended/{call_id}")
async def stream_ended(request: Request, call_id: str, signature: Signature = None) -> Response:
    """The stream is over. A call that we did not end lost its media process: settle it, say so."""
    came = await received(request)
    try:
        fields = await within(PATIENCE_S, verified(request, came, signature))
        status = parse_call_status(fields)
        return await within(PATIENCE_S, _after_stream(request, call_id, status))
    except AWAY as error:  # the sweeper settles it
        log.warning("nothing is known of %s: %s", readable(call_id)[:40], error)
        callbacks.verify_known(came, carriers_of(request), signature)
        return document(twiml.say_and_hang_up(ENGLISH.trouble))


async def _after_stream(request: Request, call_id: str, status: CallStatus) -> Response:
    async with database_of(request).system() as session:
        call = await service.by_carrier_id(session, status.call_id)
        if call is None or call.id != call_id:
            return document(twiml.hang_up())
        call = await service.get(session, call.team_id, call_id, lock=True)
        if call.state is CallState.TRANSFERRED and not status.state.final:
            return await second_leg(request, session, call)
        if status.state.final:  # the caller hung up: the media process hears it too, and settles
            await caller_gone(session, call, status)
            return document(twiml.hang_up())
        lost = await service.finish(session, call.team_id, call_id, End.MEDIA_LOST)
    return document(twiml.say_and_hang_up(ENGLISH.trouble) if lost else twiml.hang_up())


@router.post("/call-status")
async def call_status(request: Request, signature: Signature = None) -> Response:
    """The carrier's record of a call's end; settles a call that nobody else could (UC2)."""
    status = parse_call_status(await verified(request, await received(request), signature))
    if status.state.final:
        async with database_of(request).system() as session:
            call = await service.by_carrier_id(session, status.call_id)
            if call is not None:
                call = await service.get(session, call.team_id, call.id, lock=True)
                await caller_gone(session, call, status)
    return document(twiml.nothing())


async def caller_gone(session: Session, call: Call, status: CallStatus) -> None:
    """The other side is gone. A media process that has the call settles it by its own clock; else
    it is settled here, at the latest by the carrier's: a callback may be late.
    """
    if call.state is CallState.LIVE:
        await service.request_end(session, call.team_id, call.id, End.CALLER_HUNG_UP)
        return
    reason = End(call.end_requested) if call.end_requested else End.CALLER_HUNG_UP
    at = await now(session)
    if status.duration_s and call.state is CallState.TRANSFERRED:
        at = min(at, call.answered_at + timedelta(seconds=status.duration_s))
    await service.finish(session, call.team_id, call.id, reason, at=at)


def _named(came: Received) -> str:
    """The call's id as it is claimed, for the log."""
    return readable(came.claim("CallSid"))[:40]


async def _called(request: Request, inbound: InboundCall) -> admission.Called | None:
    async with database_of(request).system() as session:
        return await admission.called(session, inbound)


async def _prepare_greeting(request: Request, inbound: InboundCall) -> bool:
    """Have the greeting's audio made before the call is answered; False when it cannot be."""
    target = await within(PATIENCE_S, _called(request, inbound))
    if target is None or target.snapshot is None:
        return True
    return await make_ready(voices_of(request), target.snapshot, target.snapshot.greeting)
