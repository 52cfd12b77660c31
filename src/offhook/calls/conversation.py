"""One live call: what the line, the recogniser, the brain, the ledger and people say, and what
the agent does about it.

Everything arrives in one event loop: events of the engine (`on_event`), audio (`feed`), wishes from
outside (`poke`). Replies, words and the meter run as tasks of the call; when one of them fails in
an unforeseen way the call ends with an apology rather than in silence (C9). `run` returns when the
call is over and everything about it is written.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from offhook import agents, costs, media
from offhook.calls.away import AWAY
from offhook.calls.briefing import KEYED, briefing
from offhook.calls.credit import open_credit
from offhook.calls.ear import Ear
from offhook.calls.errands import Errands
from offhook.calls.handing_over import HandingOver
from offhook.calls.joining.taking_over import TakingOver
from offhook.calls.journal import Journal
from offhook.calls.keypad import SecureKeypad
from offhook.calls.latency.measuring import Measuring
from offhook.calls.leaving import Leaving, of_speech
from offhook.calls.logbook import Logbook
from offhook.calls.manners.closing import MessageTaker, beep
from offhook.calls.manners.rules import Answers
from offhook.calls.mouth import Mouth
from offhook.calls.parts import Parts
from offhook.calls.phrases import phrases
from offhook.calls.presence import Presence, Silence, Turn
from offhook.calls.pressing import Pressing
from offhook.calls.rules import HEARTBEAT_S, End
from offhook.calls.setting import Setting, Stream, Watchers, line_options
from offhook.calls.taping import Taping
from offhook.calls.telltales import refuses_recording
from offhook.calls.transcript import KEYS, Transcript
from offhook.speech import SpeechUnavailable

log = logging.getLogger(__name__)
MAX_SPEECH_FAILURES = 3  # in a row, then the call is ended with an apology (C9)
LEAVE_S = 0.5


class Conversation:
    """A call that is connected. Not reusable."""

    def __init__(
        self,
        setting: Setting,
        line: media.Line,
        stream: Stream,
        watchers: Watchers,
        parts: Parts,
        journal: Journal,
    ) -> None:
        self.call = call = setting.call
        snapshot = call.snapshot
        self._setting = setting
        self._parts = parts
        self._line = line
        self._watchers = watchers
        self._phrases = phrases(snapshot.language)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reply: asyncio.Task[None] | None = None
        # None: the call has left, to be put through.
        self._over: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self._leaving: End | None = None
        self._unheard: list[str] = []
        self._failures = 0
        self._greeting: asyncio.Task[None] | None = None
        self._silent = asyncio.Event()
        self._recording_notice = ""
        self._opening = ""
        self._options = line_options(snapshot, answers=call.answers)
        self._brain = parts.brain if call.answers is Answers.AGENT else MessageTaker(self._phrases)
        self._presence = Presence()
        self._keyed = False
        self._pressing = Pressing(line, lambda: self._seconds, self.spawn, self._keyed_in)
        self.transcript = Transcript(
            parts.database, call.team_id, call.conversation_id, call.connected_at, setting.said
        )
        self._measuring = Measuring(call, self.transcript)
        self._mouth = Mouth(
            line,
            parts.synthesiser,
            parts.voices,
            voice=snapshot.voice,
            language=snapshot.language,
            on_told=lambda run_id: self.spawn(self._errands.told(run_id)),
        )
        self._logbook = Logbook(parts.database, journal, call, seconds=lambda: self._seconds)
        self._taping = Taping(setting, line, self._logbook, self.transcript)
        self._secure = SecureKeypad(self._phrases, self._mouth.phrase, self._keep_secret)
        self._errands = Errands(call, parts.runner, self._logbook.ask, timezone=setting.timezone)
        self._news = False
        self._ear = Ear(
            line,
            parts.recogniser,
            language=snapshot.language,
            hints=setting.hints,
            on_partial=lambda text: watchers.tell("caller", text),
        )
        self._credit = open_credit(
            parts, call, self._logbook.minute, on_notice=self._notice_of_end, on_hang_up=self.end
        )
        self._way_out = Leaving(
            call, self._logbook, self.transcript, stream, parts.carriers, self._credit
        )
        self.taking = TakingOver(setting, line, parts.recogniser, self, self._logbook, watchers)
        self._handing_over = HandingOver(call, self._credit, self._logbook.ask)
        self._used: list[costs.Used] = []
        self._gave_up = False
        self._handlers = self._handle()

    @property
    def _seconds(self) -> float:
        """Since the answer, by a clock that never jumps (UM7)."""
        return self._credit.elapsed_ms / 1000

    # --- from outside ---

    def feed(self, mulaw: bytes) -> None:
        """Audio of the caller; silence while they key in what nobody may hear."""
        if self._secure.is_open:
            mulaw = bytes((media.codec.SILENCE,)) * len(mulaw)
        self._line.feed(mulaw)
        self._ear.feed(mulaw)

    def pressed(self, key: str) -> None:
        """The caller pressed a key, which interrupts like a word does (C6)."""
        if self._secure.press(key):
            return
        self._stop_reply()
        self._leaving = None
        self._handing_over.interrupted()
        self._pressing.press(key)

    def hung_up(self) -> None:
        """The carrier closed the stream: the caller is gone."""
        self.end(End.CALLER_HUNG_UP)

    def poke(self) -> None:
        """Something about this call or its limit changed in the database: look."""
        self._credit.limit_changed()
        self.spawn(self._look())

    def task_ended(self) -> None:
        """A task of this conversation began or ended: if the caller waits for it, tell them."""
        self._news = True
        self.spawn(self._tell_news())

    def end(self, reason: End | None) -> None:
        """End the call now, or leave it to who puts it through; the first reason stands."""
        if not self._over.done():
            self._line.clear()
            self._over.set_result(reason)

    async def farewell(self, text: str, reason: End, *, at_once: bool = False) -> None:
        """Say a last sentence, then end; `at_once` drops what is still to be said before it. The
        carrier says it where there is no voice (C9).
        """
        self._stop_reply()
        if at_once:
            self._line.clear()  # the silence after it must not end the call: no `_leaving` yet
        else:
            self._leaving = reason
        try:
            piece = await self._mouth.phrase(text)
        except SpeechUnavailable:
            piece, self._way_out.unsaid = "", text
        self._leaving = reason
        if not piece:
            self.end(reason)

    async def _leave_message(self, text: str) -> None:
        """A machine records now: what it says is no interruption, and nobody answers it (C8)."""
        if self._leaving is None:
            if self._greeting is not None:
                self._greeting.cancel()  # what is left of it would be said after the message
            self._line.configure(replace(self._options, barge_in=False))
            await self.farewell(text, End.MESSAGE_LEFT, at_once=True)

    async def run(self) -> End | None:
        """Live the call to its end. Returns why it ended; None: it has left, to be put through."""
        writer = asyncio.create_task(self.transcript.run())
        keypads, conversation_id = self._parts.runner.means.keypads, self.call.conversation_id
        keypads.open(conversation_id, self._secure)
        self.spawn(self._way_out.know_carrier())
        self.spawn(self._beat())
        self.spawn(self._credit.run())
        self._greeting = self.spawn(self._greet())
        try:
            reason = await self._over
        finally:
            seconds = self._seconds
            keypads.close(conversation_id)
            self._secure.close()
            await self._leave()
        if reason is None:
            await self._way_out.put_through(self._all_used(), writer)
        else:
            await self._way_out.end(reason, seconds, self._all_used(), writer)
        return reason

    # --- the engine's events ---

    def on_event(self, event: media.Event) -> None:
        """Take one event of this call's line; what needs no answer is passed over."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _handle(self) -> dict[type[media.Event], Callable[[Any], object]]:
        """Which event is whose."""
        return {
            media.SpeechStarted: self._ear.started,
            media.SpeechPaused: self._paused,
            media.SpeechResumed: lambda _: self._ear.resumed(),
            media.TurnEnded: lambda event: self.spawn(self._turn(event)),
            media.BargeIn: self._interrupted,
            media.Murmur: lambda _: self._ear.dismissed(),
            media.PieceStarted: self._piece_started,
            media.PiecePlayed: self._played,
            media.Cleared: self._cleared,
            media.PlayedOut: lambda _: self._leave_if_silent(),
            media.CallerSilent: self._silence,
            media.RecordingFailed: self._taping.failed,
            media.LineFailed: lambda _: self.end(End.MEDIA_LOST),
        }

    # --- speaking ---

    async def _greet(self) -> None:
        """The notice, if the call is recorded, then the greeting; both are kept audio."""
        greeting, returned = self.call.opening, self.call.returned
        if returned is not None:
            greeting = self._phrases.came_back(returned.name, returned.failure)
            if self.call.answers is Answers.MESSAGE:
                greeting = f"{self._phrases.closed} {self._phrases.leave_message}"
            await self._errands.all_told()
        if self._setting.records and self._setting.notice:
            self._recording_notice = await self._mouth.phrase(self._phrases.recording)
        elif self._setting.records:
            self.spawn(self._taping.begin())
        if not self._recording_notice:
            self.taking.allowed.set()
        if greeting:
            self._opening = await self._mouth.phrase(greeting)
        self._after_greeting()

    def _after_greeting(self) -> None:
        """Outside the hours the greeting is all that the caller hears of the agent."""
        match self.call.answers:
            case Answers.SENTENCE:
                self._leaving = End.CLOSED
            case Answers.FORWARD:
                self._handing_over.wanted(agents.HandOver("", self._setting.forward_to))
            case Answers.MESSAGE:
                self._mouth.sound(beep())
            case Answers.AGENT:
                pass

    def _answer(self) -> None:
        """Reply to everything that is unanswered; an older reply is given up."""
        self._stop_reply()
        if self.taking.is_on:
            return
        self._news = False
        self._reply = self.spawn(self._speak_reply())

    async def _speak_reply(self) -> None:
        call = self.call
        memory, tools, stand_in = await asyncio.gather(
            self._errands.memory(),
            self._errands.toolbox(self.transcript.said),
            self._errands.stand_in(),
        )
        told = briefing(
            self._setting,
            self._parts,
            self.transcript.said,
            memory=memory,
            tools=tools,
            stand_in=stand_in,
            notes=(*self.taking.notes, *([KEYED] if self._keyed else [])),
            spent=self._used.extend,
        )
        try:
            spoken = await self._mouth.reply(
                self._brain.reply(told),
                if_nothing=self._phrases.not_understood,
                fillers=self._phrases.fillers,
                watch=self._measuring.watch,
            )
        except SpeechUnavailable:
            await self._speech_failed()
            return
        self._failures = 0
        self.transcript.cite(spoken.citations)
        self.transcript.learn(call.contact_id, spoken.learned)
        if spoken.needs_person:
            self.transcript.notice(spoken.needs_person)
            await self._errands.need_person(spoken.needs_person)
        if spoken.hang_up:
            self._leaving = End.AGENT_HUNG_UP
        if spoken.hand_over is not None:
            self._handing_over.wanted(spoken.hand_over)

    async def _tell_news(self) -> None:
        """A task ended while nobody speaks: that begins a reply of its own accord (CM5)."""
        if not self._may_begin():
            return  # the reply that runs, or the one to what the caller says, tells it
        try:
            if not await self._errands.has_news():
                self._news = False
        except AWAY as error:
            log.warning("what became of a task of %s waits: %s", self.call.call_id, error)
            return
        if self._news and self._may_begin():
            self._answer()

    def _may_begin(self) -> bool:
        """Whether neither side is speaking or about to, and the call stays."""
        replying = self._reply is not None and not self._reply.done()
        leaving = self._leaving is not None or self._handing_over.is_due or self.taking.is_on
        return not (replying or leaving or self._ear.speaking or self._over.done())

    def _stop_reply(self) -> None:
        if self._reply is not None:
            self._reply.cancel()
            self._reply = None

    def _piece_started(self, event: media.PieceStarted) -> None:
        self._measuring.started(event)
        self._watchers.tell("agent", self._mouth.pending.get(event.piece, ""))
        if not self._logbook.spoke:
            self._logbook.spoke = True
            self.spawn(self._logbook.first_words())

    def _played(self, event: media.PiecePlayed) -> None:
        heard = event.heard
        self._mouth.over(heard.piece, heard=True)
        self._presence.agent_finished(event.at_ms)
        self.transcript.heard(heard)
        if heard.piece == self._recording_notice:
            self.spawn(self._taping.begin())
            self.taking.allowed.set()
        if heard.piece == (self._opening if self.call.is_outbound else self._recording_notice):
            self._line.configure(self._options)

    def _cut_off(self, heard: Sequence[media.Heard]) -> None:
        """What was not heard was not said (CM1)."""
        for each in heard:
            self._mouth.over(each.piece, heard=each.complete)
            self.transcript.heard(each, interrupted=not each.complete)

    def _cleared(self, event: media.Cleared) -> None:
        self._cut_off(event.heard)
        self._silent.set()
        self._pressing.cleared()

    def _interrupted(self, event: media.BargeIn) -> None:
        """The caller has the floor; the rest is kept aside in case it was only noise."""
        self._stop_reply()
        self._leaving = None
        self._handing_over.interrupted()
        self._cut_off(event.heard)
        self._unheard = [each.text[len(each.heard_text) :].strip() for each in event.heard]

    def _leave_if_silent(self) -> None:
        """A goodbye is heard to its end before the line is given up (CM4, C6)."""
        replying = self._reply is not None and not self._reply.done()
        if self._mouth.pending or replying or self._over.done():
            return
        if self._handing_over.is_due:
            self.spawn(self._put_through())
        elif self._leaving is not None:
            self.end(self._leaving)

    async def _put_through(self) -> None:
        if await self._handing_over.leave(self._way_out.carrier):
            self.end(None)
        else:
            await self._mouth.phrase(self._phrases.not_handed_over)

    # --- listening ---

    async def _turn(self, ended: media.TurnEnded) -> None:
        try:
            heard = await self._ear.words()
        except SpeechUnavailable:
            await self._speech_failed()
            return
        turn = self._judge(heard.text, ended)
        is_turn = turn in {Turn.CALLERS, Turn.HOLD}
        self._line.words(heard.text if is_turn else "", final=True)
        self._watchers.tell("caller", "")
        if is_turn:
            self._measuring.understood(ended, self._line.now_ms)
            self._keyed = False
            self.transcript.caller(heard.text, ended.start_ms, ended.end_ms)
            await self._take_up(turn, heard.text)
        elif turn is Turn.MACHINE:
            self.end(End.MACHINE)
        else:
            if turn is Turn.NONE:
                self._unheard = []  # nobody is there to hear the rest of it
            await self._go_on()

    def _judge(self, text: str, ended: media.TurnEnded) -> Turn:
        """Whether the caller has said something (C5); a member who talks knows it better."""
        if self.taking.is_on:
            return Turn.CALLERS if text else Turn.NOISE
        sound = media.character(ended.audio)
        return self._presence.heard(text, sound, ended.start_ms, ended.end_ms)

    async def _take_up(self, turn: Turn, text: str) -> None:
        """Answer the caller, or wait as long as they ask for."""
        self._unheard = []
        self.spawn(self._handing_over.call_off("The caller went on talking."))
        if turn is Turn.HOLD:
            self._stop_reply()
            await self._mouth.phrase(self._phrases.take_your_time)
        elif self._taping.is_on and refuses_recording(text):
            self._stop_reply()
            await self._taping.forget()
            if not self.taking.is_on:
                await self._mouth.phrase(self._phrases.recording_off)
        else:
            self._answer()

    def _keep_secret(self) -> None:
        """Digits are being keyed in that are kept nowhere, or no longer."""
        self._mouth.holds_back = self._secure.is_open
        self._presence.took_part(self._line.now_ms)
        if not self._secure.is_open:
            self.transcript.notice("Digits were keyed in; they were not recorded and are not kept.")

    def _keyed_in(self, keys: str, began_ms: int, now_ms: int) -> None:
        """What was pressed is a turn of the caller's."""
        self._presence.took_part(now_ms)
        self._keyed = True
        self._unheard = []
        self.transcript.caller(keys, began_ms, now_ms, status=KEYS)
        self.spawn(self._handing_over.call_off("The caller pressed a key."))
        self._answer()

    def _paused(self, event: media.SpeechPaused) -> None:
        self._ear.paused()
        self._look_for_caller(event.at_ms)

    def _look_for_caller(self, now_ms: int) -> None:
        """End a call in which nobody takes part (C5)."""
        if self.taking.is_on:
            self._presence.took_part(now_ms)
        elif self._presence.is_gone(now_ms) and not self._mouth.pending:
            self.end(End.NO_PART)

    async def _go_on(self) -> None:
        """It was noise that cut the reply off: the rest of it is said after all (CM7)."""
        rest, self._unheard = " ".join(self._unheard), []
        if rest:
            await self._mouth.phrase(rest)
        if self._news:
            await self._tell_news()
        self._handing_over.goes_on()
        self._leave_if_silent()

    async def _speech_failed(self) -> None:
        """A vendor failed: say so, and after three times in a row give up."""
        if self.taking.is_on:
            return  # a person hears the caller all the same
        self._failures += 1
        if self._failures >= MAX_SPEECH_FAILURES:
            await self._give_up()
            return
        try:
            await self._mouth.phrase(self._phrases.not_understood)
        except SpeechUnavailable:
            await self._give_up()

    async def _give_up(self) -> None:
        """Nothing works: a person takes the caller, or calls back; never silence (C9)."""
        if self._gave_up:
            return
        self._gave_up = True
        self._stop_reply()
        stand_in = await self._errands.stand_in()
        if stand_in and await self._handing_over.rescue(stand_in.target, self._way_out.carrier):
            self.end(None)
            return
        promised = await self._errands.promise_call_back()
        words = self._phrases.call_back if promised else self._phrases.trouble
        await self.farewell(words, End.TROUBLE)

    def _silence(self, event: media.CallerSilent) -> None:
        """Check in three times, then say goodbye; at once to a caller who never spoke (C5)."""
        if self.taking.is_on or (self._reply is not None and not self._reply.done()):
            return
        sound = media.character(self._line.audio(event.at_ms - event.silent_ms, event.at_ms))
        match self._presence.silent(event.at_ms, sound, ever_spoke=event.ever_spoke):
            case Silence.CHECK_IN:
                self.spawn(self._say(self._phrases.check_in))
            case Silence.GOODBYE:
                self.spawn(self.farewell(self._phrases.goodbye, End.SILENCE))
            case Silence.WAIT:
                self._look_for_caller(event.at_ms)

    async def _say(self, sentence: str) -> None:
        await self._mouth.phrase(sentence)

    # --- people ---

    async def fall_silent(self) -> None:
        """A member of the team speaks instead: what the agent had not yet said is not said (I5)."""
        if self._greeting is not None:
            self._greeting.cancel()
        self._stop_reply()
        self._leaving, self._unheard = None, []
        self.spawn(self._handing_over.call_off("A colleague took the call over."))
        self._silent = asyncio.Event()
        self._line.clear()
        await self._silent.wait()  # what was heard of it is in the transcript by then

    async def go_on(self) -> None:
        """The call is the agent's again: answer what was left unanswered, or say so."""
        said = self.transcript.said
        if self._ear.speaking or self.taking.is_on:
            return
        if said and said[-1].speaker is agents.Speaker.CALLER:
            self._answer()
            return
        await self._mouth.phrase(self._phrases.here_again)
        if self._news:
            await self._tell_news()

    # --- the ledger ---

    def _notice_of_end(self, reason: End) -> None:
        self._stop_reply()
        self._line.clear()
        if reason is End.LEDGER_AWAY:
            self.spawn(self.farewell(self._phrases.trouble, reason, at_once=True))
        else:
            self.spawn(self._say(self._phrases.ending_soon))

    async def _look(self) -> None:
        if (asked := await self._logbook.asked()).end is not None:
            self.end(asked.end)
        elif asked.message:
            await self._leave_message(asked.message)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self._look_for_caller(self._line.now_ms)
            if (wish := await self._logbook.beat()) is not None:
                self.end(wish)

    # --- the end ---

    async def _leave(self) -> None:
        """Stop everything of this call but what is being written."""
        self._line.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:  # one that waits for a silent database takes long to let go
            await asyncio.wait(self._tasks, timeout=LEAVE_S)
        await self.taking.close()
        await self._ear.close()

    def _all_used(self) -> list[costs.Used]:
        """What the call used of its vendors, for its cost."""
        listened = self._ear.listened_ms + self.taking.listened_ms
        spoken = self._mouth.spoken_characters
        return [*self._used, *of_speech(self._parts.settings, listened, spoken)]

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, for as long as the call lives."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task is self._reply:
            self._leave_if_silent()
            if self._news:  # it came while this was being said
                self.spawn(self._tell_news())
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %s failed", self.call.call_id, exc_info=error)
            if self._gave_up:
                self.end(End.TROUBLE)
            elif not self._over.done() and self._leaving is None:
                self.spawn(self._give_up())
