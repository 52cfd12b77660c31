"""A team that was suspended for 30 days loses its numbers, if the operator wants that (UN11).

Off by default. Each notice is recorded in the transaction that tells it, and the numbers go back
only where every notice is on record and its days have passed; rules in dunning.py.
"""

import logging

from sqlalchemy import select

from offhook import settings
from offhook.billing import dunning, subscriptions
from offhook.billing.events import SubscriptionReleasing
from offhook.billing.models import ReleaseNotice, Subscription
from offhook.billing.rules import SubscriptionState
from offhook.db import Database, Session, now, publish

log = logging.getLogger(__name__)


def is_on() -> bool:
    return settings.load().release_suspended and subscriptions.is_on()


async def release_due(database: Database) -> None:
    """Give the notices that are due, and back the numbers of who has had them all."""
    if not is_on():
        return
    async with database.system() as session:
        suspended = await session.scalars(
            select(Subscription.team_id).where(Subscription.state == SubscriptionState.SUSPENDED)
        )
        teams = suspended.all()
    for team_id in teams:
        try:
            async with database.team(team_id) as session:
                await _advance(session, team_id)
        except Exception:  # whatever it is, it is this team's alone; logged with its id
            log.exception("the numbers of team %s cannot be given back now", team_id)


async def plan(session: Session, found: Subscription) -> dunning.Release | None:
    """When the numbers of this team go back; None: they do not."""
    if not is_on() or found.state != SubscriptionState.SUSPENDED:
        return None
    notices = await session.scalars(
        select(ReleaseNotice).where(
            ReleaseNotice.team_id == found.team_id,
            ReleaseNotice.suspended_since == found.since,
        )
    )
    told = {notice.days: notice.told_at for notice in notices.all()}
    return dunning.release(found.since, told, await now(session))


async def _advance(session: Session, team_id: str) -> None:
    found = await subscriptions.subscription(session, team_id, lock=True)
    planned = await plan(session, found)
    if planned is None:
        return
    at = await now(session)
    if planned.notice is not None:
        session.add(
            ReleaseNotice(
                team_id=team_id, suspended_since=found.since, days=planned.notice, told_at=at
            )
        )
        await publish(
            session,
            SubscriptionReleasing(team_id=team_id, days=planned.notice, releases_at=planned.at),
        )
    elif planned.is_due(at):
        log.warning("team %s is suspended since %s: its numbers go back", team_id, found.since)
        await subscriptions.release(session, team_id)
