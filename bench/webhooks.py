"""Events to receivers of which 30 % fail: is any lost, and do the others wait longer (W1, W9)?

    PYTHONPATH=src python bench/webhooks.py [events] [events per second]

Each receiver belongs to a team of its own. First all of them are good; then, with the same events
at the same pace, three in ten are bad: silent, refusing, breaking off. The dispatcher is a process
of its own, as a worker is. Printed: the 95th percentile from commit to arrival at those that are
good both times, and the ratio; ends with 1 when an event is lost or the ratio is above MOST_RATIO.
"""

import asyncio
import contextlib
import multiprocessing
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import func, select

from _database import new_database, postgres
from offhook import teams, webhooks
from offhook.db import Database, Event, publish, when_published, write_events
from offhook.outgoing import Outgoing, policy_of
from offhook.settings import Settings
from offhook.vault import open_vault
from offhook.webhooks import endpoints
from offhook.webhooks.dispatcher import Dispatcher
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.models import Delivery
from offhook.webhooks.rules import DeliveryState

GOOD, BAD = 14, 6
EVENTS, RATE = 10_000, 100
MOST_RATIO = 1.5
SETTLE_S = 120.0


class Rung(Event):
    """An event of the benchmark."""

    event: ClassVar[str] = "bench.rung"
    number: int


@dataclass
class Receiver:
    """Takes requests; `kind` is good, refusing, silent or broken."""

    kind: str
    arrived: dict[str, float] = field(default_factory=dict[str, float])
    url: str = ""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            await reader.readexactly(int(headers["content-length"]))
            if self.kind == "good":
                self.arrived.setdefault(headers["webhook-id"], time.perf_counter())
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            elif self.kind == "refusing":
                writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
            elif self.kind == "silent":
                await reader.read()
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def listening(receivers: list[Receiver]) -> AsyncGenerator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for each in receivers:
            server = await asyncio.start_server(each.connected, "127.0.0.1", 0)
            stack.callback(server.close)
            each.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield


def settings_of(home: str) -> Settings:
    return Settings.model_validate(
        {
            "home": home,
            "outgoing_http": True,
            "outgoing_ports": list(range(1024, 65536)),
            "outgoing_private_networks": ["127.0.0.0/8"],
        }
    )


def dispatch(url: str, home: str) -> None:
    """The dispatcher's process."""

    async def run() -> None:
        settings = settings_of(home)
        async with Outgoing(settings) as outgoing:
            await Dispatcher(Database(url), open_vault(settings), outgoing).run()

    asyncio.run(run())


async def hire(database: Database, settings: Settings, receiver: Receiver, number: int) -> str:
    """A team with an endpoint at the receiver."""
    async with database.system() as session:
        team, _ = await teams.create_team(
            session, name="Bench", email=f"bench{number}@example.com", password=secrets.token_hex()
        )
        await endpoints.create(
            session, open_vault(settings), policy_of(settings), team.id, "", Wish(receiver.url)
        )
    return team.id


async def measure(url: str, home: str, kinds: list[str], events: int, rate: float) -> float:
    """The 95th percentile at the good receivers, in milliseconds; fails when one is lost."""
    database, settings = Database(url), settings_of(home)
    receivers = [Receiver(kind) for kind in kinds]
    sent: dict[str, float] = {}
    async with listening(receivers):
        hired = [await hire(database, settings, each, n) for n, each in enumerate(receivers)]
        process = multiprocessing.get_context("spawn").Process(target=dispatch, args=(url, home))
        process.start()
        try:
            await _warm(database, hired[0], receivers[0])
            began = time.perf_counter()
            for number in range(events):
                team = hired[number % len(hired)]
                async with database.team(team) as session:
                    (row,) = await write_events(session, [Rung(team_id=team, number=number)])
                if number % len(hired) < GOOD:
                    sent[row.id] = time.perf_counter()
                await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.perf_counter()))
            arrived = await _all(receivers[:GOOD], len(sent))
        finally:
            process.kill()
            process.join()
    async with database.system() as session:
        kept = await session.scalar(select(func.count()).select_from(Delivery)) or 0
        failed = await session.scalar(
            select(func.count()).where(Delivery.state == DeliveryState.STOPPED)
        )
    await database.close()
    assert set(sent) <= set(arrived), f"{len(set(sent) - set(arrived))} events did not arrive"
    assert kept == events + 1, f"{events + 1 - kept} events have no delivery"
    assert failed == 0, "deliveries were given up"
    waits = [1000 * (arrived[each] - at) for each, at in sent.items()]
    return statistics.quantiles(waits, n=100)[94]


async def _warm(database: Database, team: str, receiver: Receiver) -> None:
    """Wait until the dispatcher's process delivers."""
    async with database.team(team) as session:
        await publish(session, Rung(team_id=team, number=-1))
    while not receiver.arrived:  # noqa: ASYNC110 - another process sends
        await asyncio.sleep(0.1)


async def _all(receivers: list[Receiver], count: int) -> dict[str, float]:
    ends = time.perf_counter() + SETTLE_S
    while True:
        arrived = {key: at for each in receivers for key, at in each.arrived.items()}
        if len(arrived) > count or time.perf_counter() > ends:
            return arrived
        await asyncio.sleep(0.2)


def main(events: int, rate: float) -> None:
    when_published(webhooks.fan_out)
    bad = ["silent", "refusing", "broken"] * (BAD // 3)
    found: list[float] = []
    with postgres() as server, tempfile.TemporaryDirectory(prefix="offhook-bench-") as home:
        for name, others in (("all of them good", ["good"] * BAD), ("three in ten bad", bad)):
            url = new_database(server, f"bench_{len(found)}")
            kinds = ["good"] * GOOD + others
            p95_ms = asyncio.run(measure(url, home, kinds, events, rate))
            print(f"{name}: {events:,} events, p95 {p95_ms:.0f} ms, none lost", flush=True)
            found.append(p95_ms)
    ratio = found[1] / found[0]
    print(f"ratio of the good ones' p95: {ratio:.2f} (at most {MOST_RATIO})")
    sys.exit(ratio > MOST_RATIO)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS,
        float(sys.argv[2]) if len(sys.argv) > 2 else RATE,
    )
