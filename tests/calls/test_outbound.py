"""Calls that we start, on the simulated carrier, a real media process and our own server (C8)."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from exchange import CALLER, Exchange, exchange, until
from sounds import speech
from sqlalchemy import select

from offhook import numbers
from offhook.calls import reading, service, viewing
from offhook.calls.models import Call
from offhook.calls.outbound import dialling, rules, settings, starting
from offhook.calls.outbound.dialling import Dialler
from offhook.calls.outbound.rules import Machine
from offhook.calls.rules import CallState, End
from offhook.carriers import AnsweredBy, Carriers, Unreachable
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.people import Manner, Person
from offhook.db import Database
from offhook.failpoints import EXIT_STATUS
from offhook.phone import E164
from offhook.prices import Direction
from offhook.usage.models import Entry
from offhook.vault import open_vault

MESSAGE = "Your order is ready."
OPENING = "Hello, this is Ada, an automated assistant. Your order is ready."
THANKS = "Thank you, I will come today."


@pytest.fixture
async def here(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Exchange]:
    monkeypatch.setattr(rules, "RING_S", 2)
    async with exchange(database, tmp_path, words=(THANKS,)) as here:
        office = here.office
        async with office.database.team(office.team_id) as session:
            chosen = await settings.of(session, office.team_id, office.number_id)
            chosen.quiet_hours = False  # the test may run at night
            session.add(chosen)
        yield here


async def ask(here: Exchange, machine: Machine | None = None) -> Call:
    office = here.office
    async with office.database.team(office.team_id) as session:
        order = starting.Order(office.number_id, E164(CALLER), "usr_1", MESSAGE, machine)
        return await starting.start(session, office.team_id, order)


def dialler(here: Exchange) -> Dialler:
    database, web_url = here.office.database, here.settings.web_url
    return Dialler(database, here.carriers, here.voices, web_url=web_url)


async def entries(here: Exchange) -> list[tuple[str, str]]:
    async with here.office.database.team(here.office.team_id) as session:
        rows = await session.scalars(select(Entry).where(Entry.units != 0))
        return [(entry.direction, entry.subject_id) for entry in rows]


async def test_somebody_is_called_answers_and_talks_with_the_agent(here: Exchange) -> None:
    """One call of ours, outgoing minutes; the opening line first, and the agent knows why."""
    here.brain.replies.append("Until later, then.")
    call = await ask(here)
    assert (call.state, call.direction) == (CallState.DIALLING, Direction.OUTBOUND)
    assert await here.office.balance() == (0, 1)
    async with here.telephone(CALLER) as phone:
        await dialler(here).dial(call.team_id, call.id)
        rings = await phone.event("incoming")
        assert rings["from"] == here.office.e164
        assert OPENING in here.synthesiser.spoken  # nobody says "hello" into a silence
        await phone.say(type="answer", call=rings["call"])
        await here.says(OPENING)
        await phone.socket.send(speech(THANKS))
        await phone.socket.send(b"\xff" * 8000)
        await here.says("Until later, then.")
        briefing = here.brain.briefings[-1]
        assert MESSAGE in " ".join(briefing.notes)
        await phone.say(type="hang_up")
    done = await here.becomes(CallState.ENDED)
    assert (done.reason, done.carrier_call_id) == (End.CALLER_HUNG_UP, rings["call"])
    assert await here.office.balance() == (1, 0)
    assert await entries(here) == [("outbound", call.id)]
    for event in ("call.started", "call.answered", "call.ended"):
        assert await here.office.told(event) == 1
    assert [text for who, text in await here.turns() if who == "notice"] == []


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (Manner.BUSY, End.BUSY),
        (Manner.RINGS, End.NO_ANSWER),
        (Manner.UNREACHABLE, End.UNREACHABLE),
        (None, End.NO_ANSWER),
    ],
    ids=["busy", "rings", "unreachable", "nobody"],
)
async def test_a_call_that_nobody_takes_costs_nothing_and_says_why(
    here: Exchange, manner: Manner | None, reason: End
) -> None:
    if manner is not None:
        here.simulator.people.ask(Person(CALLER, manner))
    call = await ask(here)
    await dialler(here).dial(call.team_id, call.id)
    done = await here.becomes(CallState.ENDED)
    assert done.reason == reason
    assert await here.office.balance() == (0, 0)
    assert await here.office.told("call.answered") == 0


@pytest.mark.parametrize(
    ("manner", "policy", "reason", "left"),
    [
        (Manner.MACHINE, Machine.HANG_UP, End.ANSWERED_BY_MACHINE, False),
        (Manner.MACHINE, Machine.LEAVE_MESSAGE, End.MESSAGE_LEFT, True),
        (Manner.FAX, Machine.LEAVE_MESSAGE, End.ANSWERED_BY_MACHINE, False),
    ],
)
async def test_a_machine_is_hung_up_on_or_left_the_message_after_its_beep(
    here: Exchange, manner: Manner, policy: Machine, reason: End, left: bool
) -> None:
    here.simulator.people.ask(Person(CALLER, manner, beep_s=1.0))
    call = await ask(here, policy)
    await dialler(here).dial(call.team_id, call.id)
    done = await here.becomes(CallState.ENDED)
    assert done.reason == reason
    said = [text for who, text in await here.turns() if who == "agent"] or [""]
    assert said[-1].endswith(OPENING) is left
    assert said[-1].count(MESSAGE) <= 1 + left  # cut off by the beep, then whole, and no more


async def test_a_call_whose_answer_was_lost_is_found_at_the_carrier_not_made_twice(
    here: Exchange,
) -> None:
    """C8: the outcome is unknown; the next try adopts what the carrier has."""
    here.simulator.people.ask(Person(CALLER, Manner.RINGS))
    here.simulator.faults.ask(Fault("request", path="POST Calls.json", lose_answer=True))
    call = await ask(here)
    with pytest.raises(Unreachable):
        await dialler(here).dial(call.team_id, call.id)
    await dialler(here).dial(call.team_id, call.id)
    await dialler(here).dial(call.team_id, call.id)  # a job that is run once more
    done = await here.becomes(CallState.ENDED)
    assert done.reason == End.NO_ANSWER
    placed = await here.log("call_ringing")
    assert [each["direction"] for each in placed] == ["outbound-api"]


async def test_a_refusal_of_the_carrier_is_told_and_not_tried_again(here: Exchange) -> None:
    fault = Fault("request", path="POST Calls.json", status=400, code=21215)
    here.simulator.faults.ask(fault)
    call = await ask(here)
    await dialler(here).dial(call.team_id, call.id)
    done = await here.call()
    assert (done.state, done.reason) == (CallState.ENDED, End.UNREACHABLE)
    assert await here.office.balance() == (0, 0)
    assert await here.log("call_ringing") == []


async def test_without_a_voice_nobody_is_called(here: Exchange) -> None:
    """C8: as whoever calls us is not answered."""
    here.synthesiser.fails = True
    call = await ask(here)
    await dialler(here).dial(call.team_id, call.id)
    done = await here.call()
    assert (done.state, done.reason) == (CallState.ENDED, End.NO_VOICE)
    assert await here.office.balance() == (0, 0)
    assert await here.log("call_ringing") == []


async def test_who_answered_is_not_known_and_is_talked_to(here: Exchange) -> None:
    """C8: the carrier heard nothing that tells a person from a machine."""
    here.simulator.people.ask(Person(CALLER, Manner.SILENT))
    call = await ask(here, Machine.LEAVE_MESSAGE)
    await dialler(here).dial(call.team_id, call.id)
    await here.says(OPENING)

    async def is_shown() -> bool:
        async with here.office.database.team(call.team_id) as session:
            view = await viewing.view(session, call.team_id, call.id)
            heard = await reading.answered_by(session, call.team_id, [view.call])
        assert heard in ({}, {call.id: AnsweredBy.UNKNOWN})
        return (view.answered_by, view.outcome.title) == ("Not known", "Live")

    await until(is_shown)
    async with here.office.database.team(call.team_id) as session:
        await service.request_end(session, call.team_id, call.id, End.ENDED_BY_PERSON)
    assert (await here.becomes(CallState.ENDED)).reason == End.ENDED_BY_PERSON


async def test_a_call_is_ended_while_it_rings(here: Exchange) -> None:
    """I5, N9: at the carrier too, and it costs nothing."""
    call = await ask(here)
    async with here.telephone(CALLER) as phone:
        await dialler(here).dial(call.team_id, call.id)
        rings = await phone.event("incoming")
        async with here.office.database.team(call.team_id) as session:
            await service.request_end(session, call.team_id, call.id, End.ENDED_BY_PERSON)
        await dialler(here).cancel(call.team_id, call.id)
        assert (await phone.event("refused"))["call"] == rings["call"]
    done = await here.call()
    assert (done.state, done.reason) == (CallState.ENDED, End.CANCELLED)
    assert await here.office.balance() == (0, 0)


async def killed(here: Exchange, call: Call, step: str) -> int:
    """The exit status of a worker that dials and dies at this step: a copy of this process."""
    child = os.fork()
    if child:
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        return os.waitstatus_to_exitcode(status)
    os.environ["OFFHOOK_FAILPOINT"] = f"outbound.{step}"

    async def work() -> None:
        database = Database(here.office.database.url)
        lookup = numbers.account_lookup(database, open_vault(here.settings))
        carriers = Carriers(here.settings, lookup)
        worker = Dialler(database, carriers, here.voices, web_url=here.settings.web_url)
        await worker.dial(call.team_id, call.id)
        os._exit(0)

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    thread.join()
    os._exit(1)


@pytest.mark.kills
@pytest.mark.parametrize("step", ["claimed", "placed", "adopted"])
async def test_a_worker_that_dies_at_any_step_leaves_one_call(here: Exchange, step: str) -> None:
    """C8: the carrier's own log has one, it is settled once, and costs what it came to."""
    here.simulator.people.ask(Person(CALLER, Manner.RINGS))
    call = await ask(here)
    assert await killed(here, call, step) == EXIT_STATUS
    await dialler(here).dial(call.team_id, call.id)
    done = await here.becomes(CallState.ENDED)
    assert done.reason == End.NO_ANSWER
    assert len(await here.log("call_ringing")) == 1
    assert await here.office.balance() == (0, 0)
    assert await here.office.told("call.ended") == 1


async def test_the_second_of_two_calls_by_one_request_is_hung_up_when_it_is_answered(
    here: Exchange,
) -> None:
    """The carrier made the first one after all, and listed it too late."""
    call = await ask(here)
    async with here.office.database.system() as session:
        first = await service.get(session, call.team_id, call.id, lock=True)
        assert dialling.adopt(first, "CA" + "1" * 32)
        assert dialling.adopt(first, "CA" + "1" * 32)
        assert not dialling.adopt(first, "CA" + "2" * 32)
        assert await dialling.picked_up(session, first, "CA" + "2" * 32) is None
        assert first.state is CallState.DIALLING


async def test_the_last_minute_is_taken_before_the_carrier_is_asked(here: Exchange) -> None:
    """U4: two calls never share it."""
    await here.office.limit(1)
    await ask(here)
    with pytest.raises(starting.LimitReached):
        await ask(here)
    assert await here.office.balance() == (0, 1)
    assert len(await here.office.calls()) == 1
