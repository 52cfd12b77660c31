"""Fixtures for all tests: a real PostgreSQL, and an empty database for each test that asks.

The server is the one that users get (the wheel's binaries run by our supervisor). A test may
commit, race and crash as it likes: it has its database for itself.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from clusters import FAST, RUN_FOLDER, lay
from databases import Connections, Shelf
from offhook.db import Database
from offhook.supervisor import EmbeddedPostgres

pytest_plugins = ("web_fixtures", "whole")
# Installations are asked thousands of things, looked at, killed, talked to: each of these is one
# worker's. The forked are programs of one server of processes.
TOGETHER = {
    "asked": ("e2e/test_canaries", "e2e/test_neighbours", "e2e/test_whole"),
    "looked at": ("e2e/test_every_page",),
    "killed": ("faults/", "e2e/test_newcomer"),
    "forked": (
        "billing/test_close_kills",
        "knowledge/test_kills",
        "mail/test_kills",
        "messages/test_kill",
        "numbers/test_own.py::test_a_process_killed",
        "numbers/test_purchase_kills",
        "tasks/test_kills",
        "usage/test_kill",
        "webhooks/test_kills",
    ),
    "talked to": ("e2e/",),
}
REAL_TIME = {"killed", "talked to"}

# The programs that tests start read compiled code, whatever this shell says of its own: compiling
# it anew costs each of them a second.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


class Together(LoadScopeScheduling):
    """Hands out tests one by one, but all of an installation to one worker, and these first."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid) or nodeid


def together(nodeid: str) -> str:
    """With which others a test shares an installation; empty: with none."""
    places = ((name, place) for name, places in TOGETHER.items() for place in places)
    return next((name for name, place in places if nodeid.startswith(f"tests/{place}")), "")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    return Together(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """The workers of a run share a folder, which goes with the run."""
    if RUN_FOLDER not in os.environ:
        os.environ[RUN_FOLDER] = folder = tempfile.mkdtemp(prefix="offhook-run-")
        Path(folder).chmod(0o711)  # as root, PostgreSQL's own account must pass through
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(RUN_FOLDER), ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Two for each processor: who tests a call mostly waits for what is being said."""
    return 2 * (yield)


if "PYTEST_XDIST_WORKER" in os.environ:
    gc.disable()  # while the tests are imported


def pytest_collection_finish() -> None:
    """What has been imported stays: the collector need not look through it again and again, nor
    after each few hundred objects through those of a request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ and together(item.nodeid) not in REAL_TIME:
        _step_back()


@cache
def _step_back() -> None:
    """Whole installations talk in real time: a worker of other tests leaves them the processors."""
    os.nice(5)


class TestClock:
    """A clock that stands until a test moves it."""

    __test__ = False

    def __init__(self, start: datetime = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)) -> None:
        self.instant = start

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **amount: float) -> datetime:
        self.instant += timedelta(**amount)
        return self.instant


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server."""
    folder = Path(tempfile.mkdtemp(prefix="offhook-pg-"))
    folder.chmod(0o711)  # as root, the server's own account must pass through
    lay(folder / "pg")
    server = EmbeddedPostgres(folder / "pg", extra=FAST)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def connections(postgres: EmbeddedPostgres) -> AsyncIterator[Connections]:
    """To its databases."""
    connections = Connections()
    yield connections
    await connections.close()


@pytest.fixture(scope="session")
def shelf(postgres: EmbeddedPostgres, connections: Connections) -> Iterator[Shelf]:
    """Its databases, with every table."""
    shelf = Shelf(postgres, connections)
    yield shelf
    shelf.close()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, shelf: Shelf) -> Iterator[str]:
    """The address of a database with all tables and no rows."""
    name = shelf.take()
    yield postgres.url(name)
    shelf.put_back(name)


@pytest.fixture
def clock() -> TestClock:
    """Stands at 2026-05-14 12:00 UTC."""
    return TestClock()


@pytest.fixture
def database(database_url: str, connections: Connections) -> Database:
    """A fresh database on its own time."""
    return connections.of(database_url)


@pytest.fixture
def clocked(database_url: str, connections: Connections, clock: TestClock) -> Database:
    """A fresh database whose `now` is the test's clock."""
    return connections.of(database_url, clock)
