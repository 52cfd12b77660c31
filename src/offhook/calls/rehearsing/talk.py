"""One rehearsal on its line: a caller in a browser, and an agent's draft that answers.

The ear, the mouth, the brain, the engine and what is said at silences are those of a real call
(conversation.py); the ledger, the carrier, the transfers and the record of it are not there.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from offhook import agents, media, tasks
from offhook.calls.ear import Ear
from offhook.calls.errands import PATIENCE_S
from offhook.calls.mouth import Mouth
from offhook.calls.parts import Parts
from offhook.calls.phrases import phrases
from offhook.calls.presence import CHECK_INS
from offhook.calls.rehearsing.script import Script
from offhook.calls.rehearsing.tickets import Ticket
from offhook.calls.words import LiveWords
from offhook.speech import SpeechUnavailable

log = logging.getLogger(__name__)
LONGEST_S = 600.0
TIME_IS_UP = "A rehearsal ends after ten minutes."
NO_SPEECH = "The voice or the hearing is not there at the moment."


class Stream(Protocol):
    """The page's side of it."""

    def tell(self, message: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What is rehearsed: the draft as it is now, and words that the ear should know."""

    ticket: Ticket
    snapshot: agents.Snapshot
    hints: Sequence[str]


class Rehearsal:
    """Not reusable. `run` returns when it is over."""

    def __init__(self, scene: Scene, line: media.Line, stream: Stream, parts: Parts) -> None:
        snapshot = scene.snapshot
        self.stream = stream
        self._scene = scene
        self._line = line
        self._parts = parts
        self._phrases = phrases(snapshot.language)
        self._script = Script(stream.tell)
        self._words = LiveWords()
        self._words.add(lambda words: stream.tell({"event": "words", **words}))
        self._tasks = tasks.Rehearsal(scene.ticket.real, ended=self._task_ended)
        self._running: set[asyncio.Task[None]] = set()
        self._reply: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._leaving = False
        self._unheard: list[str] = []
        self._mouth = Mouth(
            line,
            parts.synthesiser,
            parts.voices,
            voice=snapshot.voice,
            language=snapshot.language,
            on_told=lambda run_id: self._tasks.note_told([run_id]),
        )
        self._ear = Ear(
            line,
            parts.recogniser,
            language=snapshot.language,
            hints=scene.hints,
            on_partial=lambda text: self._words.tell("caller", text),
        )
        self._handlers: dict[type[media.Event], Callable[[Any], object]] = {
            media.SpeechStarted: self._ear.started,
            media.SpeechPaused: lambda _: self._ear.paused(),
            media.SpeechResumed: lambda _: self._ear.resumed(),
            media.TurnEnded: lambda _: self._spawn(self._turn()),
            media.BargeIn: lambda event: self._interrupted(event.heard),
            media.Murmur: lambda _: self._ear.dismissed(),
            media.PieceStarted: self._piece_started,
            media.PiecePlayed: lambda event: self._heard([event.heard]),
            media.Cleared: lambda event: self._heard(event.heard),
            media.PlayedOut: lambda _: self._leave_if_silent(),
            media.CallerSilent: self._silence,
            media.LineFailed: lambda _: self.end(),
        }

    def feed(self, mulaw: bytes) -> None:
        """Audio of the caller."""
        self._line.feed(mulaw)
        self._ear.feed(mulaw)

    def end(self) -> None:
        """The page is gone, or the process stops."""
        self._over.set()

    def on_event(self, event: media.Event) -> None:
        """An event of the engine; what needs no answer is passed over."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    async def run(self) -> None:
        """From the greeting until somebody ends it."""
        self._spawn(self._say(self._scene.snapshot.greeting))
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._over.wait()
        except TimeoutError:
            self._script.notice(TIME_IS_UP)
        finally:
            self._line.close()
            self._words.close()
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await self._ear.close()
            self.stream.close()

    # --- speaking ---

    def _answer(self) -> None:
        """Reply to everything that is unanswered; an older reply is given up."""
        self._stop_reply()
        self._reply = self._spawn(self._speak_reply())

    async def _speak_reply(self) -> None:
        ticket, snapshot = self._scene.ticket, self._scene.snapshot
        database = self._parts.database
        briefing = agents.Briefing(
            team_id=ticket.team_id,
            snapshot=snapshot,
            channel=agents.Channel.CALL,
            history=list(self._script.said),
            search=agents.search_in(database, ticket.team_id, snapshot, patience_s=PATIENCE_S),
            now=datetime.now(ZoneInfo(ticket.timezone)),
            tools=await self._tools(),
        )
        spoken = await self._mouth.reply(
            self._parts.brain.reply(briefing),
            if_nothing=self._phrases.not_understood,
            fillers=self._phrases.fillers,
        )
        self._script.cite(spoken.citations)
        if spoken.needs_person:
            self._script.notice(f"A person would be asked for: {spoken.needs_person}")
        self._leaving = spoken.hang_up

    async def _tools(self) -> tasks.Toolbox:
        ticket, snapshot = self._scene.ticket, self._scene.snapshot
        scope = tasks.rehearsal_scope(
            ticket.team_id,
            ticket.agent_id,
            tasks.CALL,
            language=snapshot.language,
            timezone=ticket.timezone,
            country=ticket.country,
        )
        turns = [
            tasks.Turn(position, each.speaker is agents.Speaker.CALLER, each.text)
            for position, each in enumerate(self._script.said)
        ]
        return await tasks.open_rehearsal(self._parts.runner, scope, turns, self._tasks)

    def _task_ended(self, run: tasks.TaskRun) -> None:
        """It is shown; where nobody speaks, its result begins a reply (CM5)."""
        request = json.dumps(run.request, indent=2, ensure_ascii=False) if run.request else ""
        self.stream.tell(
            {
                "event": "task",
                "task_id": run.task_id,
                "title": run.title,
                "state": run.state.value,
                "done": run.attempts > 0,
                "request": request,
                "response": run.response,
            }
        )
        if not (self._replying or self._ear.speaking or self._leaving or self._over.is_set()):
            self._answer()

    async def _say(self, text: str) -> None:
        if text:
            await self._mouth.phrase(text)

    @property
    def _replying(self) -> bool:
        return self._reply is not None and not self._reply.done()

    def _stop_reply(self) -> None:
        if self._reply is not None:
            self._reply.cancel()
            self._reply = None

    def _piece_started(self, event: media.PieceStarted) -> None:
        self._words.tell("agent", self._mouth.pending.get(event.piece, ""))

    def _heard(self, heard: Sequence[media.Heard]) -> None:
        """What was not heard was not said (CM1)."""
        for each in heard:
            self._mouth.over(each.piece, heard=each.complete)
            if each.start_ms is not None:
                self._script.agent(each.heard_text, interrupted=not each.complete)

    def _interrupted(self, heard: Sequence[media.Heard]) -> None:
        """The caller has the floor; the rest is kept aside in case it was only noise."""
        self._stop_reply()
        self._leaving = False
        self._heard(heard)
        self._unheard = [each.text[len(each.heard_text) :].strip() for each in heard]

    def _leave_if_silent(self) -> None:
        """A goodbye is heard to its end (CM4)."""
        if self._leaving and not self._mouth.pending and not self._replying:
            self.end()

    # --- listening ---

    async def _turn(self) -> None:
        heard = await self._ear.words()
        self._line.words(heard.text, final=True)
        self._words.tell("caller", "")
        if heard.text:
            self._unheard = []
            self._script.caller(heard.text)
            self._answer()
            return
        rest, self._unheard = " ".join(self._unheard), []  # it was noise: go on (CM7)
        await self._say(rest)
        self._leave_if_silent()

    def _silence(self, event: media.CallerSilent) -> None:
        """As on a call: check-ins, then goodbye (C5)."""
        if self._replying:
            return
        if event.ever_spoke and event.times <= CHECK_INS:
            self._spawn(self._say(self._phrases.check_in))
        else:
            self._leaving = True
            self._spawn(self._say(self._phrases.goodbye))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task is self._reply:
            self._leave_if_silent()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, SpeechUnavailable):
            log.error("rehearsal %s failed", self._scene.ticket.id, exc_info=error)
        self._script.notice(NO_SPEECH if isinstance(error, SpeechUnavailable) else "It failed.")
        self.end()
