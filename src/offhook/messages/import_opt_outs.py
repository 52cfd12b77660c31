"""The rows of an import that are opt-outs: brought from another system, honoured at once (P7, S4).

The option `number_id` names the number of the team that they stopped; without it they stopped all
that the team has now.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select

from offhook import contacts, numbers
from offhook.db import Session
from offhook.messages import optouts
from offhook.phone import E164, canonical, national


class OptOuts:
    """Implements `contacts.Taker`."""

    meanings: Sequence[str] | None = ()

    async def check(
        self, session: Session, team_id: str, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        number_id = str(options.get("number_id") or "")
        if number_id:
            await numbers.get(session, team_id, number_id)
        return {"number_id": number_id}

    async def choices(self, session: Session, team_id: str) -> Sequence[tuple[str, str]]:
        rows = await session.execute(_held(team_id).order_by(numbers.Number.name))
        named = [(id_, f"{name} {national(E164(e164))}".strip()) for id_, name, e164 in rows.all()]
        return [("", "All numbers of the team"), *named]

    async def take(
        self,
        session: Session,
        team_id: str,
        rows: Sequence[contacts.Meant],
        options: Mapping[str, Any],
        file: contacts.File,
    ) -> Sequence[contacts.Taken]:
        query = _held(team_id)
        if options["number_id"]:
            query = query.where(numbers.Number.id == options["number_id"])
        ours = sorted(e164 for _, _, e164 in (await session.execute(query)).all())
        remotes = [row.number.e164 for row in rows]
        news = await optouts.opt_out_all(
            session, team_id, ours=ours, remotes=remotes, source="import"
        )
        return [
            contacts.Taken.CREATED if canonical(remote) in news else contacts.Taken.UNCHANGED
            for remote in remotes
        ]


def _held(team_id: str) -> Select[str, str, str]:
    """Id, name and E.164 of the numbers that the team has now."""
    return select(numbers.Number.id, numbers.Number.name, numbers.Number.e164).where(
        numbers.Number.team_id == team_id,
        numbers.Number.held_since.is_not(None),
        numbers.Number.released_at.is_(None),
    )
