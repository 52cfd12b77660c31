"""One live call: a dialogue, and what a call is besides: a ledger, a carrier, a recording, people.

Everything arrives in one event loop: events of the engine (`on_event`), audio (`feed`), wishes from
outside (`poke`). Who speaks when is the dialogue's. When a task of the call fails in an unforeseen
way the call ends with an apology rather than in silence (C9). `run` returns when the call is over
and everything about it is written.
"""

import asyncio
import logging
from collections.abc import Collection, Coroutine
from dataclasses import replace
from typing import Any

from offhook import agents, costs, media
from offhook.calls.briefing import KEYED, briefing
from offhook.calls.credit import open_credit
from offhook.calls.dialogue import Dialogue
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
from offhook.calls.parts import Parts
from offhook.calls.phrases import phrases
from offhook.calls.pressing import Pressing
from offhook.calls.rules import HEARTBEAT_S, End
from offhook.calls.setting import Setting, Stream, Watchers, line_options
from offhook.calls.taping import Taping
from offhook.calls.telltales import refuses_recording
from offhook.calls.transcript import KEYS, Transcript
from offhook.speech import SpeechUnavailable

log = logging.getLogger(__name__)


class Conversation:
    """A call that is connected. Implements `dialogue.Host` and `taking_over.Agent`."""

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
        self._phrases = phrases(snapshot.language)
        self._greeting: asyncio.Task[None] | None = None
        self._silent = asyncio.Event()
        self._recording_notice = ""
        self._opening = ""
        self._options = line_options(snapshot, answers=call.answers)
        self._brain = parts.brain if call.answers is Answers.AGENT else MessageTaker(self._phrases)
        self._keyed = False
        self._whispers = setting.whispers
        self._used: list[costs.Used] = []
        self._gave_up = False
        self._talk = Dialogue(self, line, parts, snapshot, watchers, hints=setting.hints)
        self._pressing = Pressing(line, lambda: self._seconds, self.spawn, self._keyed_in)
        self.transcript = Transcript(
            parts.database, call.team_id, call.conversation_id, call.connected_at, setting.said
        )
        self._measuring = Measuring(call, self.transcript)
        self._logbook = Logbook(parts.database, journal, call, seconds=lambda: self._seconds)
        self._taping = Taping(setting, line, self._logbook, self.transcript)
        self._secure = SecureKeypad(self._phrases, self._talk.say, self._keep_secret)
        self._errands = Errands(call, parts.runner, self._logbook.ask, timezone=setting.timezone)
        self._credit = open_credit(
            parts, call, self._logbook.minute, on_notice=self._notice_of_end, on_hang_up=self.end
        )
        self._way_out = Leaving(
            call, self._logbook, self.transcript, stream, parts.carriers, self._credit
        )
        self.taking = TakingOver(setting, line, parts.recogniser, self, self._logbook, watchers)
        self._handing_over = HandingOver(call, self._credit, self._logbook.ask)

    @property
    def _seconds(self) -> float:
        """Since the answer, by a clock that never jumps (UM7)."""
        return self._credit.elapsed_ms / 1000

    # --- from outside ---

    def feed(self, mulaw: bytes) -> None:
        """Audio of the caller; silence while they key in what nobody may hear."""
        if self._secure.is_open:
            mulaw = bytes((media.codec.SILENCE,)) * len(mulaw)
        self._talk.feed(mulaw)

    def pressed(self, key: str) -> None:
        """The caller pressed a key, which interrupts like a word does (C6); outside the hours there
        is no agent to press it for.
        """
        if not self._secure.press(key) and self.call.answers is Answers.AGENT:
            self._talk.hold()
            self._pressing.press(key)

    def hung_up(self) -> None:
        """The carrier closed the stream: the caller is gone."""
        self.end(End.CALLER_HUNG_UP)

    def poke(self) -> None:
        """Something about this call or its limit changed in the database: look."""
        self._credit.limit_changed()
        self.spawn(self._look())

    def task_ended(self) -> None:
        """A task of this conversation began or ended."""
        self._talk.news()

    def end(self, reason: End | None) -> None:
        """End the call now, or leave it to who puts it through; the first reason stands."""
        self._talk.end(reason)

    async def farewell(self, text: str, reason: End, *, at_once: bool = False) -> None:
        """Say a last sentence, then end; `at_once` drops what is still to be said before it. The
        carrier says it where there is no voice (C9).
        """
        if at_once:
            self._talk.stop_reply()
            self._line.clear()
        self._call_off("The call ended.")
        try:
            await self._talk.farewell(text, reason)
        except SpeechUnavailable:
            self._way_out.unsaid = text
            self.end(reason)

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
            reason = await self._talk.over
        finally:
            seconds = self._seconds
            keypads.close(conversation_id)
            self._secure.close()
            await self._talk.close()
            await self.taking.close()
        if reason is None:
            await self._way_out.put_through(self._all_used(), writer)
        else:
            await self._way_out.end(reason, seconds, self._all_used(), writer)
        return reason

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, for as long as the call lives."""
        return self._talk.spawn(work)

    # --- the engine's events ---

    def on_event(self, event: media.Event) -> None:
        """Take one event of this call's line."""
        self._talk.on_event(event)
        match event:
            case media.PieceStarted():
                self._piece_started(event)
            case media.PiecePlayed(heard=heard):
                self._played(heard.piece)
            case media.Cleared():
                self._silent.set()
                self._pressing.cleared()
            case media.RecordingFailed():
                self._taping.failed(event)
            case media.LineFailed():
                self._way_out.unsaid = self._phrases.trouble  # this process cannot say it (C9)
            case _:
                pass

    def _piece_started(self, event: media.PieceStarted) -> None:
        self._measuring.started(event)
        if not self._logbook.spoke:
            self._logbook.spoke = True
            self.spawn(self._logbook.first_words())

    def _played(self, piece: str) -> None:
        if piece == self._recording_notice:
            self.spawn(self._taping.begin())
            self.taking.allowed.set()
        if piece == (self._opening if self.call.is_outbound else self._recording_notice):
            self._line.configure(self._options)

    # --- speaking ---

    async def _greet(self) -> None:
        """The notice, if the call is recorded, then the greeting; both are kept audio."""
        greeting, returned = self.call.opening, self.call.returned
        if returned is not None:
            greeting = self._phrases.came_back(returned.name, returned.failure)
            if self.call.answers is Answers.MESSAGE:
                greeting = self._phrases.nobody_there
            await self._errands.all_told()
        mouth = self._talk.mouth
        if self._setting.records and self._setting.notice:
            self._recording_notice = await mouth.phrase(self._phrases.recording)
        elif self._setting.records:
            self.spawn(self._taping.begin())
        if not self._recording_notice:
            self.taking.allowed.set()
        if greeting:
            self._opening = await mouth.phrase(greeting)
        self._after_greeting()

    def _after_greeting(self) -> None:
        """Outside the hours the greeting is all that the caller hears of the agent."""
        match self.call.answers:
            case Answers.SENTENCE:
                self._talk.leave(End.CLOSED)
            case Answers.FORWARD:
                self._talk.leave(agents.HandOver("", self._setting.forward_to))
            case Answers.MESSAGE:
                self._talk.mouth.sound(beep())
            case Answers.AGENT:
                pass

    async def reply(self) -> None:
        """One reply, and what it does besides speaking. Raises SpeechUnavailable."""
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
            whispers=self._whispers,
            spent=self._used.extend,
        )
        spoken = await self._talk.mouth.reply(
            self._brain.reply(told),
            if_nothing=self._phrases.not_understood,
            fillers=self._phrases.fillers,
            watch=self._measuring.watch,
        )
        self.transcript.cite(spoken.citations)
        self.transcript.learn(call.contact_id, spoken.learned)
        if spoken.needs_person:
            self.transcript.notice(spoken.needs_person)
            await self._errands.need_person(spoken.needs_person)
        if spoken.hand_over is not None:
            self._talk.leave(spoken.hand_over)
        elif spoken.hang_up:
            self._talk.leave(End.AGENT_HUNG_UP)

    def heard(self, heard: media.Heard, *, interrupted: bool) -> None:
        self.transcript.heard(heard, interrupted=interrupted)

    def told(self, run_id: str) -> None:
        self.spawn(self._errands.told(run_id))

    async def untold(self) -> Collection[str]:
        return await self._errands.untold()

    async def _leave_message(self, text: str) -> None:
        """A machine records now: what it says is no interruption, and nobody answers it (C8)."""
        if not self._talk.is_leaving:
            if self._greeting is not None:
                self._greeting.cancel()  # what is left of it would be said after the message
            self._line.configure(replace(self._options, barge_in=False))
            await self.farewell(text, End.MESSAGE_LEFT, at_once=True)

    # --- listening ---

    async def said(self, text: str, ended: media.TurnEnded) -> bool:
        """Keep the caller's turn; their wish not to be recorded is granted before any answer."""
        self._measuring.understood(ended, self._line.now_ms)
        self._keyed = False
        self.transcript.caller(text, ended.start_ms, ended.end_ms)
        self._call_off("The caller went on talking.")
        if not (self._taping.is_on and refuses_recording(text)):
            return True
        self._talk.stop_reply()
        await self._taping.forget()
        if not self.is_mute:
            await self._talk.say(self._phrases.recording_off)
        return False

    def _keyed_in(self, keys: str, began_ms: int, now_ms: int) -> None:
        """What was pressed is a turn of the caller's."""
        self._talk.presence.took_part(now_ms)
        self._keyed = True
        self.transcript.caller(keys, began_ms, now_ms, status=KEYS)
        self._call_off("The caller pressed a key.")
        self._talk.answer()

    def _keep_secret(self) -> None:
        """Digits are being keyed in that are kept nowhere, or no longer."""
        self._talk.mouth.holds_back = self._secure.is_open
        self._talk.presence.took_part(self._line.now_ms)
        if not self._secure.is_open:
            self.transcript.notice("Digits were keyed in; they were not recorded and are not kept.")

    # --- people ---

    @property
    def is_mute(self) -> bool:
        """Whether a member of the team speaks in the agent's place (I5)."""
        return self.taking.is_on

    async def fall_silent(self) -> None:
        """A member of the team speaks instead: what the agent had not yet said is not said (I5)."""
        if self._greeting is not None:
            self._greeting.cancel()
        self._talk.hold()
        self._call_off("A colleague took the call over.")
        self._silent = asyncio.Event()
        self._line.clear()
        await self._silent.wait()  # what was heard of it is in the transcript by then

    async def go_on(self) -> None:
        """The call is the agent's again: answer what was left unanswered, or say so."""
        said = self.transcript.said
        if self._talk.ear.speaking or self.is_mute:
            return
        if said and said[-1].speaker is agents.Speaker.CALLER:
            self._talk.answer()
            return
        await self._talk.say(self._phrases.here_again)
        await self._talk.tell_news()

    async def put_through(self, wish: agents.HandOver) -> None:
        if await self._handing_over.leave(wish, self._way_out.carrier):
            self.end(None)
        else:
            await self._stay()

    async def _stay(self) -> None:
        """Nobody could be rung: the agent goes on, or, outside the hours, a message is taken."""
        if self.call.answers is not Answers.FORWARD:
            await self._talk.say(self._phrases.not_handed_over)
            return
        self._options = line_options(self.call.snapshot, answers=Answers.MESSAGE)
        self._line.configure(self._options)
        await self._talk.say(self._phrases.nobody_there)
        self._talk.mouth.sound(beep())

    def _call_off(self, sentence: str) -> None:
        """The agent keeps the caller: a transfer that was wanted is known as failed (T3)."""
        if (wish := self._talk.let_go()) is not None:
            self.spawn(self._handing_over.call_off(wish, sentence))

    # --- trouble ---

    async def give_up(self) -> None:
        """A person takes the caller, or calls back; never silence (C9)."""
        if self._gave_up:
            return
        self._gave_up = True
        self._talk.stop_reply()
        stand_in = await self._errands.stand_in()
        if stand_in and await self._handing_over.rescue(
            self._talk.let_go(), stand_in.target, self._way_out.carrier
        ):
            self.end(None)
            return
        promised = await self._errands.promise_call_back()
        words = self._phrases.call_back if promised else self._phrases.trouble
        await self.farewell(words, End.TROUBLE)

    def failed(self, error: BaseException) -> None:
        log.error("call %s failed", self.call.call_id, exc_info=error)
        if self._gave_up:
            self.end(End.TROUBLE)
        elif not (self._talk.over.done() or self._talk.is_leaving):
            self.spawn(self.give_up())

    # --- the ledger ---

    def _notice_of_end(self, reason: End) -> None:
        if reason is End.LEDGER_AWAY:
            self.spawn(self.farewell(self._phrases.trouble, reason, at_once=True))
        else:
            self._talk.stop_reply()
            self._line.clear()
            self.spawn(self._talk.say(self._phrases.ending_soon))

    async def _look(self) -> None:
        asked = await self._logbook.asked()
        self._whispers = asked.whispers or self._whispers
        if asked.end is not None:
            self.end(asked.end)
        elif asked.message:
            await self._leave_message(asked.message)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self._talk.look_for_caller(self._line.now_ms)
            if (wish := await self._logbook.beat()) is not None:
                self.end(wish)

    def _all_used(self) -> list[costs.Used]:
        """What the call used of its vendors, for its cost."""
        listened = self._talk.ear.listened_ms + self.taking.listened_ms
        spoken = self._talk.mouth.spoken_characters
        return [*self._used, *of_speech(self._parts.settings, listened, spoken)]
