"""Proposing, reading back, confirming and running in a conversation (T1, T3, T4, SEC9, SEC10)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from offhook import tasks
from offhook.db import Database, EventRow
from offhook.masking import masked
from offhook.tasks import records
from offhook.tasks.models import TaskRun
from offhook.tasks.rules import RunState
from offhook.teams import service as teams_service
from task_fixtures import (
    AGENT,
    ORDER_INPUT,
    Receiver,
    Request,
    Talk,
    booking,
    fine,
    new_task,
    new_team,
    other,
    sent,
)

MAY = {"party": 4, "day": "2026-05-15"}


async def test_a_side_effect_is_read_back_confirmed_and_done_once(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    assert "15 May" in step.readback
    assert "Party: 4" in step.readback
    assert receiver.requests == []
    talk.agent(step.readback)
    talk.caller("Yes, that's right.")
    done = await talk.confirm()
    assert isinstance(done, tasks.Completed)
    assert done.answer == "It is booked: on its way."
    (request,) = receiver.requests
    assert sent(request) == {"people": 4, "on": "2026-05-15", "note": "Note: "}
    assert request.key == done.run_id
    (run,) = await talk.runs()
    assert (run.state, run.attempts) == (RunState.COMPLETED, 1)
    assert run.request["url"] == f"{receiver.url}/bookings"
    assert run.response.startswith("200\n")
    assert isinstance(await talk.confirm(), tasks.Refused)
    assert len(receiver.requests) == 1


async def test_missing_inputs_are_asked_for_and_what_is_good_is_kept(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", party="four hundred", day="2026-06-31")
    assert isinstance(step, tasks.Incomplete)
    assert step.ask.name == "party"
    assert set(step.problems) == {"party", "day"}
    step = await talk.propose("book_a_table", party="4")
    assert isinstance(step, tasks.Incomplete)
    assert (step.ask.name, step.ask.question) == ("day", "For which day?")
    assert await (await talk.box()).current() == step
    step = await talk.propose("book_a_table", day="2026-05-15")
    assert isinstance(step, tasks.Unconfirmed)
    assert step.inputs == MAY


@pytest.mark.parametrize(
    ("agent", "caller", "because"),
    [
        ("", "", "not heard"),
        ("Do you like cats?", "Yes!", "not heard"),
        ("{readback}", "", "have not answered"),
        ("{readback}", "No, six people.", "did not say yes"),
        ("{readback}", "Yes, but for six people.", "did not say yes"),
        ("{readback}", "Yes, for six.", "did not say yes"),
        ("{readback}", "What does it cost?", "did not say yes"),
    ],
)
async def test_without_a_yes_to_the_read_back_nothing_runs(
    talk: Talk, database: Database, receiver: Receiver, agent: str, caller: str, because: str
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    if agent:
        talk.agent(agent.format(readback=step.readback))
    if caller:
        talk.caller(caller)
    refused = await talk.confirm()
    assert isinstance(refused, tasks.Refused)
    assert because in refused.reason
    assert receiver.requests == []


async def test_a_yes_in_the_reply_that_proposes_does_not_count(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    talk.caller("Yes yes, book it.")
    box = await talk.box()
    await box.propose("book_a_table", MAY)
    assert isinstance(await box.confirm(), tasks.Refused)
    assert receiver.requests == []


async def test_the_same_intent_again_is_named_and_asked_for_anew(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    assert isinstance(await talk.do("book_a_table", **MAY), tasks.Completed)
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    assert step.readback.startswith("I did that already at ")
    assert len(receiver.requests) == 1
    talk.agent(step.readback)
    talk.caller("Yes, once more please.")
    assert isinstance(await talk.confirm(), tasks.Completed)
    assert len({request.key for request in receiver.requests}) == 2


async def test_two_confirmations_at_once_run_it_once(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    talk.agent(step.readback)
    talk.caller("Yes.")
    steps = await asyncio.gather(talk.confirm(), talk.confirm(), talk.confirm())
    assert sum(isinstance(each, tasks.Completed) for each in steps) == 1
    assert len(receiver.requests) == 1


async def test_a_task_changed_after_the_read_back_is_read_back_again(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    task = await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    async with database.team(talk.scope.team_id) as session:
        await tasks.update(session, talk.scope.team_id, task.id, title="Order a table")
    talk.agent(step.readback)
    talk.caller("Yes.")
    again = await talk.confirm()
    assert isinstance(again, tasks.Unconfirmed)
    assert again.readback.startswith("Order a table")
    assert receiver.requests == []


async def test_a_read_back_that_was_proposed_again_keeps_its_turn(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    step = await talk.propose("book_a_table", **MAY)
    assert isinstance(step, tasks.Unconfirmed)
    talk.agent(step.readback)
    talk.caller("Yes.")
    assert await talk.propose("book_a_table", **MAY) == step
    assert isinstance(await talk.confirm(), tasks.Completed)


async def test_looking_something_up_runs_at_once_and_is_told_as_data(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    config = {"method": "GET", "url": f"{receiver.url}/orders/{{{{order}}}}"}
    await new_task(database, talk.scope.team_id, config, title="Order status", inputs=[ORDER_INPUT])
    step = await talk.propose("order_status", order="1,234")
    assert isinstance(step, tasks.Completed)
    assert step.data == {"order": {"status": "on its way"}}
    assert receiver.requests[0].target == "/orders/1234"


async def test_a_given_up_reply_does_not_stop_the_run_and_its_result_is_news(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    asked, going = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> tuple[int, str]:
        asked.set()
        await going.wait()
        return await fine(request)

    receiver.answer = slow
    await new_task(database, talk.scope.team_id, booking(receiver))
    reply = asyncio.create_task(talk.do("book_a_table", **MAY))
    await asked.wait()
    box = await talk.box()
    assert [offer.name for offer in await box.running()] == ["book_a_table"]
    reply.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reply
    going.set()
    await talk.runner.idle()
    (told,) = await box.news()
    assert isinstance(told.step, tasks.Completed)
    assert told.step.answer == "It is booked: on its way."
    await box.told([told.step.run_id])
    assert await box.news() == []
    assert await box.running() == []


async def test_a_failed_run_is_known_as_failed_and_announced(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    async def broken(_: Request) -> tuple[int, str]:
        return 422, '{"error": "closed"}'

    receiver.answer = broken
    await new_task(database, talk.scope.team_id, booking(receiver, failure="We are closed then."))
    step = await talk.do("book_a_table", **MAY)
    assert isinstance(step, tasks.Failed)
    assert step.reason == "We are closed then."
    async with database.team(talk.scope.team_id) as session:
        (event,) = (await session.scalars(select(EventRow))).all()
    assert event.name == "task.failed"
    assert event.payload["error"] == "status_422"
    assert event.conversation_id == "cnv_1"


async def test_a_channel_or_agent_without_the_task_does_not_get_it(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    team = talk.scope.team_id
    task = await new_task(database, team, booking(receiver), channels=[tasks.SMS])
    assert (await talk.box()).offers == []
    refused = await talk.propose(task.id, **MAY)
    assert refused == tasks.Refused("There is no such task.")
    texting = other(talk, conversation_id="cnv_2", channel=tasks.SMS)
    assert [offer.name for offer in (await texting.box()).offers] == ["book_a_table"]
    elsewhere = other(talk, conversation_id="cnv_3", agent_id="agt_other", channel=tasks.SMS)
    assert (await elsewhere.box()).offers == []


async def test_a_budget_ends_what_one_conversation_may_do(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver), max_runs=2)
    for people in (2, 3):
        assert isinstance(
            await talk.do("book_a_table", party=people, day="2026-05-15"), tasks.Completed
        )
    refused = await talk.propose("book_a_table", party=4, day="2026-05-15")
    assert isinstance(refused, tasks.Refused)
    assert len(receiver.requests) == 2
    again = other(talk, conversation_id="cnv_2")
    assert isinstance(await again.propose("book_a_table", **MAY), tasks.Unconfirmed)


async def test_personal_data_needs_a_proof_that_only_they_know(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    inputs = [ORDER_INPUT, {"name": "postcode", "type": "text", "proof": True}]
    config = {
        "method": "GET",
        "url": f"{receiver.url}/orders/{{{{order}}}}",
        "query": [{"name": "postcode", "value": "{{postcode}}"}],
    }
    await new_task(
        database, talk.scope.team_id, config, title="My order", inputs=inputs, personal=True
    )
    step = await talk.propose("my_order", order=7, postcode="94043")
    assert isinstance(step, tasks.Completed)
    for scope in (
        replace(talk.scope, conversation_id="cnv_2", caller=""),
        replace(talk.scope, conversation_id="cnv_3", attestation="failed-A"),
    ):
        hidden = Talk(talk.runner, scope)
        hidden.caller("Hello.")
        assert isinstance(await hidden.propose("my_order", order=7, postcode="1"), tasks.Refused)
    assert len(receiver.requests) == 1


HOSTILE = [
    {"party": 1e9, "day": "2026-05-15"},
    {"party": -1, "day": "2026-05-15"},
    {"party": "4; DROP TABLE tasks", "day": "2026-05-15"},
    {"party": {"$gt": 0}, "day": ["2026-05-15"]},
    {"party": True, "day": "2026-05-15"},
    {"party": float("nan"), "day": "2026-05-15"},
    {"party": 4, "day": "0001-01-01"},
    {"party": 4, "day": "' OR 1=1 --"},
    {"party": 4, "team_id": "team_other", "url": "http://169.254.169.254/"},
]


@pytest.mark.parametrize("inputs", HOSTILE, ids=str)
async def test_hostile_inputs_never_reach_a_run(
    talk: Talk, database: Database, receiver: Receiver, inputs: dict[str, object]
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    box = await talk.box()
    assert isinstance(await box.propose("book_a_table", inputs), tasks.Incomplete)
    assert isinstance(await box.confirm(), tasks.Refused)
    assert receiver.requests == []


async def test_another_teams_task_run_or_conversation_cannot_be_named(
    talk: Talk, runner: tasks.Runner, database: Database, receiver: Receiver
) -> None:
    theirs = await new_team(database)
    task = await new_task(database, theirs, booking(receiver))
    own = Talk(
        runner, tasks.Scope(theirs, AGENT, "cnv_9", tasks.CALL, "num_9", caller="+4930123456")
    )
    own.caller("Hello.")
    done = await own.do(task.id, **MAY)
    assert isinstance(done, tasks.Completed)
    box = await talk.box()
    for name in (task.id, "book_a_table", done.run_id, "*", "' OR ''='", "../tasks"):
        assert isinstance(await box.propose(name, MAY), tasks.Refused)
    await box.told([done.run_id])
    assert [news.step.run_id for news in await (await own.box()).news()] == [done.run_id]
    async with database.team(talk.scope.team_id) as session:
        with pytest.raises(records.RunNotFound):
            await records.get(session, talk.scope.team_id, done.run_id)
        assert (await session.scalars(select(TaskRun))).all() == []


CARD = "4242 4242 4242 4242"
PAY = [{"name": "card", "type": "text"}]


@pytest.mark.parametrize("hides", [True, False])
async def test_a_card_number_is_sent_and_kept_only_where_the_team_keeps_them(
    talk: Talk, database: Database, receiver: Receiver, hides: bool
) -> None:
    """SEC20: the read-back was heard although the turns that are kept hide the number."""
    team_id = talk.scope.team_id
    async with database.team(team_id) as session:
        await teams_service.change_team(session, team_id, mask_numbers=hides)
    config = booking(receiver, body={"card": "{{card}}"}, answer="Paid with {{card}}.")
    await new_task(database, team_id, config, title="Pay", inputs=PAY)
    step = await talk.propose("pay", card=CARD)
    assert isinstance(step, tasks.Unconfirmed)
    talk.agent(masked(step.readback) if hides else step.readback)
    talk.caller("Yes, please.")
    assert isinstance(await talk.confirm(), tasks.Completed)
    assert sent(receiver.requests[0]) == {"card": CARD}
    (run,) = await talk.runs()
    kept = [run.inputs["card"], run.request["body"], run.readback, run.answer]
    assert [CARD in str(each) for each in kept] == [not hides] * 4
    assert all("4242" in str(each) for each in kept)


async def test_a_proposal_that_nobody_answers_is_dropped_after_a_day(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    await new_task(database, talk.scope.team_id, booking(receiver))
    await talk.propose("book_a_table", **MAY)
    assert await talk.runner.forget() == 0
    async with database.team(talk.scope.team_id) as session:
        for run in await session.scalars(select(TaskRun)):
            run.proposed_at -= timedelta(days=1)
    assert await talk.runner.forget() == 1
    assert await (await talk.box()).current() is None


async def test_what_a_conversation_may_spend_is_bounded_whatever_the_brain_says(
    talk: Talk, database: Database, receiver: Receiver
) -> None:
    """T4, SEC9: the sum of a task's amounts in one conversation within a day."""
    inputs = [{"name": "amount", "type": "money"}]
    config = booking(receiver, body={"amount": "{{amount}}"}, answer="Refunded.")
    await new_task(
        database, talk.scope.team_id, config, title="Refund", inputs=inputs, max_money=100
    )
    for evil in (1e9, -5, "1e30", "0.001", float("nan"), [1]):
        step = await talk.propose("refund", amount=evil)
        assert isinstance(step, tasks.Refused | tasks.Incomplete)
    assert isinstance(await talk.do("refund", amount="$60.50"), tasks.Completed)
    step = await talk.propose("refund", amount=39.51)
    assert step == tasks.Refused("I may agree to no more than 100.00 in one conversation.")
    step = await talk.propose("refund", amount=39.5)
    assert isinstance(step, tasks.Unconfirmed)
    assert "Amount: 39.50" in step.readback
    elsewhere = other(talk, conversation_id="cnv_2")
    assert isinstance(await elsewhere.propose("refund", amount=100), tasks.Unconfirmed)
    assert [sent(each) for each in receiver.requests] == [{"amount": 60.5}]
