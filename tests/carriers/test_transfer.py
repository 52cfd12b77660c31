"""A second leg at the simulated carrier, in Twilio's documents and callbacks (C6, WT4)."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from application import Application
from telephone import Phone, telephone

from offhook import carriers
from offhook.carriers import Callbacks, CallState, Carrier, Held, Search, twiml
from offhook.carriers.simulator.people import Manner, Person
from offhook.carriers.simulator.server import Simulator
from offhook.settings import Settings

CALLER = "+12025550142"
ANNA = "+12025550177"
TONE = bytes(range(160))
HUM = bytes(range(160))[::-1]


@pytest.fixture
async def caller(simulator: Simulator, settings: Settings) -> AsyncGenerator[Phone]:
    async with telephone(simulator, settings, CALLER) as phone:
        yield phone


@pytest.fixture
async def anna(simulator: Simulator, settings: Settings) -> AsyncGenerator[Phone]:
    async with telephone(simulator, settings, ANNA) as phone:
        yield phone


@pytest.fixture
async def held(carrier: Carrier, application: Application) -> Held:
    offer = (await carrier.search(Search(area_code="415", limit=1)))[0]
    callbacks = Callbacks(f"{application.url}/voice", "", f"{application.url}/ended")
    return await carrier.buy(offer.e164, order_tag="ord_1", callbacks=callbacks)


def leg(application: Application, held: Held, *, ring_s: int = 20, announced: bool = False) -> str:
    url = application.url
    application.answers["/announce"] = [
        twiml.announce("Bob is calling. Press 1.", accept_url=f"{url}/accept", wait_s=1)
    ]
    return twiml.dial(
        twiml.Leg(
            ANNA,
            caller_id=held.e164,
            ring_s=ring_s,
            answered_url=f"{url}/answered",
            announce_url=f"{url}/announce" if announced else "",
            machine_url="" if announced else f"{url}/machine",
        ),
        action_url=f"{url}/over",
    )


async def over(application: Application) -> carriers.DialEnded:
    """What the carrier says of the leg's end."""
    (callback,) = await application.wait_for("/over")
    assert callback.verified
    return carriers.parse_dial_ended(list(callback.fields.items()))


async def dials(caller: Phone, held: Held, application: Application, document: str) -> None:
    application.answers["/voice"] = [document]
    application.answers["/over"] = [twiml.say_and_hang_up("Back")]
    await caller.say(type="call", to=held.e164)
    await caller.event("answered")


async def test_both_hear_each_other_until_one_hangs_up(
    caller: Phone, anna: Phone, held: Held, application: Application, carrier: Carrier
):
    await dials(caller, held, application, leg(application, held))
    rings = await anna.event("incoming")
    assert rings["from"] == held.e164
    await caller.socket.send(HUM * 50)  # what is said to nobody is not heard later
    await anna.say(type="answer", call=rings["call"])
    await caller.event("joined")
    await caller.socket.send(TONE)
    await anna.hears(TONE)
    await anna.socket.send(TONE)
    await caller.hears(TONE)
    assert HUM not in anna.heard
    await anna.say(type="hang_up")
    ended = await over(application)
    assert (ended.outcome, ended.joined) == (CallState.COMPLETED, True)
    assert (ended.leg_id, ended.caller_state) == (rings["call"], CallState.IN_PROGRESS)
    assert (await caller.event("say"))["text"] == "Back"
    (answered,) = application.at("/answered")
    news = carriers.parse_leg_news(list(answered.fields.items()))
    assert (news.leg_id, news.parent_id) == (rings["call"], ended.call_id)
    record = await carrier.find_call(rings["call"])
    assert record is not None
    assert record.answered
    assert (record.parent_id, record.to) == (ended.call_id, ANNA)
    assert record.price_micros == 14_000
    around = record.created_at - timedelta(hours=1), record.created_at + timedelta(hours=1)
    listed = await carrier.list_calls(after=around[0], before=around[1])
    assert {call.carrier_id for call in listed} == {ended.call_id, rings["call"]}


