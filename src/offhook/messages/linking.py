"""Messages as the ledger's pages name them (`usage.subjects_from`): with whom, and the thread."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from offhook.db import Session
from offhook.messages.models import Direction, Message
from offhook.phone import E164, national
from offhook.usage import Link, Service


async def links(
    session: Session, team_id: str, service: Service, ids: Sequence[str]
) -> Mapping[str, Link]:
    """The team's messages among `ids`; nothing for calls."""
    if service is not Service.SMS or not ids:
        return {}
    rows = await session.execute(
        select(Message.id, Message.direction, Message.remote, Message.conversation_id).where(
            Message.team_id == team_id, Message.id.in_(ids)
        )
    )
    return {
        message_id: Link(_named(direction, remote), f"/inbox/{conversation_id}")
        for message_id, direction, remote, conversation_id in rows.all()
    }


def _named(direction: Direction, remote: str) -> str:
    who = national(E164(remote)) if remote.startswith("+") else remote
    return f"Message {'from' if direction is Direction.INBOUND else 'to'} {who}"
