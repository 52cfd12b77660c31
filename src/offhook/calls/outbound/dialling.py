"""Asking the carrier to call, exactly once, and what becomes of a call until it is answered (C8).

The steps, each committed before the next: claimed (a line kept, the time noted), placed, the
carrier's id stored; what is said first is made before it rings. Who dies in between leaves a call
of which the carrier may know: it is looked up there before it is ever placed again. The callbacks
carry our id, so those that are faster than our own commit find their call; a second one of the same
call is hung up when it is answered.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook import inbox, numbers
from offhook.agents import Snapshot, from_json
from offhook.calls import admission, service
from offhook.calls.admission import Admitted
from offhook.calls.first_words import make_ready
from offhook.calls.models import Call, MediaNode, OutboundCall
from offhook.calls.outbound import rules
from offhook.calls.rules import NODE_SILENT_AFTER, CallState, End, Happening, after
from offhook.carriers import (
    CallOut,
    CallRecord,
    Carrier,
    CarrierProblem,
    Carriers,
    Refused,
)
from offhook.db import Database, Session, now, touch
from offhook.failpoints import failpoint
from offhook.phone import E164
from offhook.speech import VoiceCache

log = logging.getLogger(__name__)
PATH = "/carriers/twilio/outbound"
TOO_LATE = "The carrier could not be asked in time."


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that is to be placed. `doubtful`: an earlier try may have succeeded; `too_late`: if it
    did not, nobody is called any more.
    """

    team_id: str
    call_id: str
    account_id: str | None
    order: CallOut
    agent: Snapshot
    opening: str
    attempted_at: datetime
    doubtful: bool
    too_late: bool


class Dialler:
    """The work of one worker; `web_url` is where the carrier asks and reports."""

    def __init__(
        self, database: Database, carriers: Carriers, voices: VoiceCache, *, web_url: str
    ) -> None:
        self._database = database
        self._carriers = carriers
        self._voices = voices
        self._web_url = web_url

    async def dial(self, team_id: str, call_id: str) -> None:
        """The job. Raises Unreachable; trying again is safe."""
        async with self._database.system() as session:
            claimed = await _claim(session, team_id, call_id, self._web_url)
        if claimed is None:
            return
        failpoint("outbound.claimed")
        if not claimed.doubtful and not await self._can_speak(claimed):
            await self._not_reached(claimed, End.NO_VOICE)
            return
        carrier = await self._carriers.of(claimed.account_id)
        try:
            placed = await self._place(carrier, claimed)
        except Refused as refusal:
            await self._not_reached(claimed, End.UNREACHABLE, refusal.sentence)
            return
        failpoint("outbound.placed")
        if placed is None:
            await self._not_reached(claimed, End.UNREACHABLE, TOO_LATE)
            return
        async with self._database.team(team_id) as session:
            call = await service.get(session, team_id, call_id, lock=True)
            mine = adopt(call, placed.carrier_id)
            over = call.state not in admission.LIVE_STATES
        failpoint("outbound.adopted")
        if over or not mine:
            await carrier.hang_up(placed.carrier_id)

    async def _place(self, carrier: Carrier, claimed: Claimed) -> CallRecord | None:
        """Place the call, or find the one that the carrier has already; None: too late for it."""
        if claimed.doubtful:
            order = claimed.order
            found = await carrier.find_placed(
                sender=order.sender, to=order.to, after=claimed.attempted_at
            )
            async with self._database.system() as session:
                unknown = await _unknown(session, found)
            if unknown:
                return unknown[0]
        return None if claimed.too_late else await carrier.place_call(claimed.order)

    async def _can_speak(self, claimed: Claimed) -> bool:
        """Make what is said first, while nobody listens yet."""
        return await make_ready(self._voices, claimed.agent, claimed.opening)

    async def _not_reached(self, claimed: Claimed, reason: End, sentence: str = "") -> None:
        async with self._database.team(claimed.team_id) as session:
            call = await service.get(session, claimed.team_id, claimed.call_id, lock=True)
            if call.state is not CallState.DIALLING:
                return
            if sentence:
                await inbox.add_turn(
                    session,
                    call.team_id,
                    call.conversation_id,
                    speaker=inbox.Speaker.NOTICE,
                    text=sentence,
                )
            await service.finish(session, call.team_id, call.id, reason)

    async def cancel(self, team_id: str, call_id: str) -> None:
        """Somebody asked for the end of a call that rings (N9, I5)."""
        async with self._database.team(team_id) as session:
            call = await service.get(session, team_id, call_id, lock=True)
            if call.state is not CallState.DIALLING or call.end_requested is None:
                return
            await service.finish(session, team_id, call_id, End(call.end_requested))
            account_id = await numbers.account_of(session, call.number_id)
        if call.carrier_call_id == call.id:
            return  # whoever learns its name hangs up
        try:
            carrier = await self._carriers.of(account_id)
            await carrier.hang_up(call.carrier_call_id)
        except CarrierProblem as problem:  # it is hung up on when it is answered
            log.warning("%s may ring on: %s", call_id, problem)


