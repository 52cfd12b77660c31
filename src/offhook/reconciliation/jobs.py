"""The daily comparison (UC7): rounds that ask which days are due, and one job for each day.

A job that is killed is taken up again by another worker; a carrier that cannot be reached leaves
the day due for the next round.
"""

import logging
from datetime import date, timedelta
from functools import partial

from sqlalchemy import select

from offhook import numbers
from offhook.carriers import CarrierProblem, Carriers
from offhook.db import Database, Jobs, Session, enqueue, now
from offhook.errors import Problem
from offhook.reconciliation import rules
from offhook.reconciliation.models import ReconciledDay
from offhook.reconciliation.service import Account, check_day
from offhook.settings import Settings

log = logging.getLogger(__name__)
DAY_JOB = "reconciliation.day"
ROUND_EVERY_S = 600.0
LOOK_BACK = timedelta(days=35)  # later, usage is charged at price 0 anyway (UP4)


def register(jobs: Jobs, settings: Settings, database: Database, accounts: Carriers) -> None:
    """Add the comparison to a worker, of the operator's account and of those that teams brought."""

    async def one_day(day: str, account: str) -> None:
        try:
            opened = await _account(settings, accounts, account or None)
            await check_day(database, opened, date.fromisoformat(day))
        except CarrierProblem as problem:
            log.warning("the carrier's records of %s cannot be read: %s", day, problem.sentence)

    jobs.add(DAY_JOB, one_day)
    jobs.every(ROUND_EVERY_S, "reconciliation.rounds", partial(rounds, database, accounts))


async def _account(settings: Settings, accounts: Carriers, own_id: str | None) -> Account:
    """Raises AccountGone."""
    sid = (await accounts.account(own_id)).sid
    return Account(sid, await accounts.of(own_id), settings.settle_ms, own_id)


async def rounds(database: Database, accounts: Carriers) -> None:
    """Give every day that is due a job; a day that has one gets no second."""
    async with database.system() as session:
        brought = await numbers.accounts_in_use(session)
    for own_id in (None, *brought):
        try:
            sid = (await accounts.account(own_id)).sid
        except Problem as problem:  # gone, or its token cannot be read: no matter of the others
            log.warning("account %s is not compared: %s", own_id, problem.sentence)
            continue
        async with database.system() as session:
            for day in await due_days(session, sid):
                await enqueue_day(session, day, own_id)


async def enqueue_day(session: Session, day: date, own_id: str | None = None) -> None:
    """Compare this day of an account, None the operator's, as soon as a worker is free."""
    key = f"{DAY_JOB} {day} {own_id or 'operator'}"
    await enqueue(
        session, DAY_JOB, lock=key, queueing_lock=key, day=day.isoformat(), account=own_id or ""
    )


async def enqueue_all(session: Session, day: date) -> None:
    """Compare this day of every account (system scope)."""
    for own_id in (None, *await numbers.accounts_in_use(session)):
        await enqueue_day(session, day, own_id)


async def due_days(session: Session, account_id: str) -> list[date]:
    """The days to be compared now, the oldest first: from the first that ever was, else
    yesterday.
    """
    present = await now(session)
    rows = await session.scalars(
        select(ReconciledDay).where(
            ReconciledDay.account_id == account_id,
            ReconciledDay.day >= rules.day_of(present - LOOK_BACK),
        )
    )
    checked = {row.day: row.checked_at for row in rows}
    yesterday = rules.day_of(present) - timedelta(days=1)
    first = min(checked, default=yesterday)
    days = [first + timedelta(days=n) for n in range((yesterday - first).days + 1)]
    return [day for day in days if rules.is_due(day, checked.get(day), present)]
