"""The carrier's questions and news about a call that we started, each verified first (SEC1).

    POST /carriers/twilio/outbound/{call}/answered   somebody picked up: connect the audio
    POST /carriers/twilio/outbound/{call}/machine    a person or a machine did
    POST /carriers/twilio/outbound/{call}/status     the call is over, answered or not

Repeats and latecomers get the answer of the present state. What comes after the audio is what comes
after it on any call (calls/carrier.py).
"""

import logging

from fastapi import APIRouter
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from offhook import numbers
from offhook.calls import service
from offhook.calls.asked import (
    Signature,
    carriers_of,
    connecting,
    database_of,
    document,
    received,
    verified_by,
)
from offhook.calls.away import AWAY, PATIENCE_S, within
from offhook.calls.carrier import caller_gone
from offhook.calls.models import Call
from offhook.calls.outbound import dialling, rules
from offhook.calls.outbound.rules import Answer
from offhook.calls.rules import CallState, End
from offhook.calls.service import CallNotFound
from offhook.carriers import (
    CallStatus,
    Received,
    callbacks,
    parse_answered_by,
    parse_call_status,
    twiml,
)
from offhook.db import Session, touch
from offhook.prices import Direction

log = logging.getLogger(__name__)
router = APIRouter(prefix=dialling.PATH, include_in_schema=False)


@router.post("/{call_id}/answered")
async def answered(request: Request, call_id: str, signature: Signature = None) -> Response:
    came = await received(request)
    try:
        return await within(PATIENCE_S, _connect(request, came, call_id, signature))
    except AWAY as error:  # nobody is left in silence; the sweeper settles
        log.warning("nothing is known of %s: %s", call_id[:40], error)
        callbacks.verify_known(came, carriers_of(request), signature)
        return document(twiml.hang_up())


async def _connect(
    request: Request, came: Received, call_id: str, signature: str | None
) -> Response:
    fields = await _fields(request, came, call_id, signature)
    status = parse_call_status(fields)
    async with database_of(request).system() as session:
        call = await _locked(session, call_id)
        admitted = await dialling.picked_up(session, call, status.call_id)
    return connecting(request, admitted) if admitted else document(twiml.hang_up())


@router.post("/{call_id}/machine")
async def machine(request: Request, call_id: str, signature: Signature = None) -> Response:
    """What the number's rules want of it: go on, hang up, or leave the message now."""
    fields = await _fields(request, await received(request), call_id, signature)
    answered_by = parse_answered_by(fields)
    async with database_of(request).system() as session:
        call = await _locked(session, call_id)
        started = await service.beside(session, call)
        if started is None or started.answered_by is not None:
            return document(twiml.nothing())
        started.answered_by = answered_by.value
        await touch(session, call.team_id, f"call:{call.id}")
        match rules.answer_to(started.machine, answered_by):
            case Answer.HANG_UP:
                await service.request_end(session, call.team_id, call.id, End.ANSWERED_BY_MACHINE)
            case Answer.SPEAK:
                started.message_due = True
            case Answer.NOTHING:
                pass
    return document(twiml.nothing())


@router.post("/{call_id}/status")
async def status(request: Request, call_id: str, signature: Signature = None) -> Response:
    """The carrier's record of the call's end."""
    fields = await _fields(request, await received(request), call_id, signature)
    told = parse_call_status(fields)
    if told.state.final:
        async with database_of(request).system() as session:
            await _over(session, await _locked(session, call_id), told)
    return document(twiml.nothing())


async def _over(session: Session, call: Call, told: CallStatus) -> None:
    if not dialling.adopt(call, told.call_id):
        return  # of a second call by the same request, which was hung up
    if call.state is CallState.DIALLING:
        reason = End(call.end_requested) if call.end_requested else rules.ENDS[told.state]
        await service.finish(session, call.team_id, call.id, reason)
    else:
        await caller_gone(session, call, told)


async def _fields(
    request: Request, came: Received, call_id: str, signature: str | None
) -> list[tuple[str, str]]:
    """The request's fields, signed by the account of the number that calls."""
    async with database_of(request).system() as session:
        call = await _known(session, call_id)
        account_id = await numbers.account_of(session, call.number_id)
    return await verified_by(request, came, signature, account_id)


async def _known(session: Session, call_id: str) -> Call:
    """System scope: the carrier knows no teams. Raises CallNotFound."""
    call = None
    if "\0" not in call_id:
        call = await session.scalar(
            select(Call).where(Call.id == call_id, Call.direction == Direction.OUTBOUND)
        )
    if call is None:
        raise CallNotFound("There is no such call.", remedy="Nothing was changed.")
    return call


async def _locked(session: Session, call_id: str) -> Call:
    known = await _known(session, call_id)
    return await service.get(session, known.team_id, known.id, lock=True)
