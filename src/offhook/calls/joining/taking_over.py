"""A member talks with the caller in the agent's place, until the call is the agent's again (I5).

Their microphone is a line of the engine of its own, bridged to the call's: it has the same ring
against an uneven network, the same voice activity and turns as a caller's. Their words become turns
of the transcript, and thereby the agent's memory. Knows no socket; when the agent falls silent and
goes on is the conversation's.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from offhook import media
from offhook.calls.away import AWAY
from offhook.calls.ear import Ear
from offhook.calls.joining import service
from offhook.calls.joining.tickets import Member
from offhook.calls.logbook import Logbook
from offhook.calls.setting import Setting, Watchers
from offhook.calls.transcript import Transcript
from offhook.speech import Recogniser, SpeechUnavailable

log = logging.getLogger(__name__)
VOICE = "/voice"
"""After the call's id: the name of the line of who talks."""

TAKEN, HANDED_BACK = "taken", "handed_back"
"""The status of the notices that say so."""

OPTIONS = media.LineOptions(check_in_ms=None, never_spoke_ms=None)
NOTE = (
    "A colleague talked with the caller in your place and gave the call back to you. What they said"
    " stands among your turns."
)


class Agent(Protocol):
    """The conversation, as far as this touches it."""

    @property
    def transcript(self) -> Transcript: ...

    async def fall_silent(self) -> None: ...

    async def go_on(self) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, for as long as the call lives."""
        ...


class TakingOver:
    """Who of the team has the call. `notes` are what the agent should know of it afterwards."""

    def __init__(
        self,
        setting: Setting,
        line: media.Line,
        recogniser: Recogniser,
        agent: Agent,
        logbook: Logbook,
        watchers: Watchers,
    ) -> None:
        self._setting = setting
        self._call = setting.call
        self._line = line
        self._recogniser = recogniser
        self._agent = agent
        self._logbook = logbook
        self._watchers = watchers
        self._taking: asyncio.Task[None] | None = None
        self._voice: _Voice | None = None
        self._listened_ms = 0
        self._noting = asyncio.Lock()
        self.allowed = asyncio.Event()
        """Set once the notice was heard to its end, where there is one (SEC17)."""
        self.notes: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether a member has the call, or waits for the notice's end to take it."""
        return self._taking is not None

    @property
    def listened_ms(self) -> int:
        """Audio whose words were asked for, as `Ear.listened_ms`."""
        return self._listened_ms + (self._voice.ear.listened_ms if self._voice else 0)

    def take(self, member: Member, own: media.Line) -> None:
        """`member` speaks from now on, and what they say is fed here, for the line `own`."""
        ear = Ear(
            own,
            self._recogniser,
            language=self._call.snapshot.language,
            hints=self._setting.hints,
            on_partial=lambda text: self._watchers.tell("person", text),
        )
        voice = self._voice = _Voice(member, own, ear, self._line.now_ms - own.now_ms)
        self._taking = self._agent.spawn(self._begin(voice))

    def hand_back(self, *, lost: bool = False) -> None:
        """The agent goes on; `lost`: since the member's connection broke."""
        taking, voice = self._taking, self._voice
        self._taking = self._voice = None
        if taking is not None and voice is not None:
            if not self.allowed.is_set():
                taking.cancel()
            self._agent.spawn(self._end(voice, taking, lost=lost))

    def feed(self, mulaw: bytes) -> None:
        if self._voice is not None and self._voice.has_begun:
            self._voice.own.feed(mulaw)
            self._voice.ear.feed(mulaw)

    def on_event(self, event: media.Event) -> None:
        """Take one event of the member's own line."""
        if (voice := self._voice) is None:
            return
        voice.ear.on_event(event)
        if isinstance(event, media.TurnEnded):
            self._agent.spawn(self._turn(voice, event.start_ms, event.end_ms))

    async def close(self) -> None:
        """The call is over."""
        self._taking = None
        if (voice := self._voice) is not None:
            await self._close(voice)

    async def _begin(self, voice: "_Voice") -> None:
        await self.allowed.wait()
        await self._agent.fall_silent()
        voice.has_begun, self.notes = True, (NOTE,)
        self._line.bridge(voice.own)
        text = f"{voice.member.name} took the call over from the agent."
        self._agent.transcript.notice(text, status=TAKEN)
        self._agent.spawn(self._note_holder())

    async def _end(self, voice: "_Voice", taking: asyncio.Task[None], *, lost: bool) -> None:
        await asyncio.wait({taking})
        if not voice.has_begun:
            await self._close(voice)
            return
        self._line.bridge(None)
        if (since_ms := voice.ear.speaking_since_ms) is not None:
            await self._turn(voice, since_ms, voice.own.now_ms)
        await self._close(voice)
        name = voice.member.name
        self._agent.transcript.notice(
            f"The connection of {name} was lost: the agent goes on."
            if lost
            else f"{name} handed the call back to the agent.",
            status=HANDED_BACK,
        )
        self._agent.spawn(self._note_holder())
        await self._agent.go_on()

    async def _close(self, voice: "_Voice") -> None:
        if voice is self._voice:
            self._voice = None
        self._listened_ms += voice.ear.listened_ms
        voice.own.close()
        await voice.ear.close()

    async def _turn(self, voice: "_Voice", start_ms: int, end_ms: int) -> None:
        try:
            heard = await voice.ear.words()
        except SpeechUnavailable as error:
            log.warning("what a member said on %s is not known: %s", self._call.call_id, error)
            self._agent.transcript.notice("What was said by hand could not be written down.")
            return
        self._watchers.tell("person", "")
        if heard.text:
            start_ms, end_ms = start_ms + voice.offset_ms, end_ms + voice.offset_ms
            self._agent.transcript.person(heard.text, start_ms, end_ms, name=voice.member.name)

    async def _note_holder(self) -> None:
        """One after the other: the last one is what is so."""
        call = self._call
        async with self._noting:
            member = self._voice.member if self._voice is not None else None
            try:
                await self._logbook.ask(
                    lambda session: service.held_by(session, call.team_id, call.call_id, member)
                )
            except AWAY as error:
                log.warning("who has call %s is not noted: %s", call.call_id, error)


@dataclass(eq=False, slots=True)
class _Voice:
    """A member's voice. `offset_ms`: the call's time at the beginning of their own line."""

    member: Member
    own: media.Line
    ear: Ear
    offset_ms: int
    has_begun: bool = False
