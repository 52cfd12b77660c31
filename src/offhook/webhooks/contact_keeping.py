"""What webhooks keep of a person: the bytes of events that name them; erased (P7).

Gone with the words and numbers in them; a replay sends bytes made anew, from what is then left.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, or_, select

from offhook.contacts import Person
from offhook.db import EventRow, Session
from offhook.webhooks.models import Body


class Bodies:
    """Implements `contacts.Keeper`; asked before the rooms whose events these are."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        """An event tells what was so then."""

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Nothing that other rooms do not tell."""
        return {}

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        payload = EventRow.payload
        events = select(EventRow.id).where(
            EventRow.team_id == team_id,
            or_(
                payload["contact_id"].astext.in_(person.contact_ids),
                payload["number"].astext.in_(person.numbers),
                payload["remote"].astext.in_(person.numbers),
            ),
        )
        gone = await session.scalars(
            delete(Body)
            .where(Body.team_id == team_id, Body.event_id.in_(events))
            .returning(Body.event_id)
        )
        return {"webhook_bodies": len(gone.all())}
