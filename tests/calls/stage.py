"""A conversation on a stage: the real engine, database and conversation; scripted vendors.

Time is the line's: 20 ms a step, as fast as the machine can. The caller's speech is real (flite),
so that the real voice activity hears it; what the recogniser understands of it stands in the
script, and so does what the brain answers. Nothing of ours is replaced.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from rehearsal import FarEnd, Marks
from sounds import silence

from offhook import contacts, costs, inbox, media, usage
from offhook.agents import Brain, Briefing, Options, Part, Snapshot, Text, to_json
from offhook.calls import service
from offhook.calls.conversation import Conversation
from offhook.calls.joining.taking_over import OPTIONS, VOICE
from offhook.calls.joining.tickets import Member
from offhook.calls.journal import Journal, folder_of
from offhook.calls.models import Call
from offhook.calls.parts import Parts
from offhook.calls.rules import CallState, End
from offhook.calls.service import Connected
from offhook.calls.setting import Setting, line_options
from offhook.calls.tokens import stream_token
from offhook.carriers import Carriers
from offhook.db import Database, new_id, now
from offhook.phone import E164
from offhook.settings import Settings
from offhook.speech import Heard, Partial, SpeechUnavailable, VoiceCache
from offhook.tasks import Runner
from offhook.teams import Team
from task_fixtures import plain_runner

MS_PER_WORD = 350
HURRIED_MS = 120  # a word, of an agent whom a test waits for in real time
SECRET = b"s" * 32
CALLER = "+12025550147"


class ScriptedBrain:
    """Answers turn after turn from a script; remembers what it was told each time."""

    def __init__(self, *replies: Sequence[Part] | str, delay_steps: int = 0) -> None:
        self.replies = deque(replies)
        self.briefings: list[Briefing] = []
        self.delay_steps = delay_steps

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        self.briefings.append(briefing)
        briefing.spent([costs.Used(costs.Kind.REPLIES, "scripted", "brain", 1)])
        reply = self.replies.popleft() if self.replies else "I see."
        for _ in range(self.delay_steps):
            await asyncio.sleep(0)
        for part in [Text(reply)] if isinstance(reply, str) else reply:
            yield part

    async def close(self) -> None: ...


class ScriptedHearing:
    def __init__(
        self,
        script: deque[str],
        on_partial: Callable[[Partial], None] | None,
        *,
        fails: bool = False,
    ) -> None:
        self._script = script
        self._fails = fails
        self._on_partial = on_partial
        self._open = False
        self._text: str | None = None

    def feed(self, mulaw: bytes) -> None: ...

    def begin(self, lead_ms: int = 300) -> None:
        self._open = True

    async def finalise(self) -> Heard:
        if self._fails:
            raise SpeechUnavailable("The recogniser is not there.")
        if not self._open:
            return Heard("", 0, 0)
        if self._text is None:
            self._text = self._script.popleft() if self._script else ""
        if self._on_partial is not None and self._text:
            self._on_partial(Partial(self._text, 0, 0))
        return Heard(self._text, 0, 0)

    def end(self) -> None:
        self._open, self._text = False, None

    async def close(self) -> None: ...


class ScriptedRecogniser:
    """Understands what the script says, one entry a turn; "" is noise."""

    def __init__(self, *script: str, fails: bool = False) -> None:
        self.script = deque(script)
        self.fails = fails

    async def start(self) -> None: ...

    def open(
        self,
        *,
        language: str = "en",
        hints: Sequence[str] = (),
        on_partial: Callable[[Partial], None] | None = None,
    ) -> ScriptedHearing:
        return ScriptedHearing(self.script, on_partial, fails=self.fails)

    def capacity(self) -> int:
        return 100

    def load(self) -> int:
        return 0

    async def close(self) -> None: ...


class ToneSynthesiser:
    """A tone for each word, as long as somebody takes who speaks slowly; a pitch of its own for
    each utterance.
    """

    identity = "tone"

    def __init__(self, *, fails: bool = False, ms_per_word: int = MS_PER_WORD) -> None:
        self.spoken: list[str] = []
        self.fails = fails
        self.ms_per_word = ms_per_word

    async def start(self) -> None: ...

    async def speak(
        self, text: str, *, voice: str = "", language: str = "en"
    ) -> AsyncIterator[bytes]:
        if self.fails:
            raise SpeechUnavailable("The voice is not there.")
        self.spoken.append(text)
        length = len(text.split()) * self.ms_per_word * 8
        hertz = 300 + 40 * len(self.spoken)
        wave = 8000 * np.sin(2 * np.pi * hertz * np.arange(length) / 8000)
        audio = media.codec.encode_mulaw(wave.astype(np.int16)).tobytes()
        for at in range(0, len(audio), 1600):
            yield audio[at : at + 1600]

    def capacity(self) -> int:
        return 100

    def load(self) -> int:
        return 0

    async def close(self) -> None: ...


class HangUps:
    """What a conversation asks of a carrier."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.documents: list[str] = []

    async def of(self, account_id: str | None) -> Self:
        return self

    async def hang_up(self, call_id: str) -> None:
        self.hung_up.append(call_id)

    async def redirect(self, call_id: str, *, document: str) -> None:
        self.documents.append(document)


