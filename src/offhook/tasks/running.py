"""Doing what was confirmed: once, whatever dies in between (T3).

A run belongs to whoever holds its lease, and goes on when the reply that began it is given up.
Each step is committed before the next: confirmed (surely nothing was sent), running (it may have
been), completed or failed. After its lease the sweeper takes a dead process's run up: a confirmed
one is done, a running one is done again only where a second request under the same key is
harmless; otherwise nobody knows, and that is what the run says.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from offhook.db import Database, Session, now, touch
from offhook.errors import Problem
from offhook.failpoints import failpoint
from offhook.tasks import kinds, proving, records, rules, service
from offhook.tasks.kinds import Done, Kind, Means, NotDone, Order, Outcome, PutThrough
from offhook.tasks.models import TaskRun
from offhook.tasks.rules import MAX_ATTEMPTS, RunState, RunStep
from offhook.tasks.scope import from_json

log = logging.getLogger(__name__)
BEGIN_LEASE = timedelta(seconds=10)
AFTER_TIMEOUT = timedelta(seconds=10)
HANDED_OVER = timedelta(minutes=3)
"""A hand-over is known within the ringing time; longer means that its process is gone."""
FORGOTTEN_AFTER = timedelta(days=1)
PAUSES_S = (0.3, 1.0)
CLOSE_S = 5.0
SWEEP_AT_ONCE = 20
SORRY = "I am sorry, that did not work."
NOBODY_KNOWS = "I am sorry, I cannot tell whether that worked."
TOO_LATE = "The call ended before that could be done."


@dataclass(frozen=True, slots=True)
class _Claimed:
    kind: Kind
    order: Order
    attempt: int


class Runner:
    """The runs of one process. Closed with `close`, which gives what is under way a few seconds."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def database(self) -> Database:
        return self.means.database

    def at(self, moment: datetime) -> "Runner":
        """Another one that does as if it were `moment`: for rehearsals of what was."""
        return Runner(replace(self.means, database=self.database.at(moment)))

    def begin(self, team_id: str, run_id: str) -> asyncio.Task[None]:
        """Do a confirmed run, whatever becomes of the caller."""
        return self.beside(self._run(team_id, run_id))

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do `work` to its end, whatever becomes of who began it."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def sweep(self) -> int:
        """Take up the runs whose lease has ended; gives their count."""
        async with self.database.system() as session:
            rows = await session.execute(
                select(TaskRun.team_id, TaskRun.id)
                .where(TaskRun.state.in_(rules.UNDER_WAY), TaskRun.lease_until < await now(session))
                .order_by(TaskRun.lease_until)
                .limit(SWEEP_AT_ONCE)
            )
            left = [(team_id, run_id) for team_id, run_id in rows]
        await asyncio.gather(*(self.begin(team_id, run_id) for team_id, run_id in left))
        return len(left)

    async def forget(self) -> int:
        """Drop proposals that nobody has said yes or no to for a day; gives their count.

        Codes that were texted before that are forgotten as well.
        """
        async with self.database.system() as session:
            rows = await session.scalars(
                select(TaskRun)
                .where(
                    TaskRun.state == RunState.PROPOSED,
                    TaskRun.proposed_at < await now(session) - FORGOTTEN_AFTER,
                )
                .limit(SWEEP_AT_ONCE)
                .with_for_update(key_share=True, skip_locked=True)
            )
            forgotten = rows.all()
            for run in forgotten:
                await records.drop(session, run)
            await proving.forget(session)
        return len(forgotten)

    async def idle(self) -> None:
        """Wait until nothing of this process is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=CLOSE_S)
            for task in late:  # the sweeper of another process decides about them
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, team_id: str, run_id: str) -> None:
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        for pause_s in (*PAUSES_S, 0.0):
            claimed = await self._claim(team_id, run_id, again=deadline is not None)
            if claimed is None:
                return
            if deadline is None:
                deadline = loop.time() + claimed.order.timeout_s + claimed.kind.waits_s
            failpoint("tasks.claimed")
            outcome = await self._attempt(claimed.kind, claimed.order, deadline)
            failpoint("tasks.sent")
            late = loop.time() + pause_s >= deadline or not pause_s
            if late or not _try_again(claimed, outcome):
                await self._finish(team_id, run_id, claimed.attempt, outcome)
                failpoint("tasks.finished")
                return
            code = outcome.code if isinstance(outcome, NotDone) else ""
            log.info("run %s is tried again: %s", run_id, code)  # never what was said (SEC20)
            await asyncio.sleep(pause_s)

    async def _claim(self, team_id: str, run_id: str, *, again: bool) -> _Claimed | None:
        """Take the run's next attempt; None when there is nothing (left) to do outside."""
        async with self.database.team(team_id) as session:
            run = await records.get(session, team_id, run_id, lock=True)
            if run.state not in rules.UNDER_WAY:
                return None
            instant = await now(session)
            left_behind = not again and run.lease_until is not None and run.lease_until < instant
            if run.state is RunState.RUNNING and not (again or left_behind):
                return None  # somebody is at it
            order = await _order(session, run)
            if order is None:
                return None
            kind = kinds.kind(run.kind)
            if left_behind and (fate := _fate(run, kind, order)):
                reason, code = fate
                await records.end(session, run, completed=False, answer=reason, error=code)
                return None
            if kind.inside is not None:
                await _act_inside(session, run, kind, order)
                return None
            run.state = rules.NEXT[run.state, RunStep.CLAIM]
            run.attempts += 1
            run.started_at = run.started_at or instant
            longest = timedelta(seconds=order.timeout_s + kind.waits_s)
            run.lease_until = instant + longest + AFTER_TIMEOUT
            await touch(session, team_id, records.topic(run.conversation_id))
            return _Claimed(kind, order, run.attempts)

    async def try_once(self, kind: Kind, order: Order) -> Done | NotDone:
        """Do an order that is no conversation's, by hand."""
        deadline = asyncio.get_running_loop().time() + order.timeout_s
        outcome = await self._attempt(kind, order, deadline)
        assert not isinstance(outcome, PutThrough)  # noqa: S101 - that is done inside
        return outcome

    async def _attempt(self, kind: Kind, order: Order, deadline: float) -> Outcome:
        assert kind.outside is not None  # noqa: S101 - the callers looked
        try:
            async with asyncio.timeout_at(deadline):
                return await kind.outside(self.means, order)
        except TimeoutError:
            return NotDone(NOBODY_KNOWS, code="timeout")
        except Problem as problem:
            return NotDone(problem.sentence, code=problem.code, sent=False)
        except Exception:  # a kind's defect ends its run, not the conversation; logged with its id
            log.exception("run %s failed", order.run_id)
            return NotDone(SORRY, code="fault")

    async def _finish(self, team_id: str, run_id: str, attempt: int, outcome: Outcome) -> None:
        async with self.database.team(team_id) as session:
            run = await records.get(session, team_id, run_id, lock=True)
            if run.state is not RunState.RUNNING or run.attempts != attempt:
                log.warning("run %s was decided by somebody else meanwhile", run_id)
                return
            await _record(session, run, outcome)


