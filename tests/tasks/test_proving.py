"""A code by text proves a number; nothing that a brain hands over does (SEC10)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from offhook import tasks
from offhook.db import Database, Session
from offhook.errors import Invalid
from offhook.tasks import proving
from offhook.tasks.models import TextedCode
from task_fixtures import ORDER_INPUT, Receiver, Talk, new_task, other


@dataclass(slots=True)
class Texts:
    """Who texts codes: they come to the phone whose number it is."""

    codes: list[str] = field(default_factory=list[str])
    refuses: bool = False

    async def text(self, session: Session, scope: tasks.Scope, code: str) -> None:
        if self.refuses:
            raise Invalid("No texts today.")
        self.codes.append(code)


@pytest.fixture
def texts() -> Iterator[Texts]:
    texts, before = Texts(), proving.Texting.sender
    tasks.texts_codes_by(texts.text)
    yield texts
    proving.Texting.sender = before


@pytest.fixture
async def order(talk: Talk, database: Database, receiver: Receiver) -> str:
    """A task that tells of somebody's own order."""
    config = {"method": "GET", "url": f"{receiver.url}/orders/{{{{order}}}}"}
    task = await new_task(
        database, talk.scope.team_id, config, title="My order", inputs=[ORDER_INPUT],
        personal=True, by_code=True, confirm=False,
    )  # fmt: skip
    return task.name


def asks(step: tasks.Step) -> str:
    """It asks for the code; what was wrong with the one before."""
    assert isinstance(step, tasks.Incomplete), step
    assert step.ask == proving.INPUT
    return step.problems.get(proving.INPUT.name, "")


@pytest.mark.parametrize("spoken", ["{}", "It's {0[0]} {0[1]} {0[2]}, {0[3]}{0[4]}{0[5]}."])
async def test_a_code_that_is_told_back_opens_the_task(
    talk: Talk, order: str, texts: Texts, receiver: Receiver, spoken: str
) -> None:
    step = await talk.propose(order)
    assert isinstance(step, tasks.Incomplete)
    assert step.ask.name == "order"
    assert texts.codes == []
    assert asks(await talk.propose(order, order=7)) == ""
    (code,) = texts.codes
    current = await (await talk.box()).current()
    assert isinstance(current, tasks.Incomplete)
    assert current.ask == proving.INPUT
    talk.caller(spoken.format(code))
    assert isinstance(await talk.propose(order, texted_code="whatever"), tasks.Completed)
    assert [each.target for each in receiver.requests] == ["/orders/7"]
    (run,) = await talk.runs()
    assert run.inputs == {"order": 7}
    assert isinstance(await talk.propose(order, order=8), tasks.Completed)  # it holds for a while
    assert len(texts.codes) == 1


async def test_a_brain_that_knows_the_code_is_not_believed(
    talk: Talk, order: str, texts: Texts, receiver: Receiver
) -> None:
    """Only what the other side says counts: a model in an attacker's hands could say anything."""
    await talk.propose(order, order=7)
    talk.agent(f"Is it {texts.codes[0]}?")
    assert asks(await talk.propose(order, texted_code=texts.codes[0])) == ""
    assert receiver.requests == []


async def test_five_wrong_codes_make_another_and_three_are_sent_in_a_day(
    talk: Talk, order: str, texts: Texts, receiver: Receiver
) -> None:
    step = await talk.propose(order, order=7)
    for sent in range(1, proving.MAX_CODES + 1):
        for _ in range(proving.MAX_TRIES):
            assert len(texts.codes) == sent
            talk.caller(" or ".join(_wrong(texts.codes[-1])))
            step = await talk.propose(order)
            if isinstance(step, tasks.Incomplete):
                assert asks(step) == proving.WRONG
    assert step == tasks.Refused(proving.NOT_TEXTED)
    talk.caller(texts.codes[0])
    assert isinstance(await talk.propose(order, order=7), tasks.Refused)
    assert len(texts.codes) == proving.MAX_CODES
    assert receiver.requests == []


