"""Background work: procrastinate, jobs in PostgreSQL, enqueued in the transaction of their rows.

`enqueue` is the only way to a job. A job says by its `lock` what it must not run beside: one
"answer this thread" job per thread. A killed worker's jobs are taken up by the sweeper, after
about 10 s at the usual rhythm.

procrastinate keeps a killed worker's job as `doing` for ever and its lock blocked; the sweeper is
the answer to that, and runs beside every worker rather than as a job that could itself be stuck.
It also keeps a job as `doing` that was to be tried again while another one waits in its place.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
from procrastinate import exceptions
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import RetryStrategy
from psycopg.errors import ForeignKeyViolation

from offhook.db.engine import Database, Session, driver_of
from offhook.errors import Problem

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]
POLL_S = 0.2
STOP_GRACE_S = 10.0
FORGET_S = 3_600.0
KEPT_H = 30 * 24  # jobs that failed for good, for who looks for the reason
DEFAULT_RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)

# Only builds INSERTs on connections handed to it; it is never opened and holds no connection.
_deferrer = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def enqueue(
    session: Session,
    name: str,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    at: datetime | None = None,
    after_s: float | None = None,
    **arguments: Any,
) -> None:
    """Let a worker run job `name` with `arguments` once this transaction has committed.

    Jobs with the same `lock` run one after the other, in order. With a `queueing_lock` at most
    one such job waits at a time: a second one is dropped. `at` or `after_s` delays it; a delayed
    job holds up later ones of its lock.
    """
    driver = driver_of(session)
    deferrer = _deferrer.configure_task(
        name,
        allow_unknown=True,
        lock=lock,
        queueing_lock=queueing_lock,
        schedule_at=at,
        schedule_in={"milliseconds": round(after_s * 1000)} if after_s else None,
        connection=driver,
    )
    if queueing_lock is None:
        await deferrer.defer_async(**arguments)
        return
    try:
        async with driver.transaction():  # a refused queueing lock must not spoil the rows
            await deferrer.defer_async(**arguments)
    except exceptions.AlreadyEnqueued:
        log.debug("job %s is waiting already (%s)", name, queueing_lock)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How soon a dead worker's jobs run again, in seconds. All workers of a database share one."""

    heartbeat_s: float = 2.0
    stalled_after_s: float = 8.0
    sweep_every_s: float = 3.0


class _Manager(JobManager):
    """Ends a job that is to be tried again while the next of its `queueing_lock` waits: that one
    does the same, and there is no place for both.
    """

    async def retry_job(self, job: Job, *args: Any, **options: Any) -> None:
        try:
            await super().retry_job(job, *args, **options)
        except exceptions.UniqueViolation:
            log.info("job %s (%s) is left to the one that waits", job.id, job.task_name)
            await self.finish_job(job, status=Status.FAILED, delete_job=True)


