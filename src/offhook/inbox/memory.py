"""What an agent knows of a contact and remembers of their other conversations, on calls and by
text alike, and what it learns (P3, P4).

Only of whoever shows their number: a hidden caller has no contact and so no memory (P5). The last
few conversations, each cut to its last turns; what was only a notice is left out, and what did not
reach the other side.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from offhook import agents, contacts
from offhook.db import Session
from offhook.errors import Problem
from offhook.inbox.models import Channel, Conversation, Speaker, State, Turn
from offhook.inbox.rules import UNREAD_BY_THEM

log = logging.getLogger(__name__)
CONVERSATIONS = 3
TURNS = 8
TURN_CHARACTERS = 240
VOICES = {
    Speaker.CALLER: agents.Speaker.CALLER,
    Speaker.AGENT: agents.Speaker.AGENT,
    Speaker.PERSON: agents.Speaker.PERSON,
}
"""Whose words a turn is, to an agent; a NOTICE is nobody's."""


@dataclass(frozen=True, slots=True)
class Memory:
    """For a briefing; empty for who hides their number."""

    known: Mapping[str, str] = field(default_factory=dict[str, str])
    fillable: Sequence[agents.Fillable] = ()
    earlier: Sequence[agents.Earlier] = ()


async def remembered(
    session: Session, team_id: str, conversation_id: str, contact_id: str | None
) -> Memory:
    """What an agent may know of the other side, and fill, in this conversation."""
    if contact_id is None:
        return Memory()
    known = await contacts.known(session, team_id, contact_id)
    values = {each.label: each.text for each in known.values}
    notes = {"Notes": " / ".join(known.notes)} if known.notes else {}
    fillable = [
        agents.Fillable(each.key, each.label, each.type, each.choices, each.description)
        for each in await contacts.fillable(session, team_id)
    ]
    earlier = await _earlier(session, team_id, conversation_id, contact_id)
    return Memory(values | notes, fillable, earlier)


async def learn(
    session: Session,
    team_id: str,
    conversation_id: str,
    contact_id: str | None,
    found: Sequence[agents.Learned],
) -> None:
    """Keep what the contact said about themselves, with the turn that it comes from (P3)."""
    if contact_id is None or not found:
        return
    turn_id = await session.scalar(
        select(Turn.id)
        .where(
            Turn.team_id == team_id,
            Turn.conversation_id == conversation_id,
            Turn.speaker == Speaker.CALLER,
        )
        .order_by(Turn.sequence.desc())
        .limit(1)
    )
    for each in found:
        try:
            await contacts.learn(
                session, team_id, contact_id, each.key, each.value, conversation_id, turn_id
            )
        except Problem as problem:  # a brain may say anything; what cannot be kept is not
            log.info("%s of %s was not learned: %s", each.key, contact_id, problem.code)


async def _earlier(
    session: Session, team_id: str, conversation_id: str, contact_id: str
) -> list[agents.Earlier]:
    """The contact's last conversations but this one, oldest first."""
    found = await session.scalars(
        select(Conversation)
        .where(
            Conversation.team_id == team_id,
            Conversation.contact_id == contact_id,
            Conversation.id != conversation_id,
            Conversation.state != State.NOT_ANSWERED,
            Conversation.last_sequence > 0,
        )
        .order_by(Conversation.last_activity_at.desc())
        .limit(CONVERSATIONS)
    )
    remembered: list[agents.Earlier] = []
    for each in list(found)[::-1]:
        said = _said(await last_said(session, team_id, each.id, TURNS))
        if said:
            channel = agents.Channel.CALL if each.channel is Channel.CALL else agents.Channel.SMS
            remembered.append(agents.Earlier(channel, each.last_activity_at, said))
    return remembered


async def last_said(
    session: Session, team_id: str, conversation_id: str, most: int
) -> Sequence[Turn]:
    """The last turns that anybody said and the other side heard or wrote, in order."""
    rows = await session.scalars(
        select(Turn)
        .where(
            Turn.team_id == team_id,
            Turn.conversation_id == conversation_id,
            Turn.speaker != Speaker.NOTICE,
            Turn.status.not_in(UNREAD_BY_THEM),
        )
        .order_by(Turn.sequence.desc())
        .limit(most)
    )
    return list(rows)[::-1]


def _said(turns: Sequence[Turn]) -> list[agents.Said]:
    return [
        agents.Said(VOICES[turn.speaker], " ".join(turn.text.split())[:TURN_CHARACTERS])
        for turn in turns
        if turn.text.strip()
    ]
