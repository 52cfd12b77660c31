"""The carrier's questions about a second leg, each verified before anything is read.

    POST /carriers/twilio/transfer/{id}/announce   what whoever answers is told first
    POST /carriers/twilio/transfer/{id}/accept     a key was pressed: join the two, or not
    POST /carriers/twilio/transfer/{id}/answered   the leg was picked up
    POST /carriers/twilio/transfer/{id}/machine    a person or a machine did
    POST /carriers/twilio/transfer/{id}/over       the leg is over: hang up, or give the caller back

No document ends by waiting (CM4). Repeats and latecomers get the answer of the present state.
"""

import logging

from fastapi import APIRouter
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from offhook import contacts, numbers, phone
from offhook.agents import from_json
from offhook.calls import admission, service
from offhook.calls.admission import Admitted
from offhook.calls.asked import (
    Signature,
    carriers_of,
    connecting,
    database_of,
    document,
    received,
    settings_of,
    verified,
    verified_by,
)
from offhook.calls.away import AWAY, PATIENCE_S, within
from offhook.calls.models import Call, MediaNode
from offhook.calls.phrases import Phrases, phrases
from offhook.calls.rules import CallState, End
from offhook.calls.transfers import rules
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.models import Transfer
from offhook.calls.transfers.rules import ANNOUNCE_WAIT_S, Failure, TransferState
from offhook.carriers import (
    CarrierProblem,
    DialEnded,
    LegNews,
    callbacks,
    parse_dial_ended,
    parse_leg_news,
    twiml,
)
from offhook.db import Session
from offhook.errors import NotFound
from offhook.phone import E164

log = logging.getLogger(__name__)
router = APIRouter(prefix="/carriers/twilio/transfer", include_in_schema=False)
ACCEPT_KEY = "1"


class TransferNotFound(NotFound):
    code = "transfer_not_found"


async def second_leg(request: Request, session: Session, call: Call) -> Response:
    """How the locked, transferred call goes on now that its stream is closed."""
    transfer = await transfers.open_of(session, call)
    if transfer is None or call.end_requested:
        reason = End(call.end_requested) if call.end_requested else End.MEDIA_LOST
        await service.finish(session, call.team_id, call.id, reason)
        return document(twiml.hang_up())
    await transfers.dialled(transfer)
    number = await numbers.get(session, call.team_id, call.number_id)
    base = f"{settings_of(request).web_url}/carriers/twilio/transfer/{transfer.id}"
    leg = twiml.Leg(
        transfer.e164,
        caller_id=number.e164,
        ring_s=transfer.ring_s,
        answered_url=f"{base}/answered",
        announce_url=f"{base}/announce" if transfer.announced else "",
        machine_url="" if transfer.announced else f"{base}/machine",
    )
    words = _phrases(call)
    return document(
        twiml.dial(
            leg,
            action_url=f"{base}/over",
            said=words.rescue if transfer.rescue else "",
            language=words.carrier_language,
        )
    )


@router.post("/{transfer_id}/announce")
async def announce(request: Request, transfer_id: str, signature: Signature = None) -> Response:
    news = await _news(request, transfer_id, signature)
    async with database_of(request).system() as session:
        call, transfer = await _both(session, transfer_id, news.parent_id)
        await transfers.picked_up(session, transfer, news.leg_id)
        if transfer.state is not TransferState.ANSWERED:
            return document(twiml.hang_up())
        words = _phrases(call)
        agent = from_json(call.agent).name
        text = words.announcement.format(agent=agent, caller=await _caller(session, call))
    url = f"{settings_of(request).web_url}/carriers/twilio/transfer/{transfer_id}/accept"
    return document(
        twiml.announce(
            text, accept_url=url, wait_s=ANNOUNCE_WAIT_S, language=words.carrier_language
        )
    )


@router.post("/{transfer_id}/accept")
async def accept(request: Request, transfer_id: str, signature: Signature = None) -> Response:
    news = await _news(request, transfer_id, signature)
    if news.digits != ACCEPT_KEY:
        return document(twiml.hang_up())
    async with database_of(request).system() as session:
        call, transfer = await _both(session, transfer_id, news.parent_id)
        taken = await transfers.joined(session, call, transfer)
    return document(twiml.nothing() if taken else twiml.hang_up())


@router.post("/{transfer_id}/answered")
async def answered(request: Request, transfer_id: str, signature: Signature = None) -> Response:
    news = await _news(request, transfer_id, signature)
    async with database_of(request).system() as session:
        _, transfer = await _both(session, transfer_id, news.parent_id)
        await transfers.picked_up(session, transfer, news.leg_id)
    return document(twiml.nothing())