class Jobs:
    """The jobs that this process can run, and its worker."""

    def __init__(
        self, database: Database, *, name: str = "worker", rhythm: Rhythm | None = None
    ) -> None:
        self._name = name
        self._rhythm = rhythm or Rhythm()
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=database.psycopg_url, min_size=1, max_size=6
            )
        )
        self._app.job_manager = _Manager(self._app.connector)
        self._repeated: list[tuple[str, float, Handler]] = [("jobs.forget", FORGET_S, self._forget)]

    def add(
        self,
        name: str,
        handler: Handler,
        *,
        retry: RetryStrategy = DEFAULT_RETRY,
        given_up: Handler | None = None,
    ) -> None:
        """Register `handler` for job `name`; it is retried after an exception.

        `given_up` is called with the same arguments once the last try has failed, or has killed
        its worker, so that nobody waits for what will not come.
        """
        most = retry.max_attempts
        if given_up is None or most is None:
            self._app.task(name=name, retry=retry)(handler)
            return

        async def run(context: procrastinate.JobContext, **arguments: Any) -> None:
            tried = context.job.attempts  # 0 at first; the strategy allows `most` more
            if tried > most:  # the sweeper counts those that took their worker with them
                await given_up(**arguments)
                return
            try:
                await handler(**arguments)
            except Exception:
                if tried >= most:
                    await given_up(**arguments)
                raise

        self._app.task(name=name, retry=retry, pass_context=True)(run)

    def every(self, seconds: float, name: str, handler: Handler) -> None:
        """Run `handler()` every `seconds` in each worker; it must be harmless to run twice."""
        self._repeated.append((name, seconds, handler))

    async def run(self, *, concurrency: int = 20) -> None:
        """Work until cancelled or told to stop by a signal."""
        async with self._app.open_async(), asyncio.TaskGroup() as group:
            beside = [group.create_task(self._sweep())]
            beside += [group.create_task(_repeat(*entry)) for entry in self._repeated]
            try:
                while await self._taken_for_dead(concurrency):
                    log.warning("this worker stood still, and was taken for dead; it begins anew")
            finally:
                for task in beside:
                    task.cancel()

    async def _taken_for_dead(self, concurrency: int) -> bool:
        """Work to the end; True where others have meanwhile taken this worker's place away (WT5):
        its jobs are theirs, and it may take no more under its old name.
        """
        try:
            await self._work(concurrency, wait=True)
        except exceptions.ConnectorException as error:
            if not isinstance(error.__cause__, ForeignKeyViolation):
                raise
            return True
        return False

    async def run_due(self) -> None:
        """Run what is due now, and what that makes due, then return."""
        async with self._app.open_async():
            await self._work(1, wait=False)

    async def _work(self, concurrency: int, *, wait: bool) -> None:
        await self._app.run_worker_async(
            name=self._name,
            concurrency=concurrency,
            wait=wait,
            fetch_job_polling_interval=POLL_S,
            shutdown_graceful_timeout=STOP_GRACE_S,
            delete_jobs="successful",
            update_heartbeat_interval=self._rhythm.heartbeat_s,
            stalled_worker_timeout=self._rhythm.stalled_after_s,
            install_signal_handlers=wait,
            listen_notify=wait,
            worker_middleware=[_told],
        )

    async def _sweep(self) -> None:
        manager = self._app.job_manager
        while True:
            await asyncio.sleep(self._rhythm.sweep_every_s)
            with contextlib.suppress(exceptions.ConnectorException):
                stalled = await manager.get_stalled_jobs(
                    seconds_since_heartbeat=self._rhythm.stalled_after_s
                )
                for job in stalled:
                    log.warning(
                        "job %s (%s) lost its worker and starts again", job.id, job.task_name
                    )
                    await manager.retry_job(job)

    async def _forget(self) -> None:
        await self._app.job_manager.delete_old_jobs(
            KEPT_H, include_failed=True, include_cancelled=True, include_aborted=True
        )


async def _told(
    go_on: Callable[[], Awaitable[Any]], context: procrastinate.JobContext, _: Any
) -> Any:
    """A job's first failure is an error with its trace, the others are a line each."""
    job = context.job
    try:
        return await go_on()
    except Exception as error:
        app: Any = context.app
        task = app.tasks.get(job.task_name)
        if task is None:
            raise  # the worker says so
        expected = isinstance(error, Problem)
        if task.get_retry_exception(error, job) is None:
            log.error("job %s (%s) is given up: %r", job.id, job.task_name, error)  # noqa: TRY400 - told before
        elif job.attempts or expected:
            log.warning("job %s (%s) failed and is tried again: %r", job.id, job.task_name, error)
        else:
            log.exception("job %s (%s) failed and is tried again", job.id, job.task_name)
        raise


def _is_not_told(record: logging.LogRecord) -> bool:
    """What procrastinate says of a job that failed, with its trace each time, was said here."""
    return getattr(record, "action", "") not in {"job_error", "job_error_retry"}


logging.getLogger("procrastinate.worker").addFilter(_is_not_told)


async def _repeat(name: str, seconds: float, handler: Handler) -> None:
    while True:
        try:
            await handler()
        except Exception:  # one failed round must not end the rounds; it is logged with its name
            log.exception("%s failed; next try in %s s", name, seconds)
        await asyncio.sleep(seconds)
