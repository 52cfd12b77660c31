"""The journal of a media process: what counts is on disk, what is cut off never counted."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.calls import journal
from offhook.calls.journal import Fact, Journal

facts = st.builds(
    Fact,
    call_id=st.sampled_from(["call_1", "call_2"]),
    team_id=st.just("team_1"),
    number_id=st.just("num_1"),
    seconds=st.floats(0, 14_400),
    spoke=st.booleans(),
    minute=st.none() | st.integers(1, 240),
    ended=st.none() | st.sampled_from(["caller_hung_up", "silence"]),
)


def fact(call_id: str = "call_1", seconds: float = 1.0, **more: object) -> Fact:
    return Fact(call_id, "team_1", "num_1", seconds, spoke=True, **more)  # type: ignore[arg-type]


@given(written=st.lists(facts, max_size=6), data=st.data())
def test_a_file_that_was_cut_anywhere_holds_a_prefix_of_what_was_written(
    written: list[Fact], data: st.DataObject
) -> None:
    whole = b"".join(journal.line(each) for each in written)
    assert journal.parse(whole) == written
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert journal.parse(cut) == written[: cut.count(b"\n")] or (
        journal.parse(cut) == written[: cut.count(b"\n") + 1]  # all but the last newline is there
    )


@given(written=st.lists(facts, min_size=1, max_size=4), data=st.data())
def test_a_damaged_line_is_passed_over_and_the_others_stand(
    written: list[Fact], data: st.DataObject
) -> None:
    lines = [journal.line(each) for each in written]
    which = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[which]) - 2))
    damaged = bytearray(lines[which])
    damaged[at] ^= 0x01
    lines[which] = bytes(damaged)
    if b"\n" in lines[which][:-1]:
        return
    assert journal.parse(b"".join(lines)) == written[:which] + written[which + 1 :]


def test_facts_add_up_and_the_first_end_stands() -> None:
    calls = journal.by_call(
        [
            fact(seconds=5.0),
            fact(seconds=45.0, minute=1),
            fact(seconds=61.2, ended="silence"),
            fact(seconds=90.0, ended="caller_hung_up"),
            fact("call_2", seconds=3.0),
        ]
    )
    assert calls.keys() == {"call_1", "call_2"}
    first = calls["call_1"]
    assert (first.minutes, first.seconds, first.ended, first.facts) == ({1}, 61.2, "silence", 4)


async def test_a_journal_is_empty_once_everything_is_told(tmp_path: Path) -> None:
    kept = Journal(tmp_path, "node_1")
    await kept.write(fact(minute=1))
    await kept.write(fact("call_2", ended="silence"))
    assert journal.calls_in(tmp_path) == {"call_1", "call_2"}
    await kept.told("call_1", 1)
    assert journal.calls_in(tmp_path) == {"call_1", "call_2"}, "told calls are told again"
    await kept.told("call_2", 1)
    assert kept.path.read_bytes() == b""
    kept.close()
    assert journal.files(tmp_path) == []


async def test_what_was_written_while_it_was_told_is_kept(tmp_path: Path) -> None:
    kept = Journal(tmp_path, "node_1")
    await kept.write(fact(minute=1))
    facts = kept.untold["call_1"].facts
    await kept.write(fact(minute=2))
    await kept.told("call_1", facts)
    assert kept.untold["call_1"].minutes == {1, 2}
    kept.close()


async def test_a_living_processs_journal_is_nobody_elses(tmp_path: Path) -> None:
    kept = Journal(tmp_path, "node_1")
    await kept.write(fact(minute=1))
    with journal.left_behind(kept.path) as calls:
        assert calls is None
    kept.close()
    with journal.left_behind(kept.path) as calls:
        assert calls is not None
        assert calls["call_1"].minutes == {1}
        with journal.left_behind(kept.path) as again:
            assert again is None, "one at a time"


def writing(folder: Path, told: int) -> None:
    """Facts without end, each told on `told` once it is on disk; never returns."""

    async def write() -> None:
        kept = Journal(folder, "node_killed")
        for index in range(1_000_000):
            await kept.write(fact(minute=index))
            os.write(told, b"%d\n" % index)

    asyncio.run(write())
    os._exit(1)


@pytest.mark.kills
def test_every_fact_that_counted_survives_kill_9(tmp_path: Path) -> None:
    for attempt in range(int(os.environ.get("OFFHOOK_KILLS", "1"))):
        folder = tmp_path / str(attempt)
        heard, told = os.pipe()
        counted = -1
        writer = os.fork()  # a new process would import for seconds
        if writer == 0:
            writing(folder, told)
        os.close(told)
        with os.fdopen(heard) as lines:
            for _ in range(random.Random(attempt).randint(1, 60)):
                counted = int(lines.readline())
            os.kill(writer, signal.SIGKILL)
            rest = lines.read().split()
        os.waitpid(writer, 0)
        counted = int(rest[-1]) if rest else counted
        with journal.left_behind(folder / "node_killed.journal") as calls:
            assert calls is not None
            assert calls["call_1"].minutes >= set(range(counted + 1))
