"""Calls as the ledger's pages name them (`usage.subjects_from`): who rang, and the call's page."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from offhook.calls.models import Call
from offhook.db import Session
from offhook.phone import E164, national
from offhook.prices import Direction
from offhook.usage import Link, Service


async def links(
    session: Session, team_id: str, service: Service, ids: Sequence[str]
) -> Mapping[str, Link]:
    """The team's calls among `ids`; nothing for messages."""
    if service is not Service.CALLS or not ids:
        return {}
    rows = await session.execute(
        select(Call.id, Call.caller, Call.direction).where(
            Call.team_id == team_id, Call.id.in_(ids)
        )
    )
    return {
        call_id: Link(_named(caller, direction), f"/calls/{call_id}")
        for call_id, caller, direction in rows.all()
    }


def _named(caller: str, direction: Direction) -> str:
    if direction is Direction.OUTBOUND:
        return f"Call to {national(E164(caller))}" if caller else "Call to an erased contact"
    return f"Call from {national(E164(caller))}" if caller else "Call from a hidden number"
