"""Background work of messages: answer, deliver; find what lost its job or its callback; close.

The sweepers ask for nothing that is not in the tables, and everything they start may be repeated.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import select, text

from offhook import carriers, inbox, numbers
from offhook.agents import Brain
from offhook.db import Database, Jobs, enqueue, now
from offhook.errors import Problem
from offhook.messages.answering import Answering
from offhook.messages.delivery import Delivery
from offhook.messages.media.keeping import MEDIA_JOB, Keeping
from offhook.messages.media.keeping import sweep as sweep_media
from offhook.messages.models import Message
from offhook.messages.receiving import ANSWER_JOB
from offhook.messages.records import take_from_list
from offhook.messages.rules import Outcome, State
from offhook.messages.threads import DELIVER_JOB
from offhook.settings import Settings
from offhook.tasks import Runner

log = logging.getLogger(__name__)
SWEEP_EVERY_S = 30.0
FETCH_EVERY_S = 300.0
LOST_AFTER = timedelta(seconds=60)
HAS_NO_JOB = text(
    "NOT EXISTS (SELECT FROM procrastinate_jobs AS job"
    " WHERE job.lock = messages.conversation_id AND job.status IN ('todo', 'doing'))"
)
RECONCILE_EVERY_S = 300.0
RECONCILED = timedelta(minutes=15)
CLOSE_EVERY_S = 60.0


def register(
    jobs: Jobs,
    settings: Settings,
    database: Database,
    accounts: carriers.Carriers,
    brain: Brain,
    runner: Runner,
) -> None:
    """Add the jobs of messages to a worker."""
    delivery = Delivery(database, accounts, web_url=settings.web_url)
    jobs.add(ANSWER_JOB, Answering(database, brain, delivery, runner).answer)
    jobs.add(DELIVER_JOB, delivery.send_thread)
    jobs.add(MEDIA_JOB, Keeping(database, accounts).keep)
    jobs.every(SWEEP_EVERY_S, "messages.sweep", partial(sweep, database))
    jobs.every(FETCH_EVERY_S, "messages.sweep_media", partial(sweep_media, database))
    jobs.every(
        RECONCILE_EVERY_S, "messages.reconcile", partial(reconcile, settings, database, accounts)
    )
    jobs.every(CLOSE_EVERY_S, "messages.close_threads", partial(close_threads, settings, database))


async def sweep(database: Database) -> None:
    """Give threads with unfinished texts a job again, where the last one gave up."""
    async with database.system() as session:
        before = await now(session) - LOST_AFTER
        threads = await session.execute(
            select(Message.team_id, Message.conversation_id)
            .where(
                (Message.outcome == Outcome.WAITING)
                | (Message.state.in_((State.QUEUED, State.SENDING)) & Message.carrier_id.is_(None)),
                Message.created_at < before,
                HAS_NO_JOB,
            )
            .distinct()
            .limit(100)
        )
        for team_id, conversation_id in threads.all():
            await enqueue(
                session,
                ANSWER_JOB,
                lock=conversation_id,
                team_id=team_id,
                conversation_id=conversation_id,
            )


async def reconcile(settings: Settings, database: Database, accounts: carriers.Carriers) -> None:
    """Fetch texts that a carrier has and of which no callback arrived (faults a1)."""
    async with database.system() as session:
        after = await now(session) - RECONCILED
        brought = await numbers.accounts_in_use(session)
    for account_id in (None, *brought):
        try:
            sid = (await accounts.account(account_id)).sid
            carrier = await accounts.of(account_id)
            received = await carrier.list_received(after=after)
            await _take(settings, database, carrier, received, account_id=account_id, sid=sid)
        except Problem as problem:  # gone, or its token cannot be read: no matter of the others
            log.warning("the list of received texts of %s: %s", account_id, problem.sentence)


async def _take(
    settings: Settings,
    database: Database,
    carrier: carriers.Carrier,
    received: Sequence[carriers.Message],
    *,
    account_id: str | None,
    sid: str,
) -> None:
    """Store those that we do not have; an account's other numbers are none of our business."""
    async with database.system() as session:
        known = set(
            await session.scalars(
                select(Message.carrier_id).where(
                    Message.carrier_account == sid,
                    Message.carrier_id.in_([each.carrier_id for each in received]),
                )
            )
        )
    for each in received:
        if each.carrier_id in known:
            continue
        async with database.system() as session:
            number = await numbers.held(session, each.to)
        if number is None or number.account_id != account_id:
            continue
        await take_from_list(database, carrier, each, account_id=sid, settle_ms=settings.settle_ms)


async def close_threads(settings: Settings, database: Database) -> None:
    """Close threads that were quiet for a day (S8)."""
    async with database.system() as session:
        before = await now(session) - timedelta(hours=settings.thread_closes_after_h)
        await inbox.close_idle_threads(session, before=before)
