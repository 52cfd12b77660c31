"""The reading process: bounded, ended when it takes too long, and gone with its parent (K1)."""

import asyncio
import os
import re
import signal
import sys
from functools import cache
from pathlib import Path

import psutil
import pytest

from documents.made import PROSE, pdf, say, word
from offhook.documents import Reader, SourceTooSlow, SourceUnreadable

LOWEST_PRIORITY = 19


@cache
def menu() -> bytes:
    return pdf(lambda file: say(file, PROSE))


async def test_one_process_reads_one_document_after_the_other() -> None:
    async with Reader() as reader:
        first = await reader.read("menu.pdf", menu())
        pid = reader.pid
        second = await reader.read(
            "menu.docx", word(lambda file: file.add_paragraph("Open daily."))
        )
        assert reader.pid == pid
    assert "oven is lit" in first.text
    assert second.text == "Open daily."
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_it_takes_only_what_others_leave_and_at_most_a_gigabyte() -> None:
    async with Reader() as reader:
        await reader.read("menu.pdf", menu())
        process = psutil.Process(reader.pid)
        assert process.nice() == min(psutil.Process().nice() + 10, LOWEST_PRIORITY)
        assert process.rlimit(psutil.RLIMIT_AS) == (1 << 30, 1 << 30)
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert not [name for name in process.environ() if name.startswith("OFFHOOK")]


async def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    async with Reader() as reader:
        await reader.read("menu.pdf", menu())
        stopped = reader.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        reader.stuck_s = 0.2
        with pytest.raises(SourceTooSlow) as refused:
            await reader.read("menu.pdf", menu())
        assert refused.value.remedy
        reader.stuck_s = 100
        assert "oven is lit" in (await reader.read("menu.pdf", menu())).text
        assert reader.pid != stopped
    assert not psutil.pid_exists(stopped)


async def test_a_document_that_takes_too_much_processor_time_is_given_up() -> None:
    async with Reader(read_s=0) as reader:
        with pytest.raises(SourceTooSlow):
            await reader.read("rows.csv", b"a,b\n" * 500_000)


async def test_a_document_that_ends_the_process_is_unreadable_and_the_next_is_read() -> None:
    async with Reader() as reader:
        await reader.read("menu.pdf", menu())
        reading = asyncio.create_task(reader.read("menu.pdf", menu() * 50))
        await asyncio.sleep(0)
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        with pytest.raises(SourceUnreadable):
            await reading
        assert "oven is lit" in (await reader.read("menu.pdf", menu())).text


async def test_a_document_that_needs_too_much_memory_is_refused_in_words() -> None:
    async with Reader(memory_bytes=300 << 20) as reader:
        with pytest.raises(SourceUnreadable) as refused:
            await reader.read("rows.csv", b"a\n" * 5_000_000)
    assert "memory" in refused.value.sentence


async def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import asyncio, os\nfrom offhook.documents import Reader\n"
        "async def main():\n"
        "    reader = Reader()\n"
        "    await reader.read('a.csv', b'a,b\\n1,2\\n')\n"
        "    print(reader.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    told, _ = await process.communicate()
    found = re.fullmatch(rb"(\d+)\n", told)
    assert found
    for _ in range(600):
        if not psutil.pid_exists(int(found[1])):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the reading process outlived its parent")