class Watcher:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def tell(self, speaker: str, text: str) -> None:
        self.told.append((speaker, text))


class Carrier20ms(FarEnd):
    """As carriers do: a clear also returns the marks of the audio that it discards."""

    def take(self, outgoing: list[media.Outgoing], now_ms: int) -> None:
        for item in outgoing:
            if isinstance(item, media.Clear) and self.rule is Marks.PLAYED:
                discarded = [each for each in self.queue if isinstance(each, media.Mark)]
                self.echoes += [(now_ms, mark.name) for mark in discarded]
            super().take([item], now_ms)


class Stage:
    """One call. `run` lets the caller make a sound; `played` is what the carrier played."""

    open: ClassVar[list[Self]] = []
    """Those whose threads run."""

    def __init__(
        self,
        database: Database,
        connected: Connected,
        folder: Path,
        *,
        brain: Brain,
        recogniser: ScriptedRecogniser,
        synthesiser: ToneSynthesiser | None = None,
        marks: Marks = Marks.PLAYED,
        records: bool = False,
        notice: bool = False,
        runner: Runner | None = None,
        forward_to: str = "",
    ) -> None:
        self.brain = cast("ScriptedBrain", brain)
        self.synthesiser = synthesiser or ToneSynthesiser()
        self.carrier = HangUps()
        self.watcher = Watcher()
        self.batches: list[media.Batch] = []
        self.events: list[media.Event] = []
        self.far = Carrier20ms(marks)
        self.now_ms = 0
        self._due: dict[int, asyncio.Event] = {}
        self.closed_at_ms: int | None = None
        self.database = database
        self.connected = connected
        self.engine = media.Engine(self.batches.append, max_lines=3, reserve_bytes=0)
        self.engine.recorder.start()
        self.open.append(self)
        settings = Settings(home=str(folder))
        parts = Parts(
            settings=settings,
            secret=SECRET,
            database=database,
            carriers=cast("Carriers", self.carrier),
            brain=brain,
            recogniser=recogniser,
            synthesiser=self.synthesiser,
            voices=VoiceCache(self.synthesiser, folder / "voice"),
            runner=runner or plain_runner(database, settings),
        )
        setting = Setting(
            call=connected,
            timezone="UTC",
            contact_name="",
            hints=(),
            records=records,
            notice=notice,
            recording_path=folder / "recordings" / "call.wav",
            forward_to=forward_to,
        )
        options = line_options(
            connected.snapshot, notice_first=records and notice, answers=connected.answers
        )
        self.line = self.engine.open(connected.call_id, options)
        self.journal = Journal(folder_of(folder), "node_stage")
        self.conversation = Conversation(
            setting, self.line, self, self.watcher, parts, self.journal
        )
        self.task = asyncio.create_task(self.conversation.run())

    def close(self) -> None:
        """The conversation closes its stream."""
        self.closed_at_ms = self.now_ms

    def taken_by(self, name: str) -> None:
        """A member of the team takes the call over."""
        own = self.engine.open(self.connected.call_id + VOICE, OPTIONS)
        self.conversation.taking.take(Member(f"usr_{name}", name), own)

    async def by_hand(self, audio: bytes) -> None:
        """The member makes this sound, then is silent for a second and a half."""
        sound = audio + silence(1500)
        for at in range(0, len(sound), 160):
            self.conversation.taking.feed(sound[at : at + 160])
            await self.step(silence(20))
            await asyncio.sleep(0.0005)

    async def run(self, audio: bytes) -> None:
        """The caller makes this sound."""
        for at in range(0, len(audio), 160):
            await self.step(audio[at : at + 160])

    async def quiet(self, ms: int) -> None:
        await self.run(silence(ms))

    async def step(self, frame: bytes) -> None:
        """20 ms of everything."""
        self.far.play(self.now_ms)
        self._give_back()
        self.conversation.feed(frame)
        self.engine.tick()
        self.now_ms += 20
        for at_ms in [each for each in self._due if each <= self.now_ms]:
            self._due.pop(at_ms).set()
        batches, self.batches[:] = list(self.batches), []
        for batch in batches:
            for _, outgoing in batch.out:
                self.far.take(outgoing, self.now_ms)
            for event in batch.events:
                if event.line.endswith(VOICE):
                    self.conversation.taking.on_event(event)
                    continue
                self.events.append(event)
                self.conversation.on_event(event)
        self._give_back()
        for _ in range(6):  # what this step has set going goes on until it waits for something
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], Any], limit_ms: int = 15_000) -> None:
        """The caller is silent until the condition holds."""
        for _ in range(limit_ms // 20):
            if condition():
                return
            await self.step(silence(20))
            # Files and the database answer in real time; the line's time must not run away.
            await asyncio.sleep(0.0005)
        raise AssertionError(f"not within {limit_ms} ms of the call")

    async def agent_is_silent(self) -> None:
        """Until the agent has said all of something."""
        before = len(self.of(media.PlayedOut))
        await self.until(lambda: len(self.of(media.PlayedOut)) > before)

    async def reached(self, at_ms: int) -> None:
        """Until the line is at this millisecond; for what runs beside the call."""
        due = self._due.setdefault(at_ms, asyncio.Event())
        await due.wait()

    async def end(self, reason: End = End.CALLER_HUNG_UP) -> End | None:
        """Hang up and wait until everything is written."""
        self.conversation.end(reason)
        return await self.ended()

    async def ended(self) -> End | None:
        async with asyncio.timeout(20):
            reason = await self.task
        self.engine.tick()
        await asyncio.to_thread(self.strike)
        self.journal.close()
        return reason

    def strike(self) -> None:
        """End its threads."""
        self.open.remove(self)
        self.engine.recorder.stop()

    def of(self, kind: type[media.Event]) -> list[media.Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def _give_back(self) -> None:
        for name in self.far.returned(self.now_ms):
            self.line.marked(name)

    async def turns(self) -> list[tuple[str, str]]:
        """Speaker and text of every turn in the inbox."""
        call = self.connected
        async with self.database.team(call.team_id) as session:
            turns = await inbox.turns_of(session, call.team_id, call.conversation_id)
        return [(turn.speaker.value, turn.text) for turn in turns]


def snapshot(*, greeting: str = "Good morning.", options: Options | None = None) -> Snapshot:
    return Snapshot(
        agent_id="agt_1", version=1, name="Bea", greeting=greeting, options=options or Options()
    )


async def connected(
    database: Database, agent: Snapshot, *, minutes: int | None = None, caller: str = CALLER
) -> Connected:
    """A call that has just been connected: its team, number, contact, conversation and minute.

    `minutes` is the number's monthly limit.
    """
    async with database.system() as session:
        instant = await now(session)
        team = Team(name="Daily Bread", created_at=instant)
        session.add(team)
        await session.flush()
    call_id, number_id = new_id("call"), new_id("num")
    async with database.team(team.id) as session:
        await usage.open_meter(
            session, team.id, number_id=number_id, carrier="simulator", country="US",
            number_type="local",
        )  # fmt: skip
        await usage.set_limit(
            session, team.id, number_id=number_id, service=usage.Service.CALLS, value=minutes
        )
        contact = await contacts.on_contact(session, team.id, E164(caller))
        conversation = await inbox.open_conversation(
            session, team.id, channel=inbox.Channel.CALL, number_id=number_id, sender=caller,
            contact_id=contact.id, call_id=call_id,
        )  # fmt: skip
        session.add(
            Call(
                id=call_id,
                team_id=team.id,
                conversation_id=conversation.id,
                number_id=number_id,
                contact_id=contact.id,
                carrier_call_id="CA" + call_id[-26:].ljust(32, "0"),
                caller=caller,
                state=CallState.ADMITTED,
                agent=to_json(agent),
                limited=minutes is not None,
                answered_at=instant,
                heartbeat_at=instant,
            )
        )
        await usage.reserve_minute(session, team.id, number_id=number_id, call_id=call_id, index=0)
    async with database.system() as session:
        return await service.connect(session, SECRET, call_id, stream_token(SECRET, call_id, 1))
