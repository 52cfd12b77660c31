"""Engine and sessions: one `async with` is one transaction, opened for one team or the system.

The time is the database's (metering UM7), so that all processes agree; a test may bring a clock.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

Session = AsyncSession
Clock = Callable[[], datetime]
EVERY_TEAM = "*"
# `true`: the setting ends with the transaction, so a pooled connection carries no team along.
OPEN_FOR_TEAM = text("SELECT set_config('offhook.team', :team, true)")


class Database:
    """The connections of one process.

    `clock` replaces the database's time in tests; it must return aware UTC times.
    """

    def __init__(self, url: str, *, pool_size: int = 10, clock: Clock | None = None) -> None:
        self.url = url
        self.clock = clock
        self.engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True
        )

    @property
    def psycopg_url(self) -> str:
        """The same address as psycopg and procrastinate read it."""
        return self.url.replace("postgresql+psycopg://", "postgresql://")

    @asynccontextmanager
    async def team(self, team_id: str) -> AsyncGenerator[Session]:
        """One transaction that sees the rows of `team_id`; committed at the end."""
        async with self._transaction(team_id) as session:
            yield session

    @asynccontextmanager
    async def system(self) -> AsyncGenerator[Session]:
        """One transaction that sees every team's rows: callbacks before their team is known,
        the operator's pages, sweepers.
        """
        async with self._transaction(EVERY_TEAM) as session:
            yield session

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def _transaction(self, team: str) -> AsyncGenerator[Session]:
        info = {"clock": self.clock}
        async with (
            AsyncSession(self.engine, expire_on_commit=False, info=info) as session,
            session.begin(),
        ):
            await session.execute(OPEN_FOR_TEAM, {"team": team})
            yield session


async def now(session: Session) -> datetime:
    """The present instant by the database's clock, or by the test's."""
    clock: Clock | None = session.info.get("clock")
    if clock is not None:
        return clock()
    instant = await session.scalar(select(func.clock_timestamp()))
    assert instant is not None  # noqa: S101 - clock_timestamp() never answers NULL
    return instant.astimezone(UTC)
