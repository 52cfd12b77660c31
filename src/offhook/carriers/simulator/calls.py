"""Calls at the simulated carrier: set up, connected, redirected, limited and ended.

The switchboard knows all live calls; `live` runs each one. A call that was live when the process
died is ended at the next start, with its status callback, as a carrier's failover would.
"""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from offhook.carriers.simulator import charges, documents, resources, store
from offhook.carriers.simulator.handsets import Handset, Handsets
from offhook.carriers.simulator.live import RING_S, Dialled, Ended, LiveCall, call_fields
from offhook.carriers.simulator.people import Hand, Manner, People
from offhook.carriers.simulator.resources import ApiError
from offhook.carriers.simulator.store import Row, Store
from offhook.carriers.simulator.webhooks import Webhooks

HIDDEN_CALLER = "+266696687"  # "anonymous" on the keypad, as the carrier tells a hidden number
NOT_IN_PROGRESS = ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
_LIVE = ("ringing", "in-progress")
_AT_ONCE = {
    Manner.BUSY: Ended("busy", "busy"),
    Manner.UNREACHABLE: Ended("failed", "the number cannot be reached"),
}


@dataclass(frozen=True, slots=True)
class Listening:
    """Answering-machine detection that was asked for: where it is told, and when of a machine."""

    url: str
    message_end: bool