def _try_again(claimed: _Claimed, outcome: Outcome) -> bool:
    return (
        isinstance(outcome, NotDone)
        and outcome.passing
        and (not outcome.sent or claimed.kind.repeatable(claimed.order.config))
        and claimed.attempt < MAX_ATTEMPTS
    )


def _fate(run: TaskRun, kind: Kind, order: Order) -> tuple[str, str] | None:
    """Why a dead process's run is not taken up: what is said, and its code."""
    if run.state is RunState.CONFIRMED:
        return (TOO_LATE, "conversation_over") if kind.live else None
    if kind.outside is not None and kind.repeatable(order.config) and run.attempts < MAX_ATTEMPTS:
        return None
    return NOBODY_KNOWS, rules.UNKNOWN_OUTCOME


async def _order(session: Session, run: TaskRun) -> Order | None:
    """What is to be done, as it was confirmed; None after failing a run that cannot be read."""
    try:
        return service.order_of(run, run.definition, from_json(run.scope))
    except (Problem, ValidationError):
        log.exception("run %s cannot be read", run.id)
        await records.end(session, run, completed=False, answer=SORRY, error="unreadable")
        return None


async def _act_inside(session: Session, run: TaskRun, kind: Kind, order: Order) -> None:
    """Act and record in one transaction; a refusal undoes what the kind wrote."""
    assert kind.inside is not None  # noqa: S101 - the caller looked
    run.attempts += 1
    run.started_at = await now(session)
    try:
        async with session.begin_nested():
            outcome = await kind.inside(session, order)
    except Problem as problem:
        outcome = NotDone(problem.sentence, code=problem.code, sent=False)
    except Exception:  # as outside; what it wrote is undone
        log.exception("run %s failed", run.id)
        outcome = NotDone(SORRY, code="fault", sent=False)
    if isinstance(outcome, PutThrough):
        run.state = rules.NEXT[run.state, RunStep.CLAIM]
    failpoint("tasks.inside")
    await _record(session, run, outcome)


async def _record(session: Session, run: TaskRun, outcome: Outcome) -> None:
    match outcome:
        case Done():
            run.request, run.response = dict(outcome.request), outcome.response
            await records.end(
                session,
                run,
                completed=True,
                answer=outcome.answer,
                data=outcome.data,
                references=outcome.references,
            )
        case NotDone():
            run.request, run.response = dict(outcome.request), outcome.response
            unknown = outcome.sent and outcome.code in rules.SILENT
            await records.end(
                session,
                run,
                completed=False,
                answer=outcome.reason,
                error=rules.UNKNOWN_OUTCOME if unknown else outcome.code,
            )
        case PutThrough():
            run.answer, run.data = outcome.answer, {"target": outcome.target}
            run.lease_until = await now(session) + HANDED_OVER
            await session.flush()
