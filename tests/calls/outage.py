"""A database that is away: the real server lets nobody in, or says nothing at all."""

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from offhook.db import Database
from offhook.supervisor import EmbeddedPostgres


class Outage:
    """Of one test's database: every connection is ended, and no new one is let in."""

    def __init__(self, postgres: EmbeddedPostgres, database: Database) -> None:
        self._postgres = postgres
        self._name = str(database.engine.url.database)

    def begin(self) -> None:
        self._let_in("false")
        end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        self._postgres.sql(end_all + f"'{self._name}'")

    def end(self) -> None:
        self._let_in("true")

    def _let_in(self, answer: str) -> None:
        self._postgres.sql(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS {answer}")


@asynccontextmanager
async def stopped(postgres: EmbeddedPostgres) -> AsyncGenerator[None]:
    """Every process of the server stands still: connections stay open and say nothing."""
    assert postgres.process is not None
    server = postgres.process.pid
    everybody = [server, *_children(server)]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as listed:  # noqa: PTH123 - /proc
        return [int(each) for each in listed.read().split()]
