"""Everything that a call's page shows, read once (I4)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select

from offhook import agents, contacts, inbox, numbers, tasks, usage
from offhook.calls import reading, recordings, service, waveform
from offhook.calls.admission import CARRIED_STATES, LIVE_STATES
from offhook.calls.latency import service as latency
from offhook.calls.latency.models import ReplyTimes
from offhook.calls.manners.rules import Answers
from offhook.calls.marks import Mark, marks
from offhook.calls.models import Call
from offhook.calls.outbound.rules import ANSWERED_BY
from offhook.calls.reading import Outcome
from offhook.calls.transfers import legs
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.models import Transfer
from offhook.db import Session
from offhook.prices import Money


@dataclass(frozen=True, slots=True)
class Joinable:
    """A call, as far as members of the team can take part in it."""

    call: Call

    @property
    def can_be_joined(self) -> bool:
        """Whether a media process carries it."""
        return self.call.state in CARRIED_STATES

    @property
    def agent_listens(self) -> bool:
        """Whether there is an agent to whisper to."""
        return self.can_be_joined and self.call.answers is Answers.AGENT


@dataclass(frozen=True, slots=True)
class View(Joinable):
    """A call, its conversation, and what is known about both."""

    chat: inbox.Conversation
    outcome: Outcome
    duration: timedelta
    agent: agents.Snapshot | None
    number: numbers.Number
    contact: contacts.Contact | None
    entries: list[tuple[inbox.Entry, int | None]]
    """Turns and runs of tasks, each with its place in the recording."""
    marks: list[Mark]
    minutes: Sequence[usage.RatedEntry]
    cost: usage.CallCost | None
    transfers: list[tuple[Transfer, str, bool, Money | None]]
    """Each with what became of it, whether that is well, and what its second leg cost."""
    times: dict[str, ReplyTimes]
    """By the turn that was the reply."""
    latency: latency.Summary | None
    answered_by: str
    """Who took a call that we started, by the carrier's ear; "" where it was not asked."""

    @property
    def is_live(self) -> bool:
        return self.call.state in LIVE_STATES

    @property
    def can_be_tested(self) -> bool:
        """Whether the agent answered something, so that it can be held again with its draft."""
        spoken = {entry.turn.speaker for entry, _ in self.entries if entry.turn is not None}
        return not self.is_live and {inbox.Speaker.CALLER, inbox.Speaker.AGENT} <= spoken

    @property
    def slowest_ms(self) -> int:
        """The longest wait for a reply: the width of the waterfall."""
        return max((row.sent_ms for row in self.times.values()), default=0)


async def view(session: Session, team_id: str, call_id: str) -> View:
    """Raises CallNotFound."""
    call = await service.get(session, team_id, call_id)
    turns = await inbox.turns_of(session, team_id, call.conversation_id)
    runs = await tasks.runs_of(session, team_id, [call.conversation_id])
    contact = None
    if call.contact_id:
        contact = await contacts.get(session, team_id, call.contact_id)
    moved = await transfers.of_call(session, team_id, call.id)
    minutes = await usage.entries_of_call(session, team_id, call.id)
    heard = await reading.answered_by(session, team_id, [call])
    place = partial(reading.seek_ms, call=call)
    return View(
        call=call,
        chat=await inbox.get(session, team_id, call.conversation_id),
        outcome=reading.outcome(call),
        duration=reading.duration(call),
        agent=agents.from_json(call.agent) if call.agent else None,
        number=await numbers.get(session, team_id, call.number_id),
        contact=contact,
        entries=[(each, place(each.at)) for each in inbox.spoken_and_done(turns, runs)],
        marks=marks(turns, runs, moved, place),
        minutes=minutes,
        cost=usage.cost_of(minutes),
        transfers=[(each, *transfers.told(each), legs.charge(each)) for each in moved],
        times=await latency.of_call(session, team_id, call.id),
        latency=await latency.summary(session, team_id, latency.Wanted(call_id=call.id)),
        answered_by=ANSWERED_BY[heard[call.id]] if call.id in heard else "",
    )


async def drawing(session: Session, team_id: str, call_id: str) -> waveform.Waveform:
    """How the recording looks. Raises CallNotFound, RecordingNotFound."""
    call = await service.get(session, team_id, call_id)
    path = Path(call.recording_path or "")
    try:
        if call.recording == "ready":
            return await asyncio.to_thread(waveform.draw, path)
    except OSError as error:
        raise recordings.RecordingNotFound(
            "The recording's file is not here.", remedy="Look for it in the backup."
        ) from error
    raise recordings.RecordingNotFound(
        "This call has no recording.", remedy="Recording is switched on on the number's page."
    )


@dataclass(frozen=True, slots=True)
class LiveCall(Joinable):
    """A call that is going on: who it is with, and what was said last."""

    contact: contacts.Contact | None
    last: str


async def live(session: Session, team_id: str) -> list[LiveCall]:
    """The team's calls that are going on, the longest first."""
    rows = await reading.live(session, team_id)
    by_id = await contacts.of(session, team_id, [call.contact_id for call in rows])
    chat = inbox.Conversation
    found = await session.execute(
        select(chat.id, chat.preview).where(
            chat.team_id == team_id, chat.id.in_([call.conversation_id for call in rows])
        )
    )
    said = {row.id: row.preview for row in found}
    return [
        LiveCall(call, by_id.get(call.contact_id or ""), said.get(call.conversation_id, ""))
        for call in rows
    ]
