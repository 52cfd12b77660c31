"""One live call at the simulated carrier: asks for documents and performs their verbs.

A call is answered by the first verb that is no Reject. Redirecting, hanging up and the time limit
interrupt the verb that is being performed. What the caller pays for starts with the answer.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from offhook.carriers.simulator import documents, resources, store
from offhook.carriers.simulator.bridge import join
from offhook.carriers.simulator.documents import Verb
from offhook.carriers.simulator.handsets import Handset, Nobody
from offhook.carriers.simulator.store import Row, Store
from offhook.carriers.simulator.stream import Microphone, Stream, StreamFailed
from offhook.carriers.simulator.webhooks import Fields, Webhooks

DEFAULT_LIMIT_S = 14_400
RING_S = 60.0
SPEAKING_S_PER_CHARACTER = 0.06


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended: its final status and why."""

    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dialled:
    """What became of a second leg."""

    leg: str
    status: str
    duration_s: int
    joined: bool

    def fields(self) -> Fields:
        return [
            ("DialCallSid", self.leg),
            ("DialCallStatus", self.status),
            ("DialCallDuration", str(self.duration_s)),
            ("DialBridged", str(self.joined).lower()),
        ]


Interruption = Ended | list[Verb]
Step = Callable[[], Awaitable[list[Verb] | Ended | None]]
Dial = Callable[["LiveCall", documents.Dial], Awaitable[Dialled]]


def call_fields(row: Row, status: str) -> list[tuple[str, str]]:
    """What every request about a call carries."""
    data = row.data
    parent = data["parent_call_sid"]
    return [
        *([("ParentCallSid", parent)] if parent else []),
        ("CallSid", row.sid),
        ("AccountSid", data["account_sid"]),
        ("From", data["from"]),
        ("To", data["to"]),
        ("Caller", data["from"]),
        ("Called", data["to"]),
        ("CallStatus", status),
        ("ApiVersion", resources.API),
        ("Direction", data["direction"]),
    ]


