"""One rehearsal on its line: a caller in a browser, and an agent's draft that answers.

The dialogue is that of a real call; the ledger, the carrier, the transfers and the record of it are
not there.
"""

import asyncio
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from offhook import agents, media, tasks
from offhook.calls.dialogue import Dialogue
from offhook.calls.errands import PATIENCE_S
from offhook.calls.parts import Parts
from offhook.calls.phrases import phrases
from offhook.calls.rehearsing.script import Script
from offhook.calls.rehearsing.tickets import Ticket
from offhook.calls.rules import END_SENTENCES, End
from offhook.calls.words import LiveWords
from offhook.speech import SpeechUnavailable

log = logging.getLogger(__name__)
LONGEST_S = 600.0
TIME_IS_UP = "A rehearsal ends after ten minutes."
NO_SPEECH = "The voice or the hearing is not there at the moment."
PUT_THROUGH = "The caller would be put through now."
FAILED = "It failed."


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
    """Not reusable. `run` returns when it is over. Implements `dialogue.Host`."""

    is_mute = False

    def __init__(self, scene: Scene, line: media.Line, stream: Stream, parts: Parts) -> None:
        ticket, snapshot = scene.ticket, scene.snapshot
        self.stream = stream
        self._scene = scene
        self._parts = parts
        self._phrases = phrases(snapshot.language)
        self._script = Script(stream.tell)
        self._words = LiveWords()
        self._words.add(lambda words: stream.tell({"event": "words", **words}))
        self._runs = tasks.Rehearsal(ticket.real, ended=self._task_ended)
        self._draft = agents.Rehearsed(
            snapshot, ticket.team_id, ticket.timezone, ticket.country, agents.Channel.CALL
        )
        self._talk = Dialogue(self, line, parts, snapshot, self._words, hints=scene.hints)

    def feed(self, mulaw: bytes) -> None:
        """Audio of the caller."""
        self._talk.feed(mulaw)

    def on_event(self, event: media.Event) -> None:
        """An event of the engine."""
        self._talk.on_event(event)

    def end(self) -> None:
        """The page is gone, or the process stops."""
        self._talk.end(End.CALLER_HUNG_UP)

    async def run(self) -> None:
        """From the greeting until somebody ends it."""
        self._talk.spawn(self._talk.say(self._scene.snapshot.greeting))
        try:
            async with asyncio.timeout(LONGEST_S):
                reason = await self._talk.over
            if reason is not None and reason is not End.CALLER_HUNG_UP:
                self._script.notice(END_SENTENCES[reason])
        except TimeoutError:
            self._script.notice(TIME_IS_UP)
        finally:
            self._words.close()
            await self._talk.close()
            self.stream.close()

    # --- dialogue.Host ---

    async def reply(self) -> None:
        briefing = await self._draft.briefing(
            self._parts.database,
            self._parts.runner,
            self._runs,
            self._script.said,
            patience_s=PATIENCE_S,
        )
        spoken = await self._talk.mouth.reply(
            self._parts.brain.reply(briefing),
            if_nothing=self._phrases.not_understood,
            fillers=self._phrases.fillers,
        )
        self._script.cite(spoken.citations)
        if spoken.needs_person:
            self._script.notice(f"A person would be asked for: {spoken.needs_person}")
        if spoken.hand_over is not None:
            self._talk.leave(spoken.hand_over)
        elif spoken.hang_up:
            self._talk.leave(End.AGENT_HUNG_UP)

    async def said(self, text: str, ended: media.TurnEnded) -> bool:
        self._talk.let_go()
        self._script.caller(text)
        return True

    def heard(self, heard: media.Heard, *, interrupted: bool) -> None:
        if heard.start_ms is not None:
            self._script.agent(heard.heard_text, interrupted=interrupted)

    def told(self, run_id: str) -> None:
        self._runs.note_told([run_id])

    async def untold(self) -> Collection[str]:
        return [run.id for run in self._runs.news()]

    async def farewell(self, text: str, reason: End) -> None:
        await self._talk.farewell(text, reason)

    async def put_through(self, wish: agents.HandOver) -> None:
        self._script.notice(PUT_THROUGH)
        self._talk.end(None)

    async def give_up(self) -> None:
        self._script.notice(NO_SPEECH)
        self._talk.end(None)

    def failed(self, error: BaseException) -> None:
        no_speech = isinstance(error, SpeechUnavailable)
        if not no_speech:
            log.error("rehearsal %s failed", self._scene.ticket.id, exc_info=error)
        self._script.notice(NO_SPEECH if no_speech else FAILED)
        self._talk.end(None)

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
        self._talk.news()