async def _claim(session: Session, team_id: str, call_id: str, web_url: str) -> Claimed | None:
    """Keep a line for the call and note that the carrier may know of it, or end it. System scope:
    a line is one of all teams'.
    """
    call = await service.get(session, team_id, call_id, lock=True)
    started = await service.beside(session, call)
    if call.state is not CallState.DIALLING or call.carrier_call_id != call.id or started is None:
        return None
    if call.end_requested:
        await service.finish(session, team_id, call_id, End(call.end_requested))
        return None
    instant = await now(session)
    doubtful = started.attempted_at is not None
    too_late = (instant - started.asked_at).total_seconds() > rules.GIVE_UP_S
    if not doubtful:
        if too_late or (node := await admission.free_node(session)) is None:
            reason = End.UNREACHABLE if too_late else End.NO_CAPACITY
            await service.finish(session, team_id, call_id, reason)
            return None
        call.node_id, call.heartbeat_at, started.attempted_at = node.id, instant, instant
    number = await numbers.get(session, team_id, call.number_id)
    return Claimed(
        team_id=team_id,
        call_id=call_id,
        account_id=number.account_id,
        order=_order(call, started, number, f"{web_url}{PATH}/{call.id}"),
        agent=from_json(call.agent),
        opening=started.said,
        attempted_at=started.attempted_at or instant,
        doubtful=doubtful,
        too_late=too_late,
    )


def _order(call: Call, started: OutboundCall, number: numbers.Number, base: str) -> CallOut:
    return CallOut(
        sender=E164(number.e164),
        to=E164(call.caller),
        answer_url=f"{base}/answered",
        status_url=f"{base}/status",
        ring_s=rules.RING_S,
        detection=rules.DETECTION[started.machine],
        machine_url=f"{base}/machine",
    )


async def _unknown(session: Session, found: Sequence[CallRecord]) -> list[CallRecord]:
    """Those that are no other call's of ours."""
    ids = [each.carrier_id for each in found]
    known = set(
        await session.scalars(select(Call.carrier_call_id).where(Call.carrier_call_id.in_(ids)))
    )
    return [each for each in found if each.carrier_id not in known]


def adopt(call: Call, carrier_call_id: str) -> bool:
    """The carrier has named the locked call. False: it has another name already."""
    if call.carrier_call_id == call.id:
        call.carrier_call_id = carrier_call_id
    return call.carrier_call_id == carrier_call_id


async def picked_up(session: Session, call: Call, carrier_call_id: str) -> Admitted | None:
    """Somebody or something answered the locked call; None: hang up. System scope."""
    if not adopt(call, carrier_call_id):
        return None
    if call.state is CallState.DIALLING:
        node = await _line(session, call)
        if call.end_requested or node is None:
            reason = End(call.end_requested) if call.end_requested else End.NO_CAPACITY
            await service.finish(session, call.team_id, call.id, reason)
            return None
        call.state = after(call.state, Happening.PICKED_UP)
        call.node_id = node.id
        call.answered_at = call.heartbeat_at = await now(session)
        await touch(session, call.team_id, f"call:{call.id}")
    if call.state is not CallState.ADMITTED:
        return None
    url = await session.scalar(select(MediaNode.url).where(MediaNode.id == call.node_id))
    return Admitted(call.team_id, call.id, call.epoch, url) if url else None


async def _line(session: Session, call: Call) -> MediaNode | None:
    """The line that was kept for the call, or another where its process is gone."""
    kept = await session.scalar(
        select(MediaNode).where(
            MediaNode.id == call.node_id,
            MediaNode.heartbeat_at > await now(session) - NODE_SILENT_AFTER,
        )
    )
    return kept or await admission.free_node(session)
