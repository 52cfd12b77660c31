"""What the inbox keeps of a person: their conversations, moved, told and erased (P7).

An erased conversation stays as a row without words, name or number, which nobody lists: calls and
messages of the ledger point at it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.sql import ColumnElement

from offhook.contacts import ContactBusy, Person
from offhook.db import Session, for_change, now
from offhook.inbox.listing import ERASED
from offhook.inbox.models import Conversation, Labelled, State, Turn


class Conversations:
    """Implements `contacts.Keeper`."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        await session.execute(
            update(Conversation)
            .where(Conversation.team_id == team_id, Conversation.contact_id == source)
            .values(contact_id=target)
        )

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, list[dict[str, Any]]]:
        rows = await session.scalars(
            select(Conversation)
            .where(_theirs(team_id, person))
            .order_by(Conversation.opened_at, Conversation.id)
        )
        conversations = rows.all()
        turns: dict[str, list[dict[str, Any]]] = {each.id: [] for each in conversations}
        found = await session.scalars(
            select(Turn)
            .where(Turn.team_id == team_id, Turn.conversation_id.in_(turns))
            .order_by(Turn.conversation_id, Turn.sequence)
        )
        for turn in found:
            turns[turn.conversation_id].append(
                {
                    "id": turn.id,
                    "speaker": turn.speaker,
                    "text": turn.text,
                    "started_at": turn.started_at,
                    "ended_at": turn.ended_at,
                    "status": turn.status,
                    "note": turn.note,
                    "reaction": turn.reaction,
                    "media": turn.media,
                }
            )
        return {"conversations": [_told(each, turns[each.id]) for each in conversations]}

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        rows = await session.scalars(
            for_change(
                select(Conversation).where(_theirs(team_id, person)).order_by(Conversation.id)
            )
        )
        conversations = rows.all()
        if any(each.state is State.LIVE for each in conversations):
            raise ContactBusy(
                "A call with this contact is going on.", remedy="End it, then erase the contact."
            )
        ids = [each.id for each in conversations]
        turns = await session.scalars(
            delete(Turn)
            .where(Turn.team_id == team_id, Turn.conversation_id.in_(ids))
            .returning(Turn.id)
        )
        await session.execute(
            delete(Labelled).where(Labelled.team_id == team_id, Labelled.conversation_id.in_(ids))
        )
        instant = await now(session)
        for each in conversations:
            each.contact_id, each.sender = None, ""
            each.preview, each.person_needed = "", ""
            each.title, each.summary, each.labels = "", "", []
            each.state, each.reason, each.last_heard_at = State.CLOSED, ERASED, None
            each.snoozed_until, each.taken_over_by = None, ""
            each.closed_at = each.closed_at or instant
        await session.flush()
        return {"conversations": len(ids), "turns": len(turns.all())}


def _theirs(team_id: str, person: Person) -> ColumnElement[bool]:
    whose = or_(
        Conversation.contact_id.in_(person.contact_ids), Conversation.sender.in_(person.numbers)
    )
    return (Conversation.team_id == team_id) & whose


def _told(conversation: Conversation, turns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "channel": conversation.channel,
        "number_id": conversation.number_id,
        "sender": conversation.sender,
        "state": conversation.state,
        "reason": conversation.reason,
        "title": conversation.title,
        "summary": conversation.summary,
        "labels": conversation.labels,
        "opened_at": conversation.opened_at,
        "closed_at": conversation.closed_at,
        "turns": turns,
    }
