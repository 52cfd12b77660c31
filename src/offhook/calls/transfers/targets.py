"""The owner's list of people and desks that callers may be put through to (SEC13)."""

from sqlalchemy import func, select, update

from offhook import numbers, phone
from offhook.calls.transfers import rules
from offhook.calls.transfers.models import TransferTarget
from offhook.calls.transfers.rules import MAX_TARGETS, TargetRefused
from offhook.db import Session, now, one_at_a_time
from offhook.errors import Conflict, NotFound
from offhook.phone import E164


class TargetNotFound(NotFound):
    code = "transfer_target_not_found"


class TargetNameTaken(Conflict):
    code = "transfer_target_name_taken"


async def listed(session: Session, team_id: str) -> list[TransferTarget]:
    """All targets by name; at most MAX_TARGETS."""
    rows = await session.scalars(
        select(TransferTarget)
        .where(TransferTarget.team_id == team_id)
        .order_by(TransferTarget.name, TransferTarget.id)
    )
    return list(rows)


async def get(session: Session, team_id: str, target_id: str) -> TransferTarget:
    """Raises TargetNotFound, also for another team's (SEC7)."""
    found = select(TransferTarget).where(
        TransferTarget.team_id == team_id, TransferTarget.id == target_id
    )
    target = None if "\0" in target_id else await session.scalar(found)
    if target is None:
        raise TargetNotFound(
            f"There is no transfer target “{target_id[:40]}”.",
            remedy="Take one of the team's list of people to put calls through to.",
        )
    return target


async def add(
    session: Session, team_id: str, *, name: str, number: str, ring_s: int, announced: bool,
    stands_in: bool = False, country: str = "US",
) -> TransferTarget:  # fmt: skip
    """Raises TargetRefused, TargetNameTaken, PhoneNumberInvalid."""
    await _list_locked(session, team_id)
    if len(await listed(session, team_id)) >= MAX_TARGETS:
        raise TargetRefused(
            f"The list has {MAX_TARGETS} entries already.", remedy="Remove one that is not needed."
        )
    target = TransferTarget(team_id=team_id, created_at=await now(session))
    await _fill(
        session, target, name=name, number=number, ring_s=ring_s, announced=announced,
        stands_in=stands_in, country=country,
    )  # fmt: skip
    session.add(target)
    await session.flush()
    return target


async def change(
    session: Session, team_id: str, target_id: str, *, name: str, number: str, ring_s: int,
    announced: bool, stands_in: bool = False, country: str = "US",
) -> TransferTarget:  # fmt: skip
    """The next transfer goes by it; one that is under way keeps what it began with."""
    await _list_locked(session, team_id)
    target = await get(session, team_id, target_id)
    await _fill(
        session, target, name=name, number=number, ring_s=ring_s, announced=announced,
        stands_in=stands_in, country=country,
    )  # fmt: skip
    return target


async def remove(session: Session, team_id: str, target_id: str) -> None:
    """Nobody is put through to it any more; tasks that name it say so."""
    await session.delete(await get(session, team_id, target_id))


async def standing_in(session: Session, team_id: str) -> TransferTarget | None:
    """Who takes callers that need a person, if the owner named somebody who may be called (C9)."""
    target = await session.scalar(
        select(TransferTarget).where(TransferTarget.team_id == team_id, TransferTarget.stands_in)
    )
    if target is not None:
        try:
            await check_number(session, team_id, E164(target.e164))
        except TargetRefused:  # it has become our own number since
            return None
    return target


async def check_number(session: Session, team_id: str, e164: E164) -> None:
    """Raises TargetRefused; asked again when a call is to be put through."""
    holder = await numbers.held(session, e164)
    rules.check_number(e164, own=holder is not None and holder.team_id == team_id)


async def _fill(
    session: Session, target: TransferTarget, *, name: str, number: str, ring_s: int,
    announced: bool, stands_in: bool, country: str,
) -> None:  # fmt: skip
    e164 = phone.parse(number, country)
    await check_number(session, target.team_id, e164)
    name = rules.check_target(name, ring_s)
    twin = await session.scalar(
        select(TransferTarget.id).where(
            TransferTarget.team_id == target.team_id,
            func.lower(TransferTarget.name) == name.lower(),
            TransferTarget.id != (target.id or ""),
        )
    )
    if twin is not None:
        raise TargetNameTaken(
            f"There is a “{name}” in the list already.", remedy="Choose a name of its own."
        )
    target.name, target.e164 = name, e164
    target.ring_s, target.announced = ring_s, announced
    if stands_in and not target.stands_in:
        await session.execute(  # the one before, if any, is relieved
            update(TransferTarget)
            .where(TransferTarget.team_id == target.team_id, TransferTarget.stands_in)
            .values(stands_in=False)
        )
    target.stands_in = stands_in


async def _list_locked(session: Session, team_id: str) -> None:
    """One change of a team's list at a time, so that names and their number stay right."""
    await one_at_a_time(session, f"transfer targets {team_id}")
