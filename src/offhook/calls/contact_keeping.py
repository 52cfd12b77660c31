"""What calls keep of a person: who rang, and recordings; moved, told and erased (P7).

The call itself stays for the ledger, without its caller. Its recording is deleted from the disk by
a job of this transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.sql import ColumnElement

from offhook.calls.models import Call
from offhook.calls.service import ERASE_JOB, ERASED, beside
from offhook.contacts import ContactBusy, Person
from offhook.db import Session, enqueue, for_change


class Calls:
    """Implements `contacts.Keeper`."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        await session.execute(
            update(Call)
            .where(Call.team_id == team_id, Call.contact_id == source)
            .values(contact_id=target)
        )

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, list[dict[str, Any]]]:
        rows = await session.scalars(
            select(Call).where(_theirs(team_id, person)).order_by(Call.answered_at, Call.id)
        )
        return {
            "calls": [
                {
                    "id": call.id,
                    "conversation_id": call.conversation_id,
                    "number_id": call.number_id,
                    "caller": call.caller,
                    "state": call.state,
                    "reason": call.reason,
                    "answered_at": call.answered_at,
                    "ended_at": call.ended_at,
                    "recording": f"/api/v1/calls/{call.id}" if call.recording == "ready" else None,
                    "recording_ms": call.recording_ms,
                }
                for call in rows
            ]
        }

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        rows = await session.scalars(
            for_change(select(Call).where(_theirs(team_id, person)).order_by(Call.id))
        )
        calls = rows.all()
        if any(call.ended_at is None for call in calls):
            raise ContactBusy(
                "A call with this contact is going on.", remedy="End it, then erase the contact."
            )
        recordings = 0
        for call in calls:
            call.caller, call.contact_id = "", None
            if (started := await beside(session, call)) is not None:
                started.message = started.said = ""
            if call.recording is not None:
                recordings += call.recording == "ready"
                call.recording, call.recording_path, call.recording_ms = ERASED, None, None
                await enqueue(session, ERASE_JOB, team_id=team_id, call_id=call.id)
        await session.flush()
        return {"calls": len(calls), "recordings": recordings}


def _theirs(team_id: str, person: Person) -> ColumnElement[bool]:
    whose = or_(Call.contact_id.in_(person.contact_ids), Call.caller.in_(person.numbers))
    return (Call.team_id == team_id) & whose