@router.post("/{transfer_id}/machine")
async def machine(request: Request, transfer_id: str, signature: Signature = None) -> Response:
    """A machine is hung up on, which gives the caller back; a person has taken the call."""
    news = await _news(request, transfer_id, signature)
    async with database_of(request).system() as session:
        call, transfer = await _both(session, transfer_id)
        if not news.machine:
            await transfers.joined(session, call, transfer)
            return document(twiml.nothing())
        await transfers.failed(session, call, transfer, Failure.MACHINE)
        account_id = await numbers.account_of(session, call.number_id)
        wrong = transfer.failure is Failure.MACHINE and transfer.ended_at is None
    if wrong:
        try:
            carrier = await carriers_of(request).of(account_id)
            await carrier.hang_up(news.leg_id)
        except CarrierProblem as problem:  # the machine hangs up by itself
            log.warning("could not hang up on a machine, %s: %s", transfer_id, problem)
    return document(twiml.nothing())


@router.post("/{transfer_id}/over")
async def over(request: Request, transfer_id: str, signature: Signature = None) -> Response:
    came = await received(request)
    try:
        fields = await within(PATIENCE_S, verified(request, came, signature))
        ended = parse_dial_ended(fields)
        return await within(PATIENCE_S, _after_leg(request, transfer_id, ended))
    except AWAY as error:  # the keeper settles it
        log.warning("nothing is known of %s: %s", transfer_id[:40], error)
        callbacks.verify_known(came, carriers_of(request), signature)
        return document(twiml.say_and_hang_up(phrases("en").trouble))


async def _after_leg(request: Request, transfer_id: str, ended: DialEnded) -> Response:
    async with database_of(request).system() as session:
        call, transfer = await _both(session, transfer_id, ended.call_id)
        if transfer.ended_at is not None:
            return await _again(request, session, call)
        if ended.caller_state.final:
            await service.finish(session, call.team_id, call.id, End.CALLER_HUNG_UP)
            return document(twiml.hang_up())
        failure = transfer.failure or rules.failure_of(
            transfer.state, ended.outcome, announced=transfer.announced, joined=ended.joined
        )
        if failure is None:
            await transfers.joined(session, call, transfer)
        else:
            await transfers.failed(session, call, transfer, failure)
        await transfers.over(session, transfer, ended.leg_id, told_s=ended.duration_s)
        if failure is None or call.end_requested:
            reason = End(call.end_requested) if call.end_requested else End.TRANSFER_OVER
            await service.finish(session, call.team_id, call.id, reason)
            return document(twiml.hang_up())
        return await _give_back(request, session, call)


async def _give_back(request: Request, session: Session, call: Call) -> Response:
    """To the same agent, with its memory; where no line is free the caller is told (C6, C7)."""
    node = await admission.free_node(session, prefer=call.node_id)
    if node is None:
        await service.finish(session, call.team_id, call.id, End.MEDIA_LOST)
        words = _phrases(call)
        return document(twiml.say_and_hang_up(words.trouble, language=words.carrier_language))
    await transfers.came_back(session, call, node.id)
    return connecting(request, Admitted(call.team_id, call.id, call.epoch, node.url))


async def _again(request: Request, session: Session, call: Call) -> Response:
    """The same question once more: the same answer, while it holds."""
    url = await session.scalar(select(MediaNode.url).where(MediaNode.id == call.node_id))
    if call.state is CallState.ADMITTED and url is not None:
        return connecting(request, Admitted(call.team_id, call.id, call.epoch, url))
    return document(twiml.hang_up())


async def _news(request: Request, transfer_id: str, signature: str | None) -> LegNews:
    """A request about the leg, signed by the account of the call that it came from."""
    came = await received(request)
    async with database_of(request).system() as session:
        call, _ = await _both(session, transfer_id)
        account_id = await numbers.account_of(session, call.number_id)
    return parse_leg_news(await verified_by(request, came, signature, account_id))


async def _both(
    session: Session, transfer_id: str, carrier_call_id: str = ""
) -> tuple[Call, Transfer]:
    """The call, locked, and its transfer; of no other call than the request is about.

    System scope: the carrier knows no teams. Raises TransferNotFound.
    """
    known = None
    if "\0" not in transfer_id:
        known = await session.scalar(select(Transfer).where(Transfer.id == transfer_id))
    if known is not None:
        call = await service.get(session, known.team_id, known.call_id, lock=True)
        await session.refresh(known)
        if carrier_call_id in {"", call.carrier_call_id}:
            return call, known
    raise TransferNotFound("There is no such transfer.", remedy="Nothing was changed.")


async def _caller(session: Session, call: Call) -> str:
    """How whoever answers is told who calls."""
    if call.contact_id is not None:
        contact = await contacts.get(session, call.team_id, call.contact_id)
        if contact.name:
            return contact.name
    return phone.national(E164(call.caller)) if call.caller else "a hidden number"


def _phrases(call: Call) -> Phrases:
    return phrases(from_json(call.agent).language)