def _wrong(code: str) -> list[str]:
    """More guesses than a turn may hold, the right one last."""
    return [str((int(code) + more) % 900_000 + 100_000) for more in (1, 2, 3)] + [code]


async def test_a_code_counts_in_its_conversation_and_its_time_alone(
    talk: Talk, order: str, texts: Texts, database: Database
) -> None:
    await talk.propose(order, order=7)
    elsewhere = other(talk, conversation_id="cnv_2")
    elsewhere.caller(texts.codes[0])
    assert asks(await elsewhere.propose(order, order=7)) == ""
    assert len(texts.codes) == 2
    talk.caller(texts.codes[0])
    await _age(database, talk.scope.team_id, proving.LASTS)
    assert asks(await talk.propose(order)) == ""
    talk.caller(texts.codes[2])
    assert isinstance(await talk.propose(order), tasks.Completed)
    await _age(database, talk.scope.team_id, proving.HOLDS)
    assert isinstance(await talk.propose(order, order=8), tasks.Refused)  # three were sent
    assert await talk.runner.forget() == 0
    await _age(database, talk.scope.team_id, proving.DAY)
    await talk.runner.forget()
    async with database.team(talk.scope.team_id) as session:
        assert await session.scalar(select(func.count()).select_from(TextedCode)) == 0


async def _age(database: Database, team_id: str, time: timedelta) -> None:
    async with database.team(team_id) as session:
        for row in await session.scalars(select(TextedCode)):
            row.sent_at -= time
            row.proven_at = row.proven_at and row.proven_at - time


async def test_the_yes_counts_only_while_the_code_does(
    talk: Talk, database: Database, receiver: Receiver, texts: Texts
) -> None:
    config = {"method": "POST", "url": f"{receiver.url}/orders"}
    await new_task(
        database, talk.scope.team_id, config, title="Cancel", inputs=[ORDER_INPUT],
        personal=True, by_code=True,
    )  # fmt: skip
    await talk.propose("cancel", order=7)
    talk.caller(texts.codes[0])
    step = await talk.propose("cancel")
    assert isinstance(step, tasks.Unconfirmed)
    talk.agent(step.readback)
    talk.caller("Yes, please.")
    await _age(database, talk.scope.team_id, proving.HOLDS)
    assert asks(await talk.confirm()) == ""
    assert receiver.requests == []


async def test_where_no_code_can_be_texted_the_task_is_refused_in_words(
    talk: Talk, order: str, texts: Texts
) -> None:
    texts.refuses = True
    assert await talk.propose(order, order=7) == tasks.Refused(proving.NOT_TEXTED)
    for scope in (
        replace(talk.scope, conversation_id="cnv_2", caller=""),
        replace(talk.scope, conversation_id="cnv_3", attestation="failed-A"),
    ):
        hidden = Talk(talk.runner, scope)
        hidden.caller("Hello.")
        texts.refuses = False
        assert isinstance(await hidden.propose(order, order=7), tasks.Refused)
    assert texts.codes == []


@pytest.mark.parametrize(
    ("said", "language", "found"),
    [
        ("482917", "en", ["482917"]),
        ("My code is 482-917, thanks.", "en", ["482917"]),
        ("four eight two nine one seven", "en", ["482917"]),
        ("forty-eight twenty-nine seventeen", "en", ["482917"]),
        ("four oh two nine one seven", "en", ["402917"]),
        ("vier acht zwei neun eins sieben", "de-DE", ["482917"]),
        ("quatre huit deux neuf un sept", "fr", ["482917"]),
        ("cuatro ocho dos nueve uno siete", "es", ["482917"]),
        ("482917, that is 482917", "xx", ["482917"]),
        ("482917 or 482918 or 482919", "en", ["482917", "482918"]),
        ("48291 and 4829177", "en", []),
        ("I did not get one", "en", []),
    ],
)
def test_how_a_code_may_be_told(said: str, language: str, found: list[str]) -> None:
    assert proving.codes_in(said, language) == found
