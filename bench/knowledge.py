"""Long sources: how long reading takes, in how much memory, and whether the right passage is first.

    PYTHONPATH=src python bench/knowledge.py [--pages 200] [--site 50] [--questions 100]
        [--calls 50]

A PostgreSQL of its own. A guide of so many pages is made as a PDF and read by the worker's job;
another one is served as a web site on loopback and read by its sitemap. The questions are in
other words than the guide's (tests/knowledge/corpus.py), and each has a near miss on every fifth
page. Prints the share of right passages, the times beside K1's bounds, and the memory; then how
long a question takes while every call asks one in ten seconds.

Beside the reading a media engine runs in a process of its own, with so many calls on this machine's
cores: how late its ticks were while nothing was read, and while something was (K1: calls keep
their pace).
"""

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

# This folder's knowledge.py would hide the tests' folder of that name until that is imported.
sys.path.remove(str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from knowledge.corpus import Section, as_html, as_pdf, asked, guide
from knowledge.served import web_site
from offhook import knowledge
from offhook.db import Database, Jobs
from offhook.documents import Reader
from offhook.knowledge import SourceKind, jobs
from offhook.media import TICK_MS, Batch, Engine, Line, Pace
from offhook.settings import Settings
from offhook.teams import Team

sys.path.append(str(Path(__file__).resolve().parent))

from _database import new_database, postgres

SECTIONS_OF_A_PLACE = 5
MB = 1024
ALONE_S = 20.0
ASKS_EVERY_S = 10.0


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pages", type=int, default=200)
    arguments.add_argument("--site", type=int, default=50)
    arguments.add_argument("--questions", type=int, default=100)
    arguments.add_argument("--calls", type=int, default=50)
    wanted = arguments.parse_args()
    with postgres() as server:
        url = new_database(server)
        with calls_beside(wanted.calls) as pace:
            time.sleep(ALONE_S)
            pace("while nothing was read")
            asyncio.run(measure(url, wanted))
            pace("while a document and a site were read and asked")


@contextmanager
def calls_beside(count: int) -> Generator[Callable[[str], None]]:
    """An engine with so many calls; what is yielded prints its pace since the last time."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    engine = multiprocessing.get_context("spawn").Process(
        target=carry_calls, args=(theirs, count), daemon=True
    )
    engine.start()
    ours.recv()

    def pace(when: str) -> None:
        ours.send("pace")
        late: Pace = ours.recv()
        print(
            f"{count} calls {when}: ticks late by {late.lateness_p50_ms:.1f} ms (p50), "
            f"{late.lateness_p99_ms:.1f} ms (p99) of {TICK_MS}; {late.skipped} skipped"
        )

    try:
        yield pace
    finally:
        ours.send("stop")
        engine.join(10)


def carry_calls(pipe: Connection, count: int) -> None:
    """Every caller speaks, every second agent does."""
    engine = Engine(deque[Batch](maxlen=1).append, max_lines=count, reserve_bytes=0)
    engine.start()
    noise = np.random.default_rng(1).integers(0, 255, 160 * 50, np.uint8).tobytes()
    lines = [engine.open(str(number)) for number in range(count)]
    asked = threading.Event()
    threading.Thread(target=feed, args=(lines, noise, asked), daemon=True).start()
    time.sleep(1)
    engine.reset_pace()
    pipe.send("ready")
    while pipe.recv() == "pace":
        pipe.send(engine.pace())
        engine.reset_pace()
    asked.set()
    engine.stop()


def feed(lines: Sequence[Line], noise: bytes, asked: threading.Event) -> None:
    tick = 0
    while not asked.wait(TICK_MS / 1000):
        at = 160 * (tick % 50)
        for number, line in enumerate(lines):
            line.feed(noise[at : at + 160])
            if number % 2 and tick % 50 == 0:
                line.play(line.new_reply(), "reply", noise, text="Yes, we are.")
        tick += 1


async def measure(url: str, wanted: argparse.Namespace) -> None:
    database = Database(url)
    try:
        team_id, sections = await measure_pdf(database, wanted.pages, wanted.questions)
        await measure_calls(database, team_id, sections, wanted.calls)
        await measure_site(database, wanted.site, wanted.questions)
    finally:
        await database.close()
    print(f"worker, at most: {peak(resource.RUSAGE_SELF)} MB (its embedding model among them)")


async def measure_calls(
    database: Database, team_id: str, sections: Sequence[Section], calls: int
) -> None:
    times: list[float] = []

    async def ask(number: int, question: str) -> None:
        await asyncio.sleep(number * ASKS_EVERY_S / calls)
        began = time.perf_counter()
        async with database.team(team_id) as session:
            await knowledge.search(session, team_id, None, question)
        times.append(time.perf_counter() - began)

    questions = [question for _, question, _ in asked(sections, calls)]
    await asyncio.gather(*(ask(*each) for each in enumerate(questions)))
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"  while {calls} calls ask, one in {ASKS_EVERY_S:.0f} s each: "
        f"{statistics.median(times) * 1000:.0f} ms (p50), {p95 * 1000:.0f} ms (p95)"
    )


async def measure_pdf(
    database: Database, pages: int, questions: int
) -> tuple[str, Sequence[Section]]:
    sections = guide(pages // SECTIONS_OF_A_PLACE)
    data = as_pdf(sections)
    began = time.perf_counter()
    async with Reader() as reader:
        document = await reader.read("guide.pdf", data)
    parsed_s = time.perf_counter() - began
    print(
        f"PDF of {document.pages} pages, {len(data) / MB:.0f} kB, {len(document.text):,} characters"
    )
    print(f"  text out of it: {parsed_s:.1f} s, {parsed_s / 60:.0%} of K1's bound")
    print(f"  reading process, at most: {peak(resource.RUSAGE_CHILDREN)} MB of 1,024")
    team_id = await a_team(database)
    async with database.team(team_id) as session:
        await knowledge.add_file(session, team_id, "guide.pdf", data)
    await work(database, Settings())
    await tell(database, team_id, began + parsed_s, sections, questions)
    return team_id, sections


async def measure_site(database: Database, pages: int, questions: int) -> None:
    sections = guide(pages // SECTIONS_OF_A_PLACE, seed=3)
    team_id = await a_team(database)
    async with web_site() as site:
        paths = [f"/{number}" for number in range(len(sections))]
        site.sitemap(*paths)
        for path, section in zip(paths, sections, strict=True):
            site.say(path, as_html(section))
        began = time.perf_counter()
        async with database.team(team_id) as session:
            await knowledge.add_web(session, team_id, SourceKind.SITE, site.url, 0)
        await work(database, site.settings())
    print(f"site of {len(paths)} pages")
    await tell(database, team_id, began, sections, min(questions, 2 * pages))


async def tell(
    database: Database, team_id: str, began: float, sections: Sequence[Section], count: int
) -> None:
    took = time.perf_counter() - began
    async with database.team(team_id) as session:
        (source,) = await knowledge.listed(session, team_id)
        print(
            f"  {source.state}: {source.passage_count:,} passages after {took:.1f} s {source.error}"
        )
        times: list[float] = []
        right = 0
        for section, question, answer in asked(sections, count):
            before = time.perf_counter()
            best, *_ = await knowledge.search(session, team_id, None, question)
            times.append(time.perf_counter() - before)
            found = section.place in " ".join((*best.headings, best.text)) and answer in best.text
            right += found
            if not found:
                print(f"  missed: {question} -> {' › '.join(best.headings)}: {best.text[:90]}")
    print(
        f"  right passage first: {right} of {count} ({right / count:.0%}; nine of ten are promised)"
    )
    print(f"  a question: {statistics.median(times) * 1000:.0f} ms (median)")


async def work(database: Database, settings: Settings) -> None:
    worker = Jobs(database)
    jobs.register(worker, settings, database)
    await worker.run_due()


async def a_team(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Valley Guide", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id


def peak(whose: int) -> int:
    return resource.getrusage(whose).ru_maxrss // MB


if __name__ == "__main__":
    main()
