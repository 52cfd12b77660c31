"""Time-outs, retries under one key, slow, endless and hostile answers (T3, W8, SEC24)."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from offhook import tasks
from offhook.db import Database
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from offhook.tasks.rules import UNKNOWN_OUTCOME, RunState
from task_fixtures import Receiver, Request, Talk, booking, fine, means, new_task

MAY = {"party": 4, "day": "2026-05-15"}


class BrokenOffError(ConnectionError):
    """The receiver goes away without an answer."""


def answering(receiver: Receiver, *answers: int | type[Exception]) -> None:
    """One after the other, the last for ever; 0 is no answer at all."""
    left: list[int | type[Exception]] = list(answers)

    async def answer(request: Request) -> tuple[int, str]:
        now = left.pop(0) if len(left) > 1 else left[0]
        if not isinstance(now, int):
            raise now
        if now == 0:
            await asyncio.sleep(60)
        return (await fine(request)) if now == 200 else (now, "{}")

    receiver.answer = answer


@pytest.mark.parametrize(
    ("repeatable", "answers", "state", "error", "requests"),
    [
        (True, [503, 503, 200], RunState.COMPLETED, "", 3),
        (True, [BrokenOffError, 200], RunState.COMPLETED, "", 2),
        (True, [503], RunState.FAILED, "status_503", 3),
        (True, [422], RunState.FAILED, "status_422", 1),
        (False, [503, 200], RunState.FAILED, "status_503", 1),
        (False, [BrokenOffError, 200], RunState.FAILED, UNKNOWN_OUTCOME, 1),
        (False, [302], RunState.FAILED, "status_302", 1),
    ],
)
async def test_only_what_may_be_repeated_is_tried_again_under_one_key(
    talk: Talk,
    database: Database,
    receiver: Receiver,
    repeatable: bool,
    answers: Sequence[int | type[Exception]],
    state: RunState,
    error: str,
    requests: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    answering(receiver, *answers)
    await new_task(database, talk.scope.team_id, booking(receiver, repeatable=repeatable))
    await talk.do("book_a_table", **MAY)
    (run,) = await talk.runs()
    assert (run.state, run.error, run.attempts) == (state, error, requests)
    assert len(receiver.requests) == requests
    assert "2026-05-15" not in caplog.text  # what was said is no line of a log (SEC20)
    assert {request.key for request in receiver.requests} == {run.id}


async def test_nothing_listens_so_nothing_was_sent_and_it_is_tried_again(
    talk: Talk, database: Database, receiver: Receiver, task_settings: Settings
) -> None:
    closed = await asyncio.start_server(receiver.connected, "127.0.0.1", 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    await closed.wait_closed()
    open_to = task_settings.model_copy(update={"outgoing_ports": [port]})
    async with Outgoing(open_to) as outgoing:
        runner = tasks.Runner(means(database, open_to, outgoing))
        trying = Talk(runner, talk.scope, talk.turns)
        config = booking(receiver, url=f"http://127.0.0.1:{port}/", repeatable=False)
        await new_task(database, talk.scope.team_id, config)
        step = await trying.do("book_a_table", **MAY)
        await runner.close()
    assert isinstance(step, tasks.Failed)
    (run,) = await talk.runs()
    assert (run.error, run.attempts) == ("not_reached", 3)


async def test_a_time_out_bounds_the_run_and_is_told_as_unknown(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    answering(receiver, 0)
    await new_task(database, talk.scope.team_id, booking(receiver), timeout_s=1)
    began = time.monotonic()
    step = await talk.do("book_a_table", **MAY)
    assert isinstance(step, tasks.Failed)
    assert "cannot tell" in step.reason
    assert time.monotonic() - began < 30
    (run,) = await talk.runs()
    assert run.error == UNKNOWN_OUTCOME


@pytest.mark.parametrize(
    "body",
    [
        "\x00\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "\x00",
        '{"a": "\\u0000 \\ud800"}',
        '{"price": NaN, "stock": [Infinity, 1e999]}',
        "[" * 60_000,
        "[" * 900 + "]" * 900,
        "x" * 500_000,
        '{"order": {"status": "' + "long " * 10_000 + '"}}',
    ],
    ids=["zero", "half a pair", "no number", "open", "deep", "long", "long value"],
)
async def test_any_answer_is_kept_within_bounds(
    talk: Talk, database: Database, receiver: Receiver, body: str
) -> None:
    async def answer(_: Request) -> tuple[int, str]:
        return 200, body

    receiver.answer = answer
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.do("book_a_table", **MAY)
    assert isinstance(step, tasks.Completed)
    assert len(step.answer) < 400
    assert len(str(step.data)) < 2_100
    (run,) = await talk.runs()
    assert len(run.response) <= 1_024


PRIVATE = ["https://169.254.169.254/latest/meta-data", "https://127.0.0.1/", "https://[::1]/"]


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_private_address_is_never_asked(
    talk: Talk, database: Database, receiver: Receiver, tmp_path: Path, url: str
) -> None:
    strict = Settings(home=str(tmp_path))
    async with Outgoing(strict) as outgoing:
        runner = tasks.Runner(means(database, strict, outgoing))
        trying = Talk(runner, talk.scope, talk.turns)
        await new_task(database, talk.scope.team_id, booking(receiver, url=url))
        step = await trying.do("book_a_table", **MAY)
        await runner.close()
    assert isinstance(step, tasks.Failed)
    (run,) = await talk.runs()
    assert run.error == "address_not_public"


async def test_a_defect_of_a_kind_fails_its_run_alone(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    async def act(_: tasks.Means, __: tasks.Order) -> tasks.Outcome:
        raise ZeroDivisionError

    broken: dict[str, Any] = {"title": "Broken", "description": "", "icon": "x"}
    http = next(each for each in tasks.BUILT_IN if each.name == "http")
    tasks.register(
        tasks.Kind(name="broken", config=http.config, effect=http.effect, outside=act, **broken)
    )
    await new_task(database, talk.scope.team_id, booking(receiver), kind="broken")
    step = await talk.do("book_a_table", **MAY)
    assert isinstance(step, tasks.Failed)
    (run,) = await talk.runs()
    assert run.error == UNKNOWN_OUTCOME
