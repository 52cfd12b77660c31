"""An agent in talk with a caller on one line, on a call or in a rehearsal.

Knows ear, mouth and presence; no ledger, no carrier, no database. What a reply is, what is kept of
it and what a turn is worth are the host's.

    the caller          the agent
    ends a turn         replies to all that is unanswered; an older reply is given up
    interrupts          falls silent; the rest, and a wish to leave, are held (C4)
      it was words      ... both are forgotten
      it was noise      ... both are taken up again (CM7)
    has heard all       leaves, if that was its wish (CM4, C6)
    is silent           asks whether they are there, three times, then says goodbye (C5)
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Protocol

from offhook import media
from offhook.agents import HandOver, Snapshot
from offhook.calls.away import AWAY
from offhook.calls.ear import Ear
from offhook.calls.mouth import Mouth
from offhook.calls.parts import Parts
from offhook.calls.phrases import phrases
from offhook.calls.presence import Presence, Silence, Turn
from offhook.calls.rules import End
from offhook.calls.setting import Watchers
from offhook.speech import SpeechUnavailable

log = logging.getLogger(__name__)
MAX_SPEECH_FAILURES = 3  # in a row, then the host gives up (C9)
CLOSE_S = 0.5

Leave = End | HandOver
"""What comes once all was heard: the end, or somebody else."""


class Host(Protocol):
    """The call, or the rehearsal, that is talked in."""

    @property
    def is_mute(self) -> bool:
        """Whether a person speaks in the agent's place."""
        ...

    async def reply(self) -> None:
        """Speak one reply to all that is unanswered. Raises SpeechUnavailable."""
        ...

    async def said(self, text: str, ended: media.TurnEnded) -> bool:
        """Keep a turn of the caller's; whether the agent is to take it up."""
        ...

    def heard(self, heard: media.Heard, *, interrupted: bool) -> None:
        """Keep what was heard of a piece of the agent's speech (CM1)."""
        ...

    def told(self, run_id: str) -> None:
        """What became of a task's run was heard."""
        ...

    async def untold(self) -> Collection[str]:
        """The runs of tasks that have ended and of which the caller does not know. Raises one of
        AWAY.
        """
        ...

    async def farewell(self, text: str, reason: End) -> None:
        """Say a last sentence, then leave."""
        ...

    async def put_through(self, wish: HandOver) -> None:
        """Give the caller to somebody else: all was heard."""
        ...

    async def give_up(self) -> None:
        """The vendors of speech do not work any more (C9)."""
        ...

    def failed(self, error: BaseException) -> None:
        """Something that was spawned failed in an unforeseen way."""
        ...