@pytest.mark.parametrize(
    ("manner", "outcome"),
    [
        (Manner.BUSY, CallState.BUSY),
        (Manner.UNREACHABLE, CallState.FAILED),
        (Manner.RINGS, CallState.NO_ANSWER),
        (None, CallState.NO_ANSWER),
    ],
)
async def test_a_leg_that_is_not_answered_gives_the_caller_back(
    caller: Phone,
    held: Held,
    application: Application,
    simulator: Simulator,
    manner: Manner | None,
    outcome: CallState,
):
    if manner is not None:
        simulator.people.ask(Person(ANNA, manner))
    await dials(caller, held, application, leg(application, held, ring_s=1))
    ended = await over(application)
    assert (ended.outcome, ended.joined, ended.duration_s) == (outcome, False, 0)
    assert (await caller.event("say"))["text"] == "Back"
    assert application.at("/answered") == []


async def test_a_telephone_that_declines_is_busy(
    caller: Phone, anna: Phone, held: Held, application: Application
):
    await dials(caller, held, application, leg(application, held))
    rings = await anna.event("incoming")
    await anna.say(type="refuse", call=rings["call"])
    assert (await over(application)).outcome is CallState.BUSY


async def test_a_machine_that_answers_is_told(
    caller: Phone, held: Held, application: Application, simulator: Simulator
):
    simulator.people.ask(Person(ANNA, Manner.MACHINE, talks_s=1))
    await dials(caller, held, application, leg(application, held))
    (callback,) = await application.wait_for("/machine")
    assert callback.verified
    assert carriers.parse_leg_news(list(callback.fields.items())).machine
    assert (await over(application)).joined
    await caller.event("ended")


async def test_whoever_answers_hears_who_calls_and_accepts_by_a_key(
    caller: Phone, anna: Phone, held: Held, application: Application
):
    await dials(caller, held, application, leg(application, held, announced=True))
    rings = await anna.event("incoming")
    await anna.say(type="answer", call=rings["call"])
    assert (await anna.event("say"))["text"] == "Bob is calling. Press 1."
    await anna.say(type="dtmf", digits="1")
    (callback,) = await application.wait_for("/accept")
    news = carriers.parse_leg_news(list(callback.fields.items()))
    assert (news.digits, news.leg_id) == ("1", rings["call"])
    await caller.event("joined")
    await caller.say(type="hang_up")
    await anna.event("ended")


async def test_an_announcement_without_a_key_is_no_connection(
    caller: Phone, held: Held, application: Application, simulator: Simulator
):
    simulator.people.ask(Person(ANNA, Manner.MACHINE))
    await dials(caller, held, application, leg(application, held, announced=True))
    ended = await over(application)
    assert not ended.joined
    assert application.at("/accept") == []
    assert (await caller.event("say"))["text"] == "Back"


async def test_whoever_answers_after_the_caller_has_gone_finds_nobody(
    caller: Phone, anna: Phone, held: Held, application: Application, carrier: Carrier
):
    await dials(caller, held, application, leg(application, held))
    rings = await anna.event("incoming")
    await caller.say(type="hang_up")
    await application.wait_for("/ended")
    await anna.event("refused")
    await anna.say(type="answer", call=rings["call"])
    record = await carrier.find_call(rings["call"])
    assert record is not None
    assert (record.state, record.duration_s) == (CallState.CANCELED, 0)


async def test_the_carriers_limit_ends_both_legs(
    caller: Phone, anna: Phone, held: Held, application: Application, carrier: Carrier
):
    """U4: also while we are not in the call at all."""
    await dials(caller, held, application, leg(application, held))
    rings = await anna.event("incoming")
    await anna.say(type="answer", call=rings["call"])
    joined = await caller.event("joined")
    await carrier.limit_call(joined["call"], seconds=2)
    assert (await caller.event("ended"))["reason"] == "time limit"
    await anna.event("ended")


async def test_a_redirect_takes_the_caller_out_of_the_connection(
    caller: Phone, anna: Phone, held: Held, application: Application, carrier: Carrier
):
    await dials(caller, held, application, leg(application, held))
    rings = await anna.event("incoming")
    await anna.say(type="answer", call=rings["call"])
    joined = await caller.event("joined")
    await carrier.redirect(joined["call"], document=twiml.say_and_hang_up("Time is up"))
    assert (await caller.event("say"))["text"] == "Time is up"
    await anna.event("ended")
    await asyncio.sleep(0)
    assert application.at("/over") == []
