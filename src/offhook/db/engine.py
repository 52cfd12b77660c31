"""Engine and sessions: one `async with` is one transaction, opened for one team or the system.

The time is the database's (metering UM7), so that all processes agree; a test may bring a clock.

A transaction costs as few waits for the server as it can: one to open it for its team, one for
each statement, one to commit. `fetch` is for the statements that everything waits for.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from typing import Any, TypeVar, cast

import psycopg
import sqlalchemy.orm
from psycopg import sql
from sqlalchemy import Connection, Engine, PoolProxiedConnection, QueuePool, Select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.util import greenlet_spawn

Session = AsyncSession
Clock = Callable[[], datetime]
Chosen = TypeVar("Chosen", bound=Select[Any])
EVERY_TEAM = "*"
TURN_S = 30.0
"""How long a transaction waits for a connection, before it fails with `Busy`."""
# `true`: the setting ends with the transaction, so a pooled connection carries no team along.
OPEN_FOR_TEAM = "BEGIN; SELECT set_config('offhook.team', {}, true)"
HOLD_QUOTED = "SELECT pg_advisory_xact_lock(hashtextextended({}, 0))"
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))"
SHARE = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%(key)s, 0))"
NOTIFY = "SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload"


class Busy(TimeoutError):  # noqa: N818 - an answer to who asks, not a defect
    """All connections are in use and none became free in time: the transaction was not begun."""


class Database:
    """The connections of one process.

    `clock` replaces the database's time, in tests and for what is tried out as it was then; it
    must return aware UTC times. `until`: the loop's time after which no transaction waits for a
    connection. Raises Busy where one has waited in vain.
    """

    def __init__(self, url: str, *, pool_size: int = 10, clock: Clock | None = None) -> None:
        self.url = url
        self.clock = clock
        self.until = inf
        # The driver's own BEGIN would be one wait more: ours travels with the team.
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            connect_args={"autocommit": True},
            hide_parameters=True,  # a failed statement is logged; what people said is not (SEC20)
            # Every transaction ends before its connection goes back, in `_transaction`.
            pool_reset_on_return=None,
        )
        self._ready: list[PoolProxiedConnection] = []
        # The pool would let who comes overtake who waits, as often as they come.
        self._turns = asyncio.Semaphore(2 * pool_size)

    def at(self, moment: datetime) -> "Database":
        """The same connections, for what is to be done as if it were `moment`."""
        as_then = copy(self)
        as_then.clock = lambda: moment
        return as_then

    def within(self, seconds: float) -> "Database":
        """The same connections, for work that nobody waits for after so long: its transactions wait
        no longer for one, all of them together.
        """
        hurried = copy(self)
        hurried.until = asyncio.get_running_loop().time() + seconds
        return hurried

    @property
    def psycopg_url(self) -> str:
        """The same address as psycopg and procrastinate read it."""
        return self.url.replace("postgresql+psycopg://", "postgresql://")

    def team(self, team_id: str, *, alone: str = "") -> AbstractAsyncContextManager[Session]:
        """One transaction that sees the rows of `team_id`; committed at the end. `alone`: a key of
        `one_at_a_time`, waited for with the opening.
        """
        return self._transaction(team_id, alone)

    def system(self) -> AbstractAsyncContextManager[Session]:
        """One transaction that sees every team's rows: callbacks before their team is known,
        the operator's pages, sweepers.
        """
        return self._transaction(EVERY_TEAM)

    async def close(self) -> None:
        while self._ready:
            await greenlet_spawn(self._ready.pop().close)
        await self.engine.dispose()

    @asynccontextmanager
    async def _transaction(self, team: str, alone: str = "") -> AsyncGenerator[Session]:
        session = await self._open(_opening(team, alone))
        try:
            yield session
            await self._commit(session)
        except BaseException:
            # Shielded: a use case that was cancelled, too, gives its connection back.
            await asyncio.shield(self._undo(session))
            raise

    async def _open(self, opening: str) -> Session:
        """A session in its transaction.

        The opening statement is the test of a connection that lay in the pool: where the server
        went away meanwhile the whole pool is stale, and a second try gets a new connection.
        """
        try:
            return await self._begin(opening)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        await self.close()
        return await self._begin(opening)

    async def _begin(self, opening: str) -> Session:
        came = asyncio.get_running_loop().time()
        until = min(came + TURN_S, self.until)
        try:
            async with asyncio.timeout_at(until):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Busy(f"no connection became free in {until - came:.0f} s") from error
        try:
            pooled = self._ready.pop() if self._ready else await self._check_out()
        except BaseException as error:
            self._turns.release()
            if not isinstance(error, psycopg.Error):
                raise
            # As the mapped side raises it.
            raise DBAPIError.instance("connect", None, error, psycopg.Error) from error
        session = AsyncSession(
            self.engine,
            sync_session_class=_Mapped,
            expire_on_commit=False,
            info={
                "clock": self.clock,
                "pooled": pooled,
                "driver": pooled.driver_connection,
                "at_commit": {},
            },
        )
        try:
            await _tell(session, opening)
        except BaseException:
            await asyncio.shield(self._undo(session))
            raise
        return session

    async def _commit(self, session: Session) -> None:
        for channel, payloads in session.info["at_commit"].items():
            await fetch(session, NOTIFY, {"channel": channel, "payloads": list(payloads)})
        if session.in_transaction():
            await session.run_sync(_finish)
        else:  # nothing mapped was used: there is nothing to write and nothing to let go of
            try:
                await driver_of(session).commit()
            except psycopg.Error as error:
                raise await _dbapi_error(session, "COMMIT", error) from error
        await self._give_back(session)

    async def _undo(self, session: Session) -> None:
        """Roll back and return the connection; one that cannot be rolled back leaves the pool."""
        pooled = session.info["pooled"]
        try:
            await session.close()
            if pooled.is_valid:
                await driver_of(session).rollback()
        except (DBAPIError, psycopg.Error) as error:
            await greenlet_spawn(pooled.invalidate, error)
        finally:
            await self._give_back(session)

    async def _check_out(self) -> PoolProxiedConnection:
        return await greenlet_spawn(self.engine.sync_engine.raw_connection)

    async def _give_back(self, session: Session) -> None:
        """Keep the connection at hand for the next transaction: the way into the pool and out of it
        costs about as much processor time as a statement.
        """
        pooled = session.info.pop("pooled")
        del session.info["driver"]
        try:
            if not pooled.is_valid:
                return
            if len(self._ready) < cast("QueuePool", self.engine.pool).size():
                self._ready.append(pooled)
            else:
                await greenlet_spawn(pooled.close)
        finally:
            self._turns.release()


class _Mapped(sqlalchemy.orm.Session):
    """The mapped side of a transaction, joined to its connection when it is first used.

    What goes straight to the driver (`fetch`) does not pay for it.
    """

    def get_bind(self, *args: Any, **options: Any) -> Connection:
        if "connection" not in self.info:
            engine = cast("Engine", self.bind)
            self.info["connection"] = Connection(engine, connection=self.info["pooled"])
        return self.info["connection"]


def _finish(session: sqlalchemy.orm.Session) -> None:
    session.commit()
    session.close()


@lru_cache(maxsize=4096)
def _quoted(team: str) -> str:
    return sql.quote(team)


def _opening(team: str, alone: str) -> str:
    opening = OPEN_FOR_TEAM.format(_quoted(team))
    return f"{opening}; {HOLD_QUOTED.format(sql.quote(alone))}" if alone else opening


async def _tell(session: Session, command: str) -> None:
    """Run a command that answers nothing. Raises DBAPIError."""
    try:
        await driver_of(session).execute(cast("sql.SQL", command), prepare=False)
    except psycopg.Error as error:
        raise await _dbapi_error(session, command, error) from error


async def fetch(
    session: Session, statement: str, given: Mapping[str, Any]
) -> Sequence[tuple[Any, ...]]:
    """Run one statement of this transaction straight on the driver; the rows that it returns.

    For the few statements that are always under way: half the processor time of `execute`.
    Parameters are `%(name)s`; nothing that the session holds is flushed before. Errors are those
    of `execute`.
    """
    driver = driver_of(session)
    try:
        cursor = await driver.execute(cast("sql.SQL", statement), given)
        return await cursor.fetchall()
    except psycopg.Error as error:
        raise await _dbapi_error(session, statement, error) from error


async def fetch_each(
    session: Session, statement: str, each: Sequence[Mapping[str, Any]]
) -> list[Sequence[tuple[Any, ...]]]:
    """`fetch` for many parameters, one after the other on the server, in one wait for them all."""
    driver = driver_of(session)
    try:
        cursor = driver.cursor()
        await cursor.executemany(cast("sql.SQL", statement), each, returning=True)
        return [await result.fetchall() async for result in cursor.results()]
    except psycopg.Error as error:
        raise await _dbapi_error(session, statement, error) from error


def for_change(query: Chosen) -> Chosen:
    """The query, whose rows are locked until the end of the transaction and read anew: what another
    has changed while this one waited is seen, also by who holds the row as it was. The lock leaves
    the key to foreign keys (FOR NO KEY UPDATE).
    """
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


async def one_at_a_time(session: Session, key: str, *, shared: bool = False) -> None:
    """Wait until no other transaction holds `key`, and hold it until the end of this one; `shared`:
    together with others who share it.
    """
    await fetch(session, SHARE if shared else HOLD, {"key": key})


def notify_at_commit(session: Session, channel: str, payload: str) -> None:
    """Send `payload` to who listens on `channel` with the commit: once, however often it is asked
    for, and all of them in one wait.
    """
    notices: dict[str, dict[str, None]] = session.info["at_commit"]
    notices.setdefault(channel, {})[payload] = None


def driver_of(session: Session) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """The connection of this transaction, for a library that speaks to the driver itself."""
    return session.info["driver"]


async def _dbapi_error(session: Session, statement: str, error: psycopg.Error) -> StatementError:
    """The driver's error as `execute` would raise it; a lost connection leaves the pool."""
    lost = driver_of(session).closed
    if lost:
        await greenlet_spawn(session.info["pooled"].invalidate, error)
    return DBAPIError.instance(statement, None, error, psycopg.Error, connection_invalidated=lost)


def told_time(session: Session) -> datetime | None:
    """The time of the clock that was told; None in ordinary use.

    For statements that take the time themselves: `coalesce(%(present)s, clock_timestamp())`.
    """
    clock: Clock | None = session.info["clock"]
    return clock() if clock else None


async def now(session: Session) -> datetime:
    """The present instant by the database's clock, or by the test's."""
    if (told := told_time(session)) is not None:
        return told
    ((instant,),) = await fetch(session, "SELECT clock_timestamp()", {})
    return instant.astimezone(UTC)
