"""What pages and the API read of calls: one, a list, the live ones, the media node of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from offhook import audit
from offhook.calls.admission import LIVE_STATES
from offhook.calls.models import Call, MediaNode
from offhook.calls.outbound.models import OutboundCall
from offhook.calls.rules import NOT_REACHED, SENTENCES, CallState, End, Refusal, end_sentence
from offhook.carriers import AnsweredBy
from offhook.db import Session, now
from offhook.prices import Direction

LISTENING = timedelta(minutes=10)

GOOD_ENDS = frozenset(
    {
        End.CALLER_HUNG_UP,
        End.AGENT_HUNG_UP,
        End.ENDED_BY_PERSON,
        End.TRANSFER_OVER,
        End.MESSAGE_LEFT,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call's end in words."""

    title: str
    sentence: str
    good: bool


def outcome(call: Call) -> Outcome:
    """What became of the call, for people."""
    if call.state is CallState.REFUSED:
        return Outcome("Not answered", SENTENCES[Refusal(call.reason)], good=False)
    if call.state is CallState.DIALLING:
        return Outcome("Calling", "It rings.", good=True)
    if call.state is CallState.TRANSFERRED:
        return Outcome("Live", "The caller is put through to a person.", good=True)
    if call.state in LIVE_STATES:
        whom = "them" if call.direction is Direction.OUTBOUND else "the caller"
        return Outcome("Live", f"The agent is talking with {whom}.", good=True)
    reason = End(call.reason)
    title = "Not reached" if reason in NOT_REACHED else "Ended"
    return Outcome(title, end_sentence(reason, call.direction), good=reason in GOOD_ENDS)


def was_answered(call: Call) -> bool:
    """Whether two sides were ever connected."""
    never = {CallState.REFUSED, CallState.DIALLING}
    return call.state not in never and call.reason not in NOT_REACHED


def duration(call: Call) -> timedelta:
    """From the answer to the end; zero for a call that was not answered or still lives."""
    if call.ended_at is None or not was_answered(call):
        return timedelta(0)
    return call.ended_at - call.answered_at


def listed(team_id: str, *, number_id: str = "", live: bool | None = None) -> Select[Call]:
    """The team's calls, for `paginate`; refused ones only without `live`."""
    statement = select(Call).where(Call.team_id == team_id)
    if number_id:
        statement = statement.where(Call.number_id == number_id)
    if live is not None:
        condition = Call.state.in_(LIVE_STATES)
        statement = statement.where(condition if live else ~condition)
    return statement


async def live(session: Session, team_id: str) -> list[Call]:
    """Calls that are going on now, the longest first."""
    rows = await session.scalars(
        listed(team_id, live=True).order_by(Call.answered_at, Call.id).limit(50)
    )
    return list(rows)


async def answered_by(
    session: Session, team_id: str, rows: Sequence[Call]
) -> dict[str, AnsweredBy]:
    """Who or what took those of the calls that we started, as far as the carrier told; by their
    ids.
    """
    started = [call.id for call in rows if call.direction is Direction.OUTBOUND]
    if not started:
        return {}
    found = await session.execute(
        select(OutboundCall.call_id, OutboundCall.answered_by).where(
            OutboundCall.team_id == team_id,
            OutboundCall.call_id.in_(started),
            OutboundCall.answered_by.is_not(None),
        )
    )
    return {call_id: AnsweredBy(heard) for call_id, heard in found}


async def node_url(session: Session, call: Call) -> str | None:
    """Where the call's words can be followed, while its media process is there."""
    return await session.scalar(select(MediaNode.url).where(MediaNode.id == call.node_id))


def seek_ms(turn_started_at: datetime, call: Call) -> int | None:
    """Where a turn lies in the recording; None without one."""
    until = call.recorded_until or call.ended_at
    if call.recording != "ready" or until is None or call.recording_ms is None:
        return None
    if turn_started_at > until:
        return None
    before_end = (until - turn_started_at) / timedelta(milliseconds=1)
    return max(0, round(call.recording_ms - before_end))


async def note_heard(session: Session, team_id: str, call_id: str, user_id: str) -> None:
    """Record that somebody listens (SEC16, SEC21); a player's many requests are one listening."""
    since = await now(session) - LISTENING
    heard = audit.Filter(user_id, "recording", call_id, "heard", since)
    if not await audit.is_recorded(session, team_id, heard):
        audit.record(session, team_id, "heard", "recording", call_id)
