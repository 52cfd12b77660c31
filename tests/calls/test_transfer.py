"""Transfers on the simulated carrier, a real media process and our own server (C6, WT4, UM9)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from exchange import ANNA, CALLER, GOODBYE, Exchange, exchange
from sounds import speech
from stage import HURRIED_MS
from telephone import Phone

from number_fixtures import BY
from offhook import costs, inbox, numbers
from offhook.agents import Speaker
from offhook.bookings import Hours
from offhook.calls.jobs import finish_recording
from offhook.calls.manners import service as manners
from offhook.calls.manners.rules import WhenClosed
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End
from offhook.calls.stopping import when_number_stopped
from offhook.calls.transfers.rules import Failure, TransferState
from offhook.carriers.simulator.people import Manner, Person
from offhook.db import Database
from offhook.numbers import stopping

QUESTION = "Can I talk to somebody?"
AFTERWARDS = "Are you open on Sunday morning?"
TONE = bytes(range(160))
NEVER = Hours(week=((),) * 7)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Exchange]:
    words = (QUESTION, AFTERWARDS)
    async with exchange(database, tmp_path, words=words, ms_per_word=HURRIED_MS) as here:
        yield here


@asynccontextmanager
async def asking(here: Exchange, *, announced: bool, ring_s: int = 25) -> AsyncGenerator[Phone]:
    """A caller who has just asked for somebody, and is heard."""
    await here.target(announced=announced, ring_s=ring_s)
    here.brain.replies.extend([here.hand_over(), "Yes, from eight to noon."])
    async with here.telephone(CALLER) as caller:
        await caller.say(type="call", to=here.office.e164)
        await caller.event("answered")
        await here.says("Hello!")
        await caller.socket.send(speech(QUESTION))
        await caller.socket.send(b"\xff" * 8000)
        yield caller


@pytest.mark.parametrize("announced", [True, False])
async def test_a_caller_is_put_through_and_the_minutes_go_on(
    here: Exchange, announced: bool
) -> None:
    """C6: heard to its end, then joined; UM9: one call of ours, the second leg is a cost."""
    async with asking(here, announced=announced) as caller, here.telephone(ANNA) as anna:
        rings = await anna.event("incoming")
        assert rings["from"] == here.office.e164
        assert ("agent", GOODBYE) in await here.turns()
        await anna.say(type="answer", call=rings["call"])
        if announced:
            said = (await anna.event("say"))["text"]
            assert said == "Ada has a call for you, from (202) 555-0147. To take it, press 1."
            await anna.say(type="dtmf", digits="1")
        await caller.event("joined")
        await anna.socket.send(TONE)
        await caller.hears(TONE)
        await here.transfer_becomes(TransferState.JOINED)
        assert here.told.runs == [("run_1", True, "Anna took the call.")]
        assert (await here.call()).state is CallState.TRANSFERRED
        await anna.say(type="hang_up")
        await caller.event("ended")
    call = await here.becomes(CallState.ENDED)
    assert call.reason == End.TRANSFER_OVER
    transfer = await here.transfer()
    assert (transfer.state, transfer.leg_id) == (TransferState.ENDED, rings["call"])
    assert await here.office.balance() == (1, 0)
    assert await here.office.told("call.transferred") == 1
    assert await here.office.told("call.answered") == 1
    assert await here.office.told("call.ended") == 1
    notices = [text for who, text in await here.turns() if who == "notice"]
    assert notices[:2] == ["The call is put through to Anna.", "Anna took the call."]
    async with here.office.database.team(call.team_id) as session:
        used = await costs.of_conversation(session, call.team_id, call.conversation_id)
    assert any("characters spoken" in line.what for line in used.lines)


@pytest.mark.parametrize(
    ("person", "announced", "failure", "said"),
    [
        (Person(ANNA, Manner.BUSY), False, Failure.BUSY, "the line of Anna is busy"),
        (Person(ANNA, Manner.BUSY), True, Failure.BUSY, "the line of Anna is busy"),
        (Person(ANNA, Manner.RINGS), False, Failure.NO_ANSWER, "Anna does not answer"),
        (Person(ANNA, Manner.UNREACHABLE), False, Failure.UNREACHABLE, "I can't reach Anna"),
        (Person(ANNA, Manner.MACHINE), False, Failure.MACHINE, "only reached a machine"),
        (Person(ANNA, keys="2"), True, Failure.NOT_ACCEPTED, "can't take the call now"),
    ],
    ids=["busy", "busy_announced", "rings", "unreachable", "machine", "declined"],
)
async def test_a_caller_who_is_not_put_through_is_back_with_the_same_agent(
    here: Exchange, person: Person, announced: bool, failure: Failure, said: str
) -> None:
    """WT4: told why, the agent remembers, the run has failed, the minutes went on."""
    here.simulator.people.ask(person)
    async with asking(here, announced=announced, ring_s=5) as caller:
        call = await here.becomes(CallState.LIVE, epoch=2)
        assert call.node_id == here.node.id
        await here.says(said)
        assert here.told.runs == [("run_1", False, here.told.runs[0][2])]
        caller.heard.clear()
        await caller.socket.send(speech(AFTERWARDS))
        await caller.socket.send(b"\xff" * 8000)
        await here.says("Yes, from eight to noon.")
        briefing = here.brain.briefings[-1]
        assert [(each.speaker, each.text) for each in briefing.history[:3]] == [
            (Speaker.AGENT, "This call is recorded. Hello!"),
            (Speaker.CALLER, QUESTION),
            (Speaker.AGENT, GOODBYE),
        ]
        assert said in briefing.history[3].text
        assert briefing.notes
        await caller.say(type="hang_up")
    call = await here.becomes(CallState.ENDED, epoch=2)
    assert call.reason == End.CALLER_HUNG_UP
    transfer = await here.transfer()
    assert (transfer.state, transfer.failure) == (TransferState.FAILED, failure)
    assert await here.office.balance() == (1, 0)
    assert await here.office.told("call.transferred") == 0
    assert await here.office.told("call.answered") == 1


async def test_outside_the_hours_a_forward_that_fails_takes_a_message(here: Exchange) -> None:
    """C6: on the same call, by the tone; a person is called for, and the agent's brain never is."""
    here.simulator.people.ask(Person(ANNA, Manner.BUSY))
    await here.target(announced=False)
    async with here.office.database.team(here.office.team_id) as session:
        await manners.change(
            session, here.office.team_id, here.office.number_id, BY,
            hours=NEVER, when_closed=WhenClosed.FORWARD, fallback_target_id=here.target_id,
        )  # fmt: skip
    async with here.telephone(CALLER) as caller:
        await caller.say(type="call", to=here.office.e164)
        await here.becomes(CallState.LIVE, epoch=2)
        await here.says(ENGLISH.nobody_there)
        await caller.socket.send(speech(QUESTION))
        await caller.socket.send(b"\xff" * 24_000)  # who leaves a message pauses to think
        await caller.event("ended")
    call = await here.becomes(CallState.ENDED, epoch=2)
    assert (call.reason, here.brain.briefings) == (End.AGENT_HUNG_UP, [])
    turns = await here.turns()
    assert ("notice", "The line of Anna was busy.") in turns
    assert ("caller", QUESTION) in turns
    assert ("agent", ENGLISH.message_taken) in turns
    async with here.office.database.team(call.team_id) as session:
        kept = await inbox.get(session, call.team_id, call.conversation_id)
    assert kept.person_needed
    assert await here.office.balance() == (1, 0)