class LiveCall:
    """A call from ringing to its end."""

    def __init__(
        self,
        row: Row,
        *,
        handset: Handset | None,
        webhooks: Webhooks,
        database: Store,
        dial: Dial,
    ) -> None:
        self.row = row
        self.handset: Handset = handset or Nobody()
        self.microphone = Microphone()
        self.finished = asyncio.Event()
        self.answering = asyncio.Event()
        self.joined = False
        self.verstat = ""
        self.ended_at: float | None = None
        self._reachable = handset is not None
        self._webhooks = webhooks
        self._store = database
        self._dial = dial
        self._answered_at: float | None = None
        self._picked_up = asyncio.Event()
        self._interruption: asyncio.Future[Interruption] = self._new_interruption()
        self._limit_s = DEFAULT_LIMIT_S
        self._timer: asyncio.TimerHandle | None = None

    @property
    def answered(self) -> bool:
        return self._answered_at is not None

    @property
    def over(self) -> bool:
        return self.finished.is_set()

    def billed_s(self, now_s: float) -> int:
        """Whole seconds from the answer, rounded up; 0 without one."""
        if self._answered_at is None:
            return 0
        return max(1, math.ceil(now_s - self._answered_at))

    def pick_up(self) -> None:
        """The called telephone answers."""
        self._picked_up.set()

    def press(self, digits: str) -> None:
        """Keys of the telephone."""
        for digit in digits:
            if digit in "0123456789*#":
                self.microphone.digits.put_nowait(digit)

    def hear(self, audio: bytes) -> None:
        """The telephone's sound, mu-law."""
        self.microphone.hear(audio)

    def end(self, ended: Ended) -> None:
        self.ended_at = self.ended_at or time.time()
        if not self._interruption.done():
            self._interruption.set_result(ended)

    def hang_up(self) -> None:
        """The telephone's side ends the call."""
        status = "completed" if self.answered else "canceled"
        if self.row.data["direction"] != "inbound" and not self.answered:
            status = "busy"
        self.end(Ended(status, "the telephone hung up"))

    def redirect(self, verbs: Sequence[Verb]) -> None:
        if not self._interruption.done():
            self._interruption.set_result(list(verbs))

    def limit(self, seconds: int) -> None:
        """End the call this long after its answer."""
        self._limit_s = seconds
        if self._answered_at is not None:
            self._arm(self._answered_at + seconds - time.time())

    async def run_inbound(self, urls: Sequence[str]) -> Ended:
        self.handset.tell({"type": "ringing", "call": self.row.sid})
        return await self._run(lambda: self._asked(urls))

    async def run_outbound(
        self, first: Step, *, ring_s: float = RING_S, then: Step | None = None
    ) -> Ended:
        """Ring, then perform `first` and what it leads to, and `then` after the document's end."""
        event = {"type": "incoming", "call": self.row.sid, "from": self.row.data["from"]}
        self.handset.tell(event)
        if not self._reachable:
            return Ended("no-answer", "no telephone is connected under this number")
        picked_up = asyncio.create_task(self._picked_up.wait())
        done, _ = await asyncio.wait(
            {picked_up, self._interruption}, timeout=ring_s, return_when=asyncio.FIRST_COMPLETED
        )
        picked_up.cancel()
        if not done:
            return Ended("no-answer", "nobody picked up")
        if self._interruption.done() and isinstance(ended := self._interruption.result(), Ended):
            return ended
        await self._answer()
        return await self._run(first, then)

    async def announced(self, url: str) -> list[Verb] | Ended:
        """What is played to whoever answered, before the two are joined."""
        verbs = await self._asked([url]) if url else []
        return Ended("completed", "there was no announcement") if verbs is None else verbs

    async def joined_with(self, other: "LiveCall") -> None:
        """Talk until one of the two calls ends."""
        self.joined = True
        await self._store.note("joined", other.row.sid, leg=self.row.sid)
        for call in (self, other):
            call.microphone.forget()
            call.handset.tell({"type": "joined", "call": call.row.sid})
        await join((self.microphone, self.handset), (other.microphone, other.handset))

    def tell_end(self, ended: Ended, seconds: int, minutes: int) -> None:
        sid = self.row.sid
        if self.answered:
            event = {"type": "ended", "call": sid, "reason": ended.reason}
            self.handset.tell(event | {"duration_s": seconds, "minutes": minutes})
        elif ended.reason in {"busy", "rejected"}:
            self.handset.tell({"type": "refused", "call": sid, "reason": ended.reason})
        else:
            event = {"type": "refused", "call": sid, "reason": ended.status}
            self.handset.tell(event | {"detail": ended.reason})

    async def _run(self, first: Step, then: Step | None = None) -> Ended:
        """Perform documents until one ends the call or something interrupts."""
        step: Step = first
        try:
            while True:
                outcome = await self._interruptible(step)
                if isinstance(outcome, Ended):
                    return outcome
                if outcome is None and then is not None:
                    step, then = then, None
                    continue
                if outcome is None:
                    return self._ended_by_document()
                step = partial(self._perform, outcome)
        finally:
            if self._timer:
                self._timer.cancel()

    async def _interruptible(self, step: Step) -> list[Verb] | Ended | None:
        task = asyncio.ensure_future(step())
        try:
            await asyncio.wait({task, self._interruption}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._interruption.done():
            interruption = self._interruption.result()
            self._interruption = self._new_interruption()
            return interruption
        return task.result()

    def _ended_by_document(self) -> Ended:
        if self.answered:
            return Ended("completed", "the document ended")
        return Ended("failed", "no document to follow")

    async def _asked(self, urls: Sequence[str], extra: Fields = ()) -> list[Verb] | None:
        """Ask the application how to go on; None when it cannot say."""
        fields = [*self._fields(), *extra]
        document = await self._webhooks.post(urls, fields, sid=self.row.sid)
        if document is None:
            await self._store.note("application_error", self.row.sid, code=11200)
            return None
        try:
            return documents.parse(document)
        except documents.DocumentError as error:
            await self._store.note("document_error", self.row.sid, code=12100, reason=str(error))
            return None

    def _fields(self) -> list[tuple[str, str]]:
        fields = call_fields(self.row, "in-progress" if self.answered else "ringing")
        return [*fields, ("StirVerstat", self.verstat)] if self.verstat else fields

    async def _perform(self, verbs: Sequence[Verb]) -> list[Verb] | Ended | None:
        """Verb after verb; another document, an end, or None when the document is through."""
        for verb in verbs:
            if isinstance(verb, documents.Reject) and not self.answered:
                return Ended("busy" if verb.reason == "busy" else "failed", verb.reason)
            if not self.answered:
                await self._answer()
            outcome = await self._do(verb)
            if outcome != "next":
                return outcome
        return None

    async def _do(self, verb: Verb) -> list[Verb] | Ended | Literal["next"] | None:
        match verb:
            case documents.Hangup():
                return Ended("completed", "the application hung up")
            case documents.Redirect(url=url):
                return await self._asked([url])
            case documents.Say(text=text):
                await self._say(text)
            case documents.Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case documents.Stream(action=action):
                await self._stream(verb)
                return await self._asked([action]) if action else "next"
            case documents.Dial(action=action):
                dialled = await self._dial(self, verb)
                self.microphone.forget()
                return await self._asked([action], dialled.fields()) if action else "next"
            case documents.Gather():
                return await self._gather(verb)
            case _:
                pass  # Reject, Message: no meaning in an answered call
        return "next"

    async def _answer(self) -> None:
        self._answered_at = time.time()
        self._arm(self._limit_s)
        now = resources.timestamp(self._answered_at)

        def act(db: store.sqlite3.Connection) -> Row:
            store.log(db, "call_answered", self.row.sid)
            return store.change(
                db, self.row, status="in-progress", start_time=now, date_updated=now
            )

        self.row = await self._store.do(act)
        self.handset.tell({"type": "answered", "call": self.row.sid})
        self.answering.set()

    async def _say(self, text: str) -> None:
        await self._store.note("say", self.row.sid, text=text)
        self.handset.tell({"type": "say", "call": self.row.sid, "text": text})
        await asyncio.sleep(len(text) * SPEAKING_S_PER_CHARACTER)

    async def _gather(self, verb: documents.Gather) -> list[Verb] | Literal["next"] | None:
        """Speak until a key is pressed, then wait for the others; without any, go on."""
        pressed: asyncio.Future[str] = asyncio.ensure_future(self.microphone.digits.get())
        speaking = asyncio.create_task(self._say_all(verb.prompts))
        both: set[asyncio.Future[Any]] = {pressed, speaking}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({pressed}, timeout=verb.timeout_s)
            if not pressed.done():
                return "next"
            digits = pressed.result()
            while len(digits) < verb.digits:
                async with asyncio.timeout(verb.timeout_s):
                    digits += await self.microphone.digits.get()
        except TimeoutError:
            return "next"
        finally:
            pressed.cancel()
            speaking.cancel()
        return await self._asked([verb.action], [("Digits", digits)]) if verb.action else "next"

    async def _say_all(self, prompts: Sequence[documents.Say]) -> None:
        for prompt in prompts:
            await self._say(prompt.text)

    async def _stream(self, verb: documents.Stream) -> None:
        stream = Stream(
            url=verb.url,
            call_id=self.row.sid,
            account_id=self.row.data["account_sid"],
            parameters=verb.parameters,
            handset=self.handset,
            microphone=self.microphone,
        )
        report = stream.report
        await self._store.note("stream_started", self.row.sid, stream=report.stream_id)
        await self._stream_status(verb, report.stream_id, "stream-started")
        try:
            await stream.run()
        except StreamFailed as failure:
            await self._stream_status(verb, report.stream_id, "stream-error", str(failure))
        finally:
            await self._store.note(
                "stream_ended",
                self.row.sid,
                stream=report.stream_id,
                frames_sent=report.frames_sent,
                bytes_received=report.bytes_received,
                played_bytes=report.played_bytes,
                marks=report.marks,
                clears=report.clears,
                error=report.error,
            )
        await self._stream_status(verb, report.stream_id, "stream-stopped")

    async def _stream_status(
        self, verb: documents.Stream, stream_id: str, event: str, error: str = ""
    ) -> None:
        if not verb.status_url:
            return
        fields = [
            *self._fields(),
            ("StreamSid", stream_id),
            ("StreamEvent", event),
            ("Timestamp", resources.timestamp(time.time())),
        ]
        if error:
            fields.append(("StreamError", error))
        await self._webhooks.post([verb.status_url], fields, sid=self.row.sid)

    def _arm(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        ended = Ended("completed", "time limit")
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, seconds), self.end, ended)

    @staticmethod
    def _new_interruption() -> "asyncio.Future[Interruption]":
        return asyncio.get_running_loop().create_future()
