"""What tests keep of a person: words that they said; moved, told and erased with them (P7)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update

from offhook.agents.trials.models import Trial
from offhook.contacts import Person
from offhook.db import Session


class Tests:
    """Implements `contacts.Keeper`."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        await session.execute(
            update(Trial)
            .where(Trial.team_id == team_id, Trial.contact_id == source)
            .values(contact_id=target)
        )

    async def told(
        self, session: Session, team_id: str, person: Person
    ) -> Mapping[str, list[dict[str, Any]]]:
        rows = await session.scalars(
            select(Trial)
            .where(Trial.team_id == team_id, Trial.contact_id.in_(person.contact_ids))
            .order_by(Trial.created_at, Trial.id)
        )
        return {
            "agent_tests": [
                {"id": row.id, "agent_id": row.agent_id, "name": row.name, "turns": row.turns}
                for row in rows
            ]
        }

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        gone = await session.scalars(
            delete(Trial)
            .where(Trial.team_id == team_id, Trial.contact_id.in_(person.contact_ids))
            .returning(Trial.id)
        )
        return {"agent_tests": len(gone.all())}