async def test_the_recording_of_a_caller_who_is_back_is_one_file(here: Exchange) -> None:
    """C3: both connections, and silence between them."""
    here.simulator.people.ask(Person(ANNA, Manner.BUSY))
    async with asking(here, announced=False) as caller:
        await here.becomes(CallState.LIVE, epoch=2)
        await here.says("is busy")
        await caller.say(type="hang_up")
    call = await here.becomes(CallState.ENDED, epoch=2)
    await finish_recording(here.office.database, call.team_id, call.id)
    call = await here.call()
    assert call.recording == "ready"
    assert call.ended_at is not None
    lived_ms = (call.ended_at - call.answered_at).total_seconds() * 1000
    assert lived_ms - 4_000 < (call.recording_ms or 0) < lived_ms + 500  # it began after the notice
    assert await here.office.told("recording.ready") == 1


async def test_somebody_who_answers_after_the_caller_has_gone_finds_nobody(here: Exchange) -> None:
    """WT4."""
    async with asking(here, announced=False) as caller, here.telephone(ANNA) as anna:
        rings = await anna.event("incoming")
        await caller.say(type="hang_up")
        call = await here.becomes(CallState.ENDED)
        await anna.say(type="answer", call=rings["call"])
    assert call.reason == End.CALLER_HUNG_UP
    transfer = await here.transfer()
    assert (transfer.state, transfer.failure) == (TransferState.FAILED, Failure.CALLER_GONE)
    assert here.told.runs == [("run_1", False, "The caller hung up before Anna was there.")]
    assert await here.office.balance() == (1, 0)


async def test_a_caller_who_hangs_up_on_the_person_ends_both_legs(here: Exchange) -> None:
    async with asking(here, announced=False) as caller, here.telephone(ANNA) as anna:
        rings = await anna.event("incoming")
        await anna.say(type="answer", call=rings["call"])
        await here.transfer_becomes(TransferState.JOINED)
        await caller.say(type="hang_up")
        await anna.event("ended")
        call = await here.becomes(CallState.ENDED)
    assert call.reason == End.CALLER_HUNG_UP
    assert (await here.transfer()).state is TransferState.ENDED
    assert await here.office.balance() == (1, 0)


async def test_disabling_the_number_ends_a_talk_with_a_person(here: Exchange) -> None:
    """N9: within 2 s at most, while no media process is in the call."""
    numbers.when_stopped(when_number_stopped)
    try:
        async with asking(here, announced=False) as caller, here.telephone(ANNA) as anna:
            rings = await anna.event("incoming")
            await anna.say(type="answer", call=rings["call"])
            await here.transfer_becomes(TransferState.JOINED)
            await here.office.disable()
            async with asyncio.timeout(2):
                await caller.event("ended")
            await anna.event("ended")
    finally:
        stopping.forget(when_number_stopped)
    call = await here.becomes(CallState.ENDED)
    assert call.reason == End.NUMBER_DISABLED
    assert await here.office.balance() == (1, 0)
