"""Tasks and memory in a thread: the same as on a call (T1, P3, P4)."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from message_fixtures import ANN, Shop
from offhook import contacts, inbox, messages, tasks
from offhook.agents.offline import OfflineBrain
from offhook.db import Jobs
from offhook.messages.rules import State
from offhook.outgoing import Outgoing
from offhook.phone import E164
from offhook.settings import Settings
from task_fixtures import Receiver, Request, booking, means, new_task, receiver, task_settings

__all__ = ["receiver", "task_settings"]


class Desk:
    """A shop whose agent has a task, answered without a key."""

    def __init__(self, shop: Shop, runner: tasks.Runner) -> None:
        self.shop = shop
        self.runner = runner

    async def says(self, text: str) -> str:
        """Ann texts, the worker answers; the text that went out last."""
        await self.shop.text(ANN, text)
        jobs = Jobs(self.shop.database)
        messages.register_jobs(
            jobs, self.shop.settings, self.shop.database, self.shop.carriers, OfflineBrain(),
            self.runner,
        )  # fmt: skip
        await jobs.run_due()
        return (await self.shop.sent_to(ANN))[-1]

    async def runs(self) -> list[tasks.TaskRun]:
        thread = (await self.shop.turns(ANN))[0].conversation_id
        async with self.shop.database.team(self.shop.team) as session:
            return list(await tasks.runs_of(session, self.shop.team, [thread]))


@pytest.fixture
async def desk(shop: Shop, receiver: Receiver, task_settings: Settings) -> AsyncGenerator[Desk]:
    for kind in tasks.BUILT_IN:
        tasks.register(kind)
    await new_task(
        shop.database, shop.team, booking(receiver), agent_id=shop.agent, phrases=["book a table"]
    )
    async with Outgoing(task_settings) as outgoing:
        runner = tasks.Runner(means(shop.database, task_settings, outgoing))
        yield Desk(shop, runner)
        await runner.close()


async def test_a_task_is_filled_read_back_and_done_by_text_t1(
    desk: Desk, receiver: Receiver
) -> None:
    assert "party" in await desk.says("I'd like to book a table")
    assert await desk.says("for 4 people") == "For which day?"
    assert (await desk.says("Friday")).endswith("Is that right?")
    assert receiver.requests == []
    assert "booked" in await desk.says("Yes please")
    assert len(receiver.requests) == 1
    [run] = await desk.runs()
    assert (run.state, run.inputs["party"]) == (tasks.RunState.COMPLETED, 4)
    assert run.told_at is not None


async def test_several_texts_in_a_row_fill_several_inputs_sm7(desk: Desk) -> None:
    await desk.shop.text(ANN, "I want to book a table")
    await desk.shop.text(ANN, "Friday")
    assert (await desk.says("for 4 people")).endswith("Is that right?")


async def test_a_run_that_another_process_does_is_waited_for_and_told_t3(
    desk: Desk, receiver: Receiver
) -> None:
    """As after a kill: the reply that began it is gone, and another process has taken it up."""
    asked, going = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> tuple[int, str]:
        asked.set()
        await going.wait()
        return 200, '{"order": {"status": "done"}}'

    receiver.answer = slow
    shop = desk.shop
    readback = await desk.says("I'd like to book a table for 4 people on Friday, party 4")
    first = (await shop.turns(ANN))[0]
    scope = tasks.Scope(
        shop.team, shop.agent, first.conversation_id, tasks.SMS, shop.number, caller=ANN
    )
    heard = [
        tasks.Turn(2, by_caller=False, text=readback),
        tasks.Turn(3, by_caller=True, text="Yes please"),
    ]
    elsewhere = await tasks.open_toolbox(desk.runner, scope, heard)
    doing = asyncio.create_task(elsewhere.confirm())
    await asked.wait()
    answer = asyncio.create_task(desk.says("Thanks"))
    for _ in range(500):  # until the reply is being thought of
        if any(message.state is State.DRAFT for message in await shop.messages()):
            break
        await asyncio.sleep(0.02)
    going.set()
    assert "booked" in await answer
    assert isinstance(await doing, tasks.Completed)
    assert len(receiver.requests) == 1


async def test_what_is_said_of_oneself_is_kept_with_its_turn_p3(desk: Desk) -> None:
    await desk.says("My name is Ann Lee and my email is ann@acme.com")
    shop = desk.shop
    async with shop.database.team(shop.team) as session:
        contact = await contacts.find(session, shop.team, E164(ANN))
        assert contact is not None
        known = await contacts.known(session, shop.team, contact.id)
        turn = (await shop.turns(ANN))[0]
    assert {each.key: each.text for each in known.values} == {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@acme.com",
    }
    assert {each.source for each in known.values} == {contacts.Source.AGENT}
    async with shop.database.team(shop.team) as session:
        memory = await inbox.remembered(session, shop.team, "cnv_other", contact.id)
    assert memory.known["First name"] == "Ann"
    assert memory.earlier[0].said[0].text == turn.text


async def test_a_value_set_by_hand_stays_p2(desk: Desk) -> None:
    shop = desk.shop
    await desk.says("Hello")
    async with shop.database.team(shop.team) as session:
        contact = await contacts.find(session, shop.team, E164(ANN))
        assert contact is not None
        await contacts.set_by_hand(
            session, shop.team, contact.id, {"first_name": "Anna"}, set_by="usr_1"
        )
    await desk.says("My name is Eve")
    async with shop.database.team(shop.team) as session:
        known = await contacts.known(session, shop.team, contact.id)
    assert {each.key: each.text for each in known.values}["first_name"] == "Anna"


async def test_who_hides_their_number_is_remembered_by_nobody_p5(desk: Desk) -> None:
    shop = desk.shop
    await desk.says("My email is ann@acme.com")
    async with shop.database.team(shop.team) as session:
        assert await inbox.remembered(session, shop.team, "cnv_other", None) == inbox.Memory()


async def test_a_thread_whose_question_nobody_can_answer_needs_a_person_i6(desk: Desk) -> None:
    shop = desk.shop
    await desk.says("Do you sell spare parts for submarines?")
    thread = (await shop.turns(ANN))[0].conversation_id
    async with shop.database.team(shop.team) as session:
        kept = await inbox.get(session, shop.team, thread)
        assert "submarines" in kept.person_needed
        await inbox.seen_to(session, shop.team, thread)
        assert (await inbox.get(session, shop.team, thread)).person_needed == ""
