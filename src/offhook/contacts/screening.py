"""Who is not answered: blocked numbers, and who hides theirs if the team says so (P5, P7).

A block is the number's, in every spelling of it, and stays when its contact is merged or erased.
Calls and messages ask `screened` before they answer.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from offhook import phone
from offhook.contacts import service
from offhook.contacts.models import BlockedNumber, ContactNumber, Screening
from offhook.db import Session, fetch, new_id, now, touch
from offhook.phone import E164

BLOCKED = "SELECT 1 FROM blocked_numbers WHERE team_id = %(team_id)s AND canonical = %(canonical)s"


class Screened(StrEnum):
    """Why somebody is not answered."""

    BLOCKED = "blocked"
    HIDDEN = "hidden"


async def screened(session: Session, team_id: str, caller: E164 | None) -> Screened | None:
    """Why whoever calls or texts is not answered; None if they are. `caller` None: hidden."""
    if caller is None:
        return Screened.HIDDEN if await refuses_hidden(session, team_id) else None
    given = {"team_id": team_id, "canonical": phone.canonical(caller)}
    return Screened.BLOCKED if await fetch(session, BLOCKED, given) else None


async def refuses_hidden(session: Session, team_id: str) -> bool:
    answer = await session.scalar(
        select(Screening.refuse_hidden).where(Screening.team_id == team_id)
    )
    return bool(answer)


async def refuse_hidden(session: Session, team_id: str, refuse: bool, *, by: str) -> None:
    """Whether callers and texters who hide their number are left unanswered (P5)."""
    values = {"refuse_hidden": refuse, "changed_by": by, "changed_at": await now(session)}
    await session.execute(
        insert(Screening)
        .values(id=new_id("scr"), team_id=team_id, **values)
        .on_conflict_do_update(index_elements=["team_id"], set_=values)
    )
    await touch(session, team_id, "screening")


async def block(session: Session, team_id: str, number: E164, *, by: str) -> None:
    """Answer `number` no more; repeating it is harmless."""
    await session.execute(
        insert(BlockedNumber)
        .values(
            id=new_id("blk"),
            team_id=team_id,
            canonical=phone.canonical(number),
            e164=number,
            blocked_by=by,
            at=await now(session),
        )
        .on_conflict_do_nothing()
    )
    await touch(session, team_id, "screening", "contacts")


async def unblock(session: Session, team_id: str, number: E164) -> None:
    """Answer `number` again; repeating it is harmless."""
    await session.execute(
        delete(BlockedNumber).where(
            BlockedNumber.team_id == team_id, BlockedNumber.canonical == phone.canonical(number)
        )
    )
    await touch(session, team_id, "screening", "contacts")


async def block_contact(
    session: Session, team_id: str, contact_id: str, blocked: bool, *, by: str
) -> None:
    """Block or unblock every number of a contact. Raises ContactNotFound."""
    contact = await service.get(session, team_id, contact_id)
    for number in await service.numbers_of(session, team_id, contact.id):
        if blocked:
            await block(session, team_id, E164(number.e164), by=by)
        else:
            await unblock(session, team_id, E164(number.e164))
    await touch(session, team_id, f"contact:{contact.id}")


async def blocked(session: Session, team_id: str) -> Sequence[BlockedNumber]:
    """Every blocked number of the team, the newest first."""
    rows = await session.scalars(
        select(BlockedNumber)
        .where(BlockedNumber.team_id == team_id)
        .order_by(BlockedNumber.at.desc(), BlockedNumber.id)
    )
    return rows.all()


async def blocked_among(session: Session, team_id: str, canonical: Collection[str]) -> set[str]:
    """Which of these canonical numbers are blocked."""
    rows = await session.scalars(
        select(BlockedNumber.canonical).where(
            BlockedNumber.team_id == team_id, BlockedNumber.canonical.in_(canonical)
        )
    )
    return set(rows)


async def is_blocked_contact(session: Session, team_id: str, contact_id: str) -> bool:
    """Whether one of the contact's numbers is blocked."""
    found = await session.scalar(
        select(
            exists().where(
                ContactNumber.team_id == team_id,
                ContactNumber.contact_id == contact_id,
                BlockedNumber.team_id == team_id,
                BlockedNumber.canonical == ContactNumber.canonical,
            )
        )
    )
    return bool(found)