class Switchboard:
    """All calls, of every account."""

    def __init__(
        self, *, database: Store, webhooks: Webhooks, handsets: Handsets, people: People
    ) -> None:
        self._store = database
        self._people = people
        self._webhooks = webhooks
        self._handsets = handsets
        self._live: dict[str, LiveCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """End what a dead process left behind."""
        rows = await self._store.do(lambda db: store.select(db, "call"))
        for row in rows:
            if row.data["status"] in _LIVE:
                self._start(self._finish(row, Ended("failed", "the carrier restarted"), None))

    async def close(self) -> None:
        for call in list(self._live.values()):
            call.end(Ended("completed", "the carrier stops"))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def call_in(
        self, *, sender: str, to: str, handset: Handset, hidden: bool = False, verstat: str = ""
    ) -> LiveCall | None:
        """A telephone calls; None, and the telephone told, when the number is nobody's."""
        held = await self._store.do(lambda db: store.select(db, "number", {"phone_number": to}))
        if not held or not held[0].data["capabilities"]["voice"]:
            handset.tell({"type": "refused", "call": "", "reason": "not_in_use"})
            return None
        number = held[0].data
        row = await self._store.do(
            lambda db: self._insert(db, HIDDEN_CALLER if hidden else sender, to, held[0], "inbound")
        )
        call = self._call(row, handset)
        call.verstat = verstat
        urls = [number["voice_url"], number["voice_fallback_url"]]
        self._run(call, call.run_inbound(urls), status_url=number["status_callback"])
        return call

    async def call_out(
        self,
        *,
        account: str,
        sender: str,
        to: str,
        first: Callable[[LiveCall], Any],
        status_url: str,
        ring_s: float = RING_S,
        listening: Listening | None = None,
    ) -> Row:
        """Our side calls a telephone or somebody of `people`; of others nobody is at home."""
        mine = {"phone_number": sender, "account_sid": account}
        held = await self._store.do(lambda db: store.select(db, "number", mine))
        if not held:
            raise ApiError(400, 21210, f"'From' phone number {sender} is not a number of yours.")
        row = await self._store.do(lambda db: self._insert(db, sender, to, held[0], "outbound-api"))
        call = self._ringing_at(row, to)
        work = call.run_outbound(lambda: first(call), ring_s=ring_s)
        self._run(call, work, status_url=status_url)
        if listening is not None:
            self._start(self._listen(call, listening))
        return row

    def live(self, sid: str) -> LiveCall | None:
        return self._live.get(sid)

    async def update(
        self,
        sid: str,
        *,
        verbs: Sequence[documents.Verb] | None,
        url: str,
        status: str,
        time_limit_s: int | None,
    ) -> Row:
        """The REST update of a live call. Raises ApiError when it is over or unknown."""
        row = await self._store.do(lambda db: store.fetch(db, "call", sid))
        if row is None:
            raise resources.not_found(f"/Calls/{sid}.json")
        call = self._live.get(sid)
        if call is None or call.over:
            raise NOT_IN_PROGRESS
        if time_limit_s is not None:
            call.limit(time_limit_s)
        if verbs is not None:
            call.redirect(verbs)
        elif url:
            call.redirect([documents.Redirect(url)])
        if status in {"completed", "canceled"}:
            call.end(Ended("completed" if call.answered else "canceled", "ended by the API"))
            await call.finished.wait()
        return await self._store.do(lambda db: store.fetch(db, "call", sid)) or row

    async def _dial(self, parent: LiveCall, verb: documents.Dial) -> Dialled:
        """A second leg, to its end; without the caller it has none to talk to and ends too."""
        leg = await self._leg(parent, verb)

        async def join() -> None:
            await leg.joined_with(parent)

        work = leg.run_outbound(lambda: leg.announced(verb.url), ring_s=verb.timeout_s, then=join)
        self._run(leg, work, status_url="")
        self._start(self._tell_progress(leg, verb))
        try:
            await leg.finished.wait()
        finally:
            gone = "completed" if leg.answered else "canceled"
            leg.end(Ended(gone, "the caller's side ended"))
        data = leg.row.data
        return Dialled(leg.row.sid, data["status"], int(data["duration"]), leg.joined)

    async def _leg(self, parent: LiveCall, verb: documents.Dial) -> LiveCall:
        sender = verb.caller_id or parent.row.data["from"]
        row = await self._store.do(
            lambda db: self._insert(db, sender, verb.number, parent.row, "outbound-dial")
        )
        return self._ringing_at(row, verb.number)

    def _ringing_at(self, row: Row, number: str) -> LiveCall:
        """A call to whoever has `number`: a telephone that is connected, else one of `people`."""
        connected, person = self._handsets.of(number), self._people.of(number)
        if connected or person is None:
            return self._call(row, connected[0] if connected else None)
        hand = Hand(person)
        call = self._call(row, hand)
        hand.take(call)
        if person.manner in _AT_ONCE:
            call.end(_AT_ONCE[person.manner])
        return call

    async def _listen(self, call: LiveCall, listening: Listening) -> None:
        """Tell what answered, by its pattern; a telephone that a person holds is human."""
        over = asyncio.create_task(call.finished.wait())
        answered = asyncio.create_task(call.answering.wait())
        await asyncio.wait({over, answered}, return_when=asyncio.FIRST_COMPLETED)
        answered.cancel()
        if call.answered:
            number = call.row.data["to"]
            person = None if self._handsets.of(number) else self._people.of(number)
            told, after_s = "human", 0.0
            if person is not None:
                told, after_s = person.detected(message_end=listening.message_end)
            await asyncio.wait({over}, timeout=after_s)
            await self._tell_machine(call, listening.url, told)
        over.cancel()

    async def _tell_machine(self, call: LiveCall, url: str, told: str) -> None:
        fields = [
            ("CallSid", call.row.sid),
            ("AccountSid", call.row.data["account_sid"]),
            ("AnsweredBy", told),
            ("MachineDetectionDuration", "1200"),
        ]
        await self._webhooks.post([url], fields, sid=call.row.sid)

    async def _tell_progress(self, leg: LiveCall, verb: documents.Dial) -> None:
        """The callbacks of a leg: its answer, what answered, its end."""
        over = asyncio.create_task(leg.finished.wait())
        answered = asyncio.create_task(leg.answering.wait())
        await asyncio.wait({over, answered}, return_when=asyncio.FIRST_COMPLETED)
        answered.cancel()
        if leg.answered and "answered" in verb.status_events and verb.status_url:
            fields = call_fields(leg.row, "in-progress")
            await self._webhooks.post([verb.status_url], fields, sid=leg.row.sid)
        if leg.answered and verb.amd_url:
            person = self._people.of(verb.number)
            told = person.detected(message_end=False)[0] if person is not None else "human"
            await self._tell_machine(leg, verb.amd_url, told)
        await over
        if "completed" in verb.status_events and verb.status_url:
            await self._webhooks.post(
                [verb.status_url], call_fields(leg.row, leg.row.data["status"]), sid=leg.row.sid
            )

    def _call(self, row: Row, handset: Handset | None) -> LiveCall:
        return LiveCall(
            row,
            handset=handset,
            webhooks=self._webhooks,
            database=self._store,
            dial=self._dial,
        )

    def _insert(self, db: sqlite3.Connection, sender: str, to: str, of: Row, direction: str) -> Row:
        """A new call of a number, or a second leg `of` a call."""
        sid = f"CA{uuid.uuid4().hex}"
        data = resources.call(
            account=of.data["account_sid"],
            sid=sid,
            sender=sender,
            to=to,
            number_sid=of.sid if of.kind == "number" else None,
            parent=of.sid if of.kind == "call" else None,
            direction=direction,
            now_s=time.time(),
        )
        row = store.insert(db, "call", sid, data, {})
        parent = data["parent_call_sid"] or ""
        told = {"from": sender, "to": to, "direction": direction, "parent": parent}
        store.log(db, "call_ringing", sid, **told)
        return row

    def _run(self, call: LiveCall, work: Any, *, status_url: str) -> None:
        async def whole() -> None:
            try:
                ended = await work
                await self._finish(call.row, ended, call, status_url)
            finally:
                call.finished.set()
                self._live.pop(call.row.sid, None)

        self._live[call.row.sid] = call
        self._start(whole())

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(
        self, row: Row, ended: Ended, call: LiveCall | None, status_url: str = ""
    ) -> None:
        """Record the end, tell the telephone, and report to the application."""
        now = (call.ended_at if call else None) or time.time()
        seconds = call.billed_s(now) if call else 0
        minutes = -(-seconds // 60)

        def act(db: sqlite3.Connection) -> Row:
            changed = store.change(
                db,
                row,
                status=ended.status,
                end_time=resources.timestamp(now),
                date_updated=resources.timestamp(now),
                duration=str(seconds),
                price=charges.of_call(row.data["direction"], minutes),
            )
            store.log(
                db,
                "call_ended",
                row.sid,
                status=ended.status,
                reason=ended.reason,
                duration_s=seconds,
                minutes=minutes,
            )
            return changed

        changed = await self._store.do(act)
        if call:
            call.row = changed
            call.finished.set()
            call.tell_end(ended, seconds, minutes)
        if status_url:
            self._start(self._report(status_url, changed, seconds, minutes, now))

    async def _report(
        self, status_url: str, row: Row, seconds: int, minutes: int, now_s: float
    ) -> None:
        fields = [
            *call_fields(row, row.data["status"]),
            ("CallDuration", str(seconds)),
            ("Duration", str(minutes)),
            ("Timestamp", resources.timestamp(now_s)),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", "0"),
        ]
        await self._webhooks.post([status_url], fields, sid=row.sid)