class Dialogue:
    """Not reusable. `over` is done when it is; None: the caller is put through."""

    def __init__(
        self,
        host: Host,
        line: media.Line,
        parts: Parts,
        snapshot: Snapshot,
        watchers: Watchers,
        *,
        hints: Sequence[str],
    ) -> None:
        self._host = host
        self._line = line
        self._watchers = watchers
        self._phrases = phrases(snapshot.language)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reply: asyncio.Task[None] | None = None
        self._unheard: list[str] = []
        self._wish: Leave | None = None
        self._held: Leave | None = None
        self._news = False
        self._told: set[str] = set()
        self._failures = 0
        self.over: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self.presence = Presence()
        self.mouth = Mouth(
            line,
            parts.synthesiser,
            parts.voices,
            voice=snapshot.voice,
            language=snapshot.language,
            on_told=self._heard_of,
        )
        self.ear = Ear(
            line,
            parts.recogniser,
            language=snapshot.language,
            hints=hints,
            on_partial=lambda text: watchers.tell("caller", text),
        )
        self._handlers = self._handle()

    def feed(self, mulaw: bytes) -> None:
        """Audio of the caller."""
        self._line.feed(mulaw)
        self.ear.feed(mulaw)

    def on_event(self, event: media.Event) -> None:
        """Take one event of the line; what needs no answer is passed over."""
        self.ear.on_event(event)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _handle(self) -> dict[type[media.Event], Callable[[Any], object]]:
        """Which event is whose."""
        return {
            media.SpeechPaused: lambda event: self.look_for_caller(event.at_ms),
            media.TurnEnded: lambda event: self.spawn(self._turn(event)),
            media.BargeIn: self._interrupted,
            media.PieceStarted: self._piece_started,
            media.PiecePlayed: self._played,
            media.Cleared: lambda event: self._cut_off(event.heard),
            media.PlayedOut: lambda _: self._leave_if_silent(),
            media.CallerSilent: self._silence,
            media.LineFailed: lambda _: self.end(End.MEDIA_LOST),
        }

    def end(self, reason: End | None) -> None:
        """It is over now; the first reason stands."""
        if not self.over.done():
            self._line.clear()
            self.over.set_result(reason)

    async def close(self) -> None:
        """Stop everything of it; what waits for a silent database takes long to let go."""
        self._line.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
        await self.ear.close()

    # --- speaking ---

    @property
    def is_replying(self) -> bool:
        return self._reply is not None and not self._reply.done()

    @property
    def is_leaving(self) -> bool:
        """Whether it ends, or somebody else takes the caller, once all was heard."""
        return self._wish is not None

    def answer(self) -> None:
        """Reply to everything that is unanswered; an older reply is given up."""
        self.stop_reply()
        if not self._host.is_mute:
            self._news = False
            self._reply = self.spawn(self._answer())

    def stop_reply(self) -> None:
        if self._reply is not None:
            self._reply.cancel()
            self._reply = None

    async def say(self, sentence: str) -> None:
        """A fixed sentence. Raises SpeechUnavailable."""
        await self.mouth.phrase(sentence)

    def leave(self, wish: Leave) -> None:
        """Once all was heard, that is."""
        self._wish, self._held = wish, None

    def hold(self) -> None:
        """Something interrupts: the agent stops, and leaves no more unless that was noise."""
        self.stop_reply()
        self._wish, self._held = None, self._wish or self._held

    def let_go(self) -> HandOver | None:
        """What was interrupted is over. Returns the transfer that does not happen: any, for the
        caller goes on talking. A goodbye that was not interrupted stands.
        """
        wish = self._wish or self._held
        self._unheard, self._held = [], None
        if not isinstance(wish, HandOver):
            return None
        self._wish = None
        return wish

    async def farewell(self, text: str, reason: End) -> None:
        """Say a last sentence, then leave. Raises SpeechUnavailable."""
        self.stop_reply()
        self.leave(reason)
        if not await self.mouth.phrase(text):
            self.end(reason)

    def news(self) -> None:
        """A task began or ended: if the caller waits for it, tell them (CM5)."""
        self._news = True
        self.spawn(self.tell_news())

    async def _answer(self) -> None:
        try:
            await self._host.reply()
        except SpeechUnavailable:
            await self._speech_failed()
        else:
            self._failures = 0

    async def tell_news(self) -> None:
        """It ended while nobody speaks: that begins a reply of its own accord."""
        if not (self._news and self._may_begin()):
            return  # the reply that runs, or the one to what the caller says, tells it
        try:
            untold = set(await self._host.untold())
        except AWAY as error:
            log.warning("what became of a task of %s waits: %s", self._line.id, error)
            return
        if not untold - self._told - self.mouth.telling:
            self._news = False
        elif self._news and self._may_begin():
            self.answer()

    def _heard_of(self, run_id: str) -> None:
        self._told.add(run_id)
        self._host.told(run_id)

    def _may_begin(self) -> bool:
        """Whether neither side is speaking or about to, and the agent stays."""
        busy = self.is_replying or self.ear.speaking or self.is_leaving
        return not (busy or self._host.is_mute or self.over.done())

    def _piece_started(self, event: media.PieceStarted) -> None:
        self._watchers.tell("agent", self.mouth.text_of(event.piece))

    def _played(self, event: media.PiecePlayed) -> None:
        self.mouth.over(event.heard.piece, heard=True)
        self.presence.agent_finished(event.at_ms)
        self._host.heard(event.heard, interrupted=False)

    def _cut_off(self, heard: Sequence[media.Heard]) -> None:
        """What was not heard was not said (CM1)."""
        self.mouth.cut_off(heard)
        for each in heard:
            self._host.heard(each, interrupted=not each.complete)

    def _interrupted(self, event: media.BargeIn) -> None:
        """The caller has the floor; the rest is kept aside in case it was only noise."""
        self.hold()
        self._cut_off(event.heard)
        self._unheard = [each.text[len(each.heard_text) :].strip() for each in event.heard]

    def _leave_if_silent(self) -> None:
        """A goodbye is heard to its end before the line is given up (CM4, C6)."""
        if self._wish is None or self.mouth.is_speaking or self.is_replying or self.over.done():
            return
        wish, self._wish = self._wish, None
        if isinstance(wish, HandOver):
            self.spawn(self._host.put_through(wish))
        else:
            self.end(wish)

    # --- listening ---

    async def _turn(self, ended: media.TurnEnded) -> None:
        try:
            text = (await self.ear.words()).text
        except SpeechUnavailable:
            await self._speech_failed()
            return
        turn = self._judge(text, ended)
        is_turn = turn in {Turn.CALLERS, Turn.HOLD}
        self._line.words(text if is_turn else "", final=True)
        self._watchers.tell("caller", "")
        if turn is Turn.MACHINE:
            self.end(End.MACHINE)
        elif is_turn:
            await self._take_up(turn, text, ended)
        else:
            await self._go_on(someone=turn is not Turn.NONE)

    def _judge(self, text: str, ended: media.TurnEnded) -> Turn:
        """Whether the caller has said something (C5); a member who talks knows it better."""
        if self._host.is_mute:
            return Turn.CALLERS if text else Turn.NOISE
        sound = media.character(ended.audio)
        return self.presence.heard(text, sound, ended.start_ms, ended.end_ms)

    async def _take_up(self, turn: Turn, text: str, ended: media.TurnEnded) -> None:
        """Answer the caller, or wait as long as they ask for."""
        if not await self._host.said(text, ended):
            return
        if turn is Turn.HOLD:
            self.stop_reply()
            await self.say(self._phrases.take_your_time)
        else:
            self.answer()

    async def _go_on(self, *, someone: bool) -> None:
        """It was noise that cut the reply off: the rest of it is said after all (CM7), if there is
        `someone` to hear it.
        """
        rest, self._unheard = " ".join(self._unheard), []
        if rest and someone:
            await self.say(rest)
        await self.tell_news()
        self._wish, self._held = self._wish or self._held, None
        self._leave_if_silent()

    async def _speech_failed(self) -> None:
        """A vendor failed: say so, and after three times in a row give up (C9)."""
        if self._host.is_mute:
            return  # a person hears the caller all the same
        self._failures += 1
        if self._failures >= MAX_SPEECH_FAILURES:
            await self._host.give_up()
            return
        try:
            await self.say(self._phrases.not_understood)
        except SpeechUnavailable:
            await self._host.give_up()

    def look_for_caller(self, now_ms: int) -> None:
        """End a talk in which nobody takes part (C5)."""
        if self._host.is_mute:
            self.presence.took_part(now_ms)
        elif self.presence.is_gone(now_ms) and not self.mouth.is_speaking:
            self.end(End.NO_PART)

    def _silence(self, event: media.CallerSilent) -> None:
        """No side is heard; who has been asked something, and is about to answer, is not silent."""
        owes = self.is_replying or self.ear.speaking or self.mouth.is_speaking
        if self._host.is_mute or owes:
            return
        sound = media.character(self._line.audio(event.at_ms - event.silent_ms, event.at_ms))
        match self.presence.silent(event.at_ms, sound, ever_spoke=event.ever_spoke):
            case Silence.CHECK_IN:
                self.spawn(self.say(self._phrases.check_in))
            case Silence.GOODBYE:
                self.spawn(self._host.farewell(self._phrases.goodbye, End.SILENCE))
            case Silence.WAIT:
                self.look_for_caller(event.at_ms)

    # --- tasks ---

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, for as long as the talk lasts."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task is self._reply:
            self._leave_if_silent()
            if self._news:  # it came while this was being said
                self.spawn(self.tell_news())
        if not task.cancelled() and (error := task.exception()) is not None:
            self._host.failed(error)
