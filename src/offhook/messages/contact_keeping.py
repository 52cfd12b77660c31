"""What messages keep of a person: texts and how they were delivered; moved, told, erased (P7).

A message stays for the ledger and for the comparison with the carrier, without its text and the
other side's number. Opt-outs are promises about a pair of numbers and stay.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.sql import ColumnElement

from offhook.contacts import ContactBusy, Person
from offhook.db import EventRow, Session, for_change
from offhook.messages import threads
from offhook.messages.media import keeping
from offhook.messages.media.models import MessageMedia
from offhook.messages.models import Message, OptOut
from offhook.messages.rules import Outcome, State, Why

UNFINISHED = (State.DRAFT, State.QUEUED)


class Messages:
    """Implements `contacts.Keeper`."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        await session.execute(
            update(Message)
            .where(Message.team_id == team_id, Message.contact_id == source)
            .values(contact_id=target)
        )

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, list[dict[str, Any]]]:
        found = await session.scalars(
            select(Message).where(_theirs(team_id, person)).order_by(Message.created_at, Message.id)
        )
        rows = found.all()
        files = await keeping.of_messages(session, team_id, [message.id for message in rows])
        opted_out = await session.scalars(
            select(OptOut)
            .where(OptOut.team_id == team_id, OptOut.remote.in_(person.numbers))
            .order_by(OptOut.ours, OptOut.remote)
        )
        return {
            "messages": [
                {
                    "id": message.id,
                    "conversation_id": message.conversation_id,
                    "turn_id": message.turn_id,
                    "direction": message.direction,
                    "ours": message.ours,
                    "remote": message.remote,
                    "state": message.state,
                    "outcome": message.outcome,
                    "segments": message.segments,
                    "media": [each.id for each in files.get(message.id, [])],
                    "created_at": message.created_at,
                }
                for message in rows
            ],
            "opt_outs": [
                {
                    "ours": each.ours,
                    "remote": each.remote,
                    "source": each.source,
                    "created_at": each.created_at,
                }
                for each in opted_out
            ],
        }

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        rows = await session.scalars(
            for_change(select(Message).where(_theirs(team_id, person)).order_by(Message.id))
        )
        found = rows.all()
        if any(each.state is State.SENDING and not each.carrier_id for each in found):
            raise ContactBusy(
                "A text to this contact is being sent.", remedy="Try again in a moment."
            )
        for message in found:
            if message.state in UNFINISHED:
                await threads.withdraw(session, message, Why.ERASED)
            if message.outcome is Outcome.WAITING:
                message.outcome, message.why = Outcome.KEPT, Why.ERASED
            message.body, message.remote, message.contact_id = "", "", None
        await session.flush()
        await session.execute(
            delete(MessageMedia).where(
                MessageMedia.team_id == team_id,
                MessageMedia.message_id.in_([each.id for each in found]),
            )
        )
        for name in ("contact.opted_out", "contact.opted_in"):
            await session.execute(
                update(EventRow)
                .where(
                    EventRow.team_id == team_id,
                    EventRow.name == name,
                    EventRow.payload["remote"].astext.in_(person.numbers),
                )
                .values(payload=EventRow.payload.op("||")({"remote": ""}))
                .execution_options(synchronize_session=False)
            )
        return {"messages": len(found)}


def _theirs(team_id: str, person: Person) -> ColumnElement[bool]:
    whose = or_(Message.contact_id.in_(person.contact_ids), Message.remote.in_(person.numbers))
    return (Message.team_id == team_id) & whose
