"""Keeps the calls that no media process carries: their minutes, their limits, their end (U4).

A worker looks after all of them each second, and whichever worker looks next goes on where a dead
one left off: what it must know stands in the rows. Should none be there, a limited call is ended by
the carrier at the last granted minute, which it is told beforehand (`limit_call`); any call is
settled by its lease (UC3).
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from offhook import numbers, usage
from offhook.agents import from_json
from offhook.calls import service
from offhook.calls.models import Call
from offhook.calls.phrases import phrases
from offhook.calls.rules import HEARTBEAT_S, CallState, End
from offhook.calls.transfers import rules
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.models import Transfer
from offhook.calls.transfers.rules import HangUp, LastWords, Renew
from offhook.carriers import Carrier, CarrierProblem, Carriers, twiml
from offhook.db import Database, Session, now

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A call to look after."""

    team_id: str
    call_id: str
    carrier_call_id: str
    account_id: str | None


@dataclass(frozen=True, slots=True)
class ToDo:
    """What is left to be said to the carrier once the transaction stands."""

    wall_at: int | None = None
    document: str = ""
    hang_up: bool = False


class Keeper:
    """The work of one worker."""

    def __init__(self, database: Database, carriers: Carriers) -> None:
        self._database = database
        self._carriers = carriers

    async def look(self) -> None:
        """Once over all calls that are put through now."""
        async with self._database.system() as session:
            rows = await session.execute(
                select(Call.team_id, Call.id, Call.carrier_call_id, Call.number_id).where(
                    Call.state == CallState.TRANSFERRED
                )
            )
            kept = [
                Kept(team_id, call_id, sid, await numbers.account_of(session, number_id))
                for team_id, call_id, sid, number_id in rows.all()
            ]
        for call in kept:
            try:
                await self._keep(call)
            except CarrierProblem as problem:  # the next look tries again
                log.warning("the carrier did not hear about %s: %s", call.call_id, problem)
            except Exception:  # whatever it is, it is this call's alone; logged with its id
                log.exception("call %s was not looked after", call.call_id)

    async def end_now(self, team_id: str, call_id: str) -> None:
        """Somebody asked for the call's end (N9, I5): a job, so that it begins within moments."""
        async with self._database.team(team_id) as session:
            call = await service.get(session, team_id, call_id)
            account_id = await numbers.account_of(session, call.number_id)
        await self._keep(Kept(team_id, call_id, call.carrier_call_id, account_id))

    async def _keep(self, kept: Kept) -> None:
        carrier = await self._carriers.of(kept.account_id)
        ended_s = await self._ended_s(carrier, kept)
        async with self._database.team(kept.team_id) as session:
            call = await service.get(session, kept.team_id, kept.call_id, lock=True)
            transfer = await transfers.open_of(session, call)
            if call.state is not CallState.TRANSFERRED or transfer is None:
                return
            if ended_s is not None:
                reason = End(call.end_requested or End.CALLER_HUNG_UP)
                await service.finish(session, call.team_id, call.id, reason, seconds=ended_s)
                return
            to_do = await _step(session, call, transfer)
        await self._carry_out(carrier, kept, to_do)

    async def _ended_s(self, carrier: Carrier, kept: Kept) -> float | None:
        """How long the call was, if the carrier says that it is over; asked once a minute, before
        the next one is taken: the callback that tells it may be lost.
        """
        async with self._database.team(kept.team_id) as session:
            call = await service.get(session, kept.team_id, kept.call_id)
            transfer = await transfers.open_of(session, call)
            if transfer is None or not isinstance(await _due(session, call, transfer), Renew):
                return None
        try:
            record = await carrier.find_call(kept.carrier_call_id)
        except CarrierProblem as problem:
            log.warning("nothing is known of %s: %s", kept.call_id, problem)
            return None
        return float(record.duration_s) if record is not None and record.state.final else None

    async def _carry_out(self, carrier: Carrier, kept: Kept, to_do: ToDo) -> None:
        sid = kept.carrier_call_id
        if to_do.hang_up:
            await carrier.hang_up(sid)
        elif to_do.document:
            await carrier.redirect(sid, document=to_do.document)
        elif to_do.wall_at is not None:
            await carrier.limit_call(sid, seconds=rules.wall_s(to_do.wall_at))
            async with self._database.team(kept.team_id) as session:
                call = await service.get(session, kept.team_id, kept.call_id, lock=True)
                if (transfer := await transfers.open_of(session, call)) is not None:
                    transfer.walled = max(transfer.walled, to_do.wall_at)


async def _step(session: Session, call: Call, transfer: Transfer) -> ToDo:
    """One look at a locked call. A step that was cut off by a death is taken again."""
    if call.end_requested and not transfer.told:
        await service.finish(session, call.team_id, call.id, End(call.end_requested))
        return ToDo(hang_up=True)
    match await _due(session, call, transfer):
        case HangUp(reason=reason):
            await service.finish(session, call.team_id, call.id, reason)
            return ToDo(hang_up=True)
        case LastWords(reason=reason):
            transfer.told, call.end_requested = True, reason.value
            words = phrases(from_json(call.agent).language)
            document = twiml.say_and_hang_up(words.time_is_up, language=words.carrier_language)
            return ToDo(document=document)
        case Renew(index=index):
            await _renew(session, call, transfer, index)
        case None:
            pass
    await _beat(session, call)
    behind = call.limited and transfer.walled < transfer.granted
    return ToDo(wall_at=transfer.granted) if behind else ToDo()


async def _due(session: Session, call: Call, transfer: Transfer) -> rules.Due | None:
    watched = rules.Watched(
        granted=transfer.granted,
        limited=call.limited,
        max_minutes=from_json(call.agent).options.max_call_minutes,
        final=End(transfer.final) if transfer.final else None,
        told=transfer.told,
    )
    elapsed = await now(session) - call.answered_at
    return rules.due(watched, int(elapsed / timedelta(milliseconds=1)))


async def _renew(session: Session, call: Call, transfer: Transfer, index: int) -> None:
    answer = await usage.reserve_minute(
        session,
        call.team_id,
        number_id=call.number_id,
        call_id=call.id,
        index=index,
        direction=call.direction,
    )
    if isinstance(answer, usage.Denied):
        capped = answer.reason is usage.Reason.SPEND_CAP
        transfer.final = (End.SPEND_CAP if capped else End.LIMIT_REACHED).value
        return
    transfer.granted, transfer.final = index + 1, None
    call.limited = answer.left is not None or answer.is_capped


async def _beat(session: Session, call: Call) -> None:
    """A sign of life, as a media process gives it (UC3)."""
    instant = await now(session)
    if instant - call.heartbeat_at >= timedelta(seconds=HEARTBEAT_S):
        await usage.heartbeat(session, call.team_id, call.id)
        call.heartbeat_at = instant
