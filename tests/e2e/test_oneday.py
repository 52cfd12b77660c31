"""A day in the life of an installation: it is as the rules promise, and every book tells the same.

A short day by default. `make day` plays that of two hundred people (OFFHOOK_DAY) in two
installations; what came of it, and every word that was texted, is the same in both.
"""

import asyncio
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from installation import Installation, needs
from oneday.checking import disagreements
from oneday.history import History
from oneday.playing import Stage, furnish, play
from oneday.replaying import changes, everything, replay
from oneday.script import Script, written
from oneday.sheet import outcome, words
from owner import Owner
from receiver import receiving

SEED = 7
SHORT = 20
PEOPLE = int(os.environ.get("OFFHOOK_DAY", SHORT))
TIMES = 1 if PEOPLE == SHORT else 2


@contextmanager
def an_installation() -> Generator[Stage]:
    """One of its own, that may reach this machine's receiver."""
    with receiving() as receiver:
        installation = Installation(
            OUTGOING_HTTP="true",
            OUTGOING_PORTS=f"[{receiver.server_port}]",
            OUTGOING_PRIVATE_NETWORKS='["127.0.0.0/8"]',
        )
        installation.start()
        owner = Owner(installation)
        try:
            yield furnish(owner, receiver)
        finally:
            owner.close()
            installation.end()


@pytest.mark.timeout(900 * PEOPLE // SHORT)
def test_a_day_of_calls_and_texts_is_in_every_book_as_the_rules_promise(tmp_path: Path) -> None:
    needs("flite")
    script = written(SEED, PEOPLE)
    said = list[object]()
    for _ in range(TIMES):
        with an_installation() as stage:
            began = time.monotonic()
            history = asyncio.run(play(stage, script, tmp_path))
            show(history, time.monotonic() - began)
            judge(stage, script, history)
            said.append(words(history, stage.names))
            tell_again(stage)
    assert said == said[:1] * TIMES


def judge(stage: Stage, script: Script, history: History) -> None:
    """No two books disagree, and everybody had what the rules promise, no more and no less."""
    assert [str(each) for each in disagreements(history)] == []
    kept, promised = outcome(history, stage.names), script.promised()
    different = {
        pair: (promised.get(pair), kept.get(pair))
        for pair in promised.keys() | kept.keys()
        if promised.get(pair) != kept.get(pair)
    }
    assert different == {}


def tell_again(stage: Stage) -> None:
    """SEC2: the whole recorded day, twice more."""
    owner = stage.owner
    before = asyncio.run(everything(stage.database))
    log = owner.carrier_log()
    assert asyncio.run(replay(owner.settings, log, Random(SEED))) == []
    assert changes(before, asyncio.run(everything(stage.database))) == []
    assert len(owner.carrier_log()) == len(log)


def show(history: History, seconds: float) -> None:
    """The day in figures."""
    books = history.books
    print(  # noqa: T201 - for who plays it by hand
        f"{len(books['contacts'])} contacts, {len(history.texts)} texts, "
        f"{len(history.calls)} calls, {len(books['transfers'])} transfers, "
        f"{len(books['task_runs'])} tasks, {len(books['usage_entries'])} entries, "
        f"{len(books['events'])} events in {seconds:.0f} s"
    )
