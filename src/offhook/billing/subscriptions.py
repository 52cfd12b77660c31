"""A team's subscription and what it may do now: steps, standing, who is told (A1, N11, U10).

Each function works in the caller's transaction. Knows no gateway, no number and no price.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import ScalarSelect, select
from sqlalchemy.dialects.postgresql import insert

from offhook import settings
from offhook.billing import cards, rules
from offhook.billing.events import (
    SubscriptionPastDue,
    SubscriptionRestored,
    SubscriptionSuspended,
)
from offhook.billing.models import Subscription, SubscriptionChange
from offhook.billing.rules import Standing, Step, SubscriptionState
from offhook.db import Event, Session, new_id, now, publish
from offhook.errors import Conflict

Suspended = Callable[[Session, str], Awaitable[None]]
_on_suspended: list[Suspended] = []
_on_release: list[Suspended] = []


class StepNotAllowed(Conflict):
    code = "subscription_step_not_allowed"


def when_suspended(handler: Suspended) -> None:
    """Let a room above end what is live, in the transaction that suspends a team (N11)."""
    if handler not in _on_suspended:
        _on_suspended.append(handler)


def when_released(handler: Suspended) -> None:
    """Let a room above give a team's numbers back to the carrier, for good (UN11)."""
    if handler not in _on_release:
        _on_release.append(handler)


async def release(session: Session, team_id: str) -> None:
    for handler in _on_release:
        await handler(session, team_id)


async def on_team_created(session: Session, team_id: str) -> None:
    """A new team starts with an active trial; with the test gateway it does not expire (U10)."""
    await session.execute(
        insert(Subscription)
        .values(
            id=new_id("sub"),
            team_id=team_id,
            state=SubscriptionState.TRIAL,
            since=await now(session),
        )
        .on_conflict_do_nothing()
    )


async def subscription(session: Session, team_id: str, *, lock: bool = False) -> Subscription:
    query = select(Subscription).where(Subscription.team_id == team_id)
    found = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        await on_team_created(session, team_id)
        found = (await session.scalars(query)).one()
    return found


def is_on() -> bool:
    """Whether this installation charges its teams (U10)."""
    return settings.load().billing


async def standing(session: Session, team_id: str) -> Standing:
    """What the team may do now; every missing thing named (A1). Billing off: everything (U10)."""
    if not is_on():
        return rules.EVERY_TEAM_ACTIVE
    state = await session.scalar(select(Subscription.state).where(Subscription.team_id == team_id))
    at = await now(session)
    card = cards.charged(await cards.on_file(session, team_id), at)
    return rules.standing(
        SubscriptionState(state or SubscriptionState.TRIAL), cards.facts(card) if card else None, at
    )


def state_of(team_id: str) -> ScalarSelect[str]:
    """The subscription's state as a column of somebody's own question, for `serves`."""
    return select(Subscription.state).where(Subscription.team_id == team_id).scalar_subquery()


def serves(state: str | None) -> bool:
    """Whether calls and texts of a team in this state are answered (N11)."""
    if not is_on():
        return rules.EVERY_TEAM_ACTIVE.services_on
    return SubscriptionState(state or SubscriptionState.TRIAL) in rules.SERVICES_ON


async def change_subscription(session: Session, team_id: str, step: Step) -> SubscriptionState:
    """Take one step of the table in rules.py. Raises StepNotAllowed."""
    found = await subscription(session, team_id, lock=True)
    before = SubscriptionState(found.state)
    after = rules.NEXT.get((before, step))
    if after is None:
        shown = step.replace("_", " ")
        raise StepNotAllowed(f"A subscription that is {before} does not take “{shown}”.")
    at = await now(session)
    found.state, found.since = after, at
    session.add(SubscriptionChange(team_id=team_id, step=step, before=before, after=after, at=at))
    await session.flush()
    for event in _told(team_id, before, after):
        await publish(session, event)
    if before in rules.SERVICES_ON and after not in rules.SERVICES_ON:
        for handler in _on_suspended:
            await handler(session, team_id)
    return after


def _told(team_id: str, before: SubscriptionState, after: SubscriptionState) -> list[Event]:
    if after is SubscriptionState.PAST_DUE:
        return [SubscriptionPastDue(team_id=team_id)]
    if after not in rules.SERVICES_ON:
        return [SubscriptionSuspended(team_id=team_id, state=after)]
    if before not in rules.MAY_BUY:
        return [SubscriptionRestored(team_id=team_id)]
    return []
