"""What every carrier does for us: the port's contract, held against the simulated Twilio."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from application import Application

from offhook.carriers import (
    Account,
    Callbacks,
    CallerName,
    CallOut,
    Carrier,
    Detection,
    Direction,
    Held,
    MessageState,
    NumberType,
    Refused,
    Registration,
    Search,
    SmsOut,
    Unreachable,
)
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.records import Change, apply
from offhook.carriers.simulator.server import Simulator
from offhook.carriers.twilio.adapter import TwilioCarrier
from offhook.carriers.twilio.transport import HttpxTransport
from offhook.phone import E164, is_toll_free

PERSON = E164("+12025550142")
NOWHERE = Callbacks()


async def bought(carrier: Carrier, tag: str = "ord_1", callbacks: Callbacks = NOWHERE) -> Held:
    offers = await carrier.search(Search(area_code="415", limit=1))
    return await carrier.buy(offers[0].e164, order_tag=tag, callbacks=callbacks)


@pytest.mark.parametrize(
    ("query", "prefix"),
    [
        (Search(), "+1"),
        (Search(area_code="415"), "+1415"),
        (Search(area_code="650"), "+1650"),
        (Search(country="CA", area_code="416"), "+1416"),
        (Search(country="GB", area_code="020"), "+4420"),
        (Search(country="GB", type=NumberType.MOBILE, sms=True), "+447"),
        (Search(country="DE", type=NumberType.MOBILE, sms=True), "+491"),
        (Search(country="FR", type=NumberType.LOCAL, voice=True), "+33"),
        (Search(country="AU", type=NumberType.TOLL_FREE), "+611800"),
        (Search(type=NumberType.TOLL_FREE, area_code="888"), "+1888"),
        (Search(digits="5501"), "+1"),
    ],
)
async def test_search_finds_what_was_asked_for(carrier: Carrier, query: Search, prefix: str):
    """A2: by country, type, area code or digits, and capability, each with its price."""
    offers = await carrier.search(query)
    assert 3 <= len(offers) <= 20
    assert len({offer.e164 for offer in offers}) == len(offers)
    for offer in offers:
        assert offer.e164.startswith(prefix)
        assert query.digits in offer.e164
        assert offer.type is query.type
        assert offer.monthly_price_micros > 500_000
        assert offer.currency == "USD"
        assert offer.capabilities.voice >= query.voice
        assert offer.capabilities.sms >= query.sms
        assert is_toll_free(offer.e164) == (query.type is NumberType.TOLL_FREE)


@pytest.mark.parametrize(
    "query",
    [
        Search(type=NumberType.MOBILE),
        Search(country="GB", type=NumberType.LOCAL, sms=True),
        Search(country="ZZ"),
        Search(area_code="999"),
        Search(digits="999999999"),
    ],
)
async def test_search_for_what_is_not_sold_is_empty(carrier: Carrier, query: Search):
    assert await carrier.search(query) == []


async def test_search_for_letters_is_refused(carrier: Carrier):
    with pytest.raises(Refused, match="20a"):
        await carrier.search(Search(area_code="20a"))


async def test_registrations_are_told_with_the_offer(carrier: Carrier):
    """A3: what must be registered before the number may send."""
    local = (await carrier.search(Search(limit=1)))[0]
    free = (await carrier.search(Search(type=NumberType.TOLL_FREE, limit=1)))[0]
    german = (await carrier.search(Search(country="DE", limit=1)))[0]
    assert local.registrations == (Registration.A2P,)
    assert free.registrations == (Registration.TOLL_FREE_VERIFICATION,)
    assert german.registrations == (Registration.ADDRESS,)


async def test_number_is_bought_found_configured_and_released(carrier: Carrier):
    """A5, N10: found by its tag, gone when released, and released twice is no error."""
    callbacks = Callbacks("http://x/voice", "http://x/sms", "http://x/status")
    held = await bought(carrier, "ord_7", callbacks)
    assert held.callbacks == callbacks
    assert await carrier.find("ord_7") == held
    assert await carrier.find("ord_") is None
    assert held.e164 not in {offer.e164 for offer in await carrier.search(Search(area_code="415"))}
    others = Callbacks(
        "http://y/voice", "http://y/sms", "http://y/status", "http://z/v", "http://z/s"
    )
    assert (await carrier.configure(held.carrier_id, others)).callbacks == others
    assert [each.callbacks for each in await carrier.list_numbers()] == [others]
    await carrier.release(held.carrier_id)
    await carrier.release(held.carrier_id)
    assert await carrier.find("ord_7") is None
    assert await carrier.list_numbers() == []


async def test_many_numbers_are_listed_beyond_a_page(carrier: Carrier):
    offers = [
        *await carrier.search(Search(area_code="415", limit=60)),
        *await carrier.search(Search(area_code="212", limit=60)),
    ]
    for index, offer in enumerate(offers):
        await carrier.buy(offer.e164, order_tag=f"ord_{index}", callbacks=NOWHERE)
    assert len(await carrier.list_numbers()) == len(offers) == 120


async def test_sold_number_is_refused(carrier: Carrier):
    held = await bought(carrier)
    with pytest.raises(Refused) as refusal:
        await carrier.buy(held.e164, order_tag="ord_2", callbacks=NOWHERE)
    assert refusal.value.carrier_code == 21422
    with pytest.raises(Refused):
        await carrier.buy(E164("+16502530000"), order_tag="ord_3", callbacks=NOWHERE)


async def test_purchase_with_lost_answer_is_found_by_its_tag(
    carrier: Carrier, simulator: Simulator
):
    """A5: the outcome is unknown, and the tag tells."""
    simulator.faults.ask(Fault("request", path="POST IncomingPhoneNumbers.json", lose_answer=True))
    with pytest.raises(Unreachable) as doubt:
        await bought(carrier, "ord_9")
    assert doubt.value.outcome_unknown
    assert (await carrier.find("ord_9")) is not None


async def test_text_is_delivered_and_reported(carrier: Carrier, application: Application):
    """S6: queued, sent, delivered, each by a signed callback."""
    held = await bought(carrier)
    sent = await carrier.send(
        SmsOut(held.e164, PERSON, "Hello 😀 O'Neill", f"{application.url}/status?n=O'Brien")
    )
    assert sent.state is MessageState.QUEUED
    callbacks = await application.wait_for("/status", 2)
    assert all(each.verified for each in callbacks)
    assert {each.fields["MessageStatus"] for each in callbacks} == {"sent", "delivered"}
    assert {each.fields["MessageSid"] for each in callbacks} == {sent.carrier_id}


@pytest.mark.parametrize(
    ("to", "code"), [("+15005550001", 21211), ("+15005550004", 21610), ("+15005550009", 21614)]
)
async def test_text_to_a_number_that_fails_is_refused(carrier: Carrier, to: str, code: int):
    held = await bought(carrier)
    with pytest.raises(Refused) as refusal:
        await carrier.send(SmsOut(held.e164, E164(to), "Hello"))
    assert refusal.value.carrier_code == code
    assert refusal.value.opted_out == (code == 21610)


async def test_failure_after_acceptance_is_reported(carrier: Carrier, application: Application):
    held = await bought(carrier)
    await carrier.send(SmsOut(held.e164, E164("+15005550010"), "Hi", f"{application.url}/status"))
    last = (await application.wait_for("/status", 2))[-1]
    assert (last.fields["MessageStatus"], last.fields["ErrorCode"]) == ("undelivered", "30003")


async def test_stopped_pair_is_refused_and_no_other(carrier: Carrier, simulator: Simulator):
    """SM1 (b): the carrier knows of a stop that we do not know of."""
    first, second = await bought(carrier, "a"), await bought(carrier, "b")
    await simulator.messages.opt_out(number=first.e164, contact=PERSON, stopped=True)
    with pytest.raises(Refused) as refusal:
        await carrier.send(SmsOut(first.e164, PERSON, "Hello"))
    assert refusal.value.opted_out
    await carrier.send(SmsOut(second.e164, PERSON, "Hello"))


@pytest.mark.parametrize("body", ["", "x" * 1601])
async def test_text_of_impossible_length_is_refused(carrier: Carrier, body: str):
    held = await bought(carrier)
    with pytest.raises(Refused):
        await carrier.send(SmsOut(held.e164, PERSON, body))


async def test_foreign_sender_is_refused(carrier: Carrier):
    with pytest.raises(Refused) as refusal:
        await carrier.send(SmsOut(E164("+16502530000"), PERSON, "Hello"))
    assert refusal.value.carrier_code == 21606


async def test_text_with_lost_answer_is_found(carrier: Carrier, simulator: Simulator):
    """faults.md a7: accepted, but we never heard of it."""
    held = await bought(carrier)
    before = datetime.now(UTC)
    simulator.faults.ask(Fault("request", path="POST Messages.json", lose_answer=True))
    with pytest.raises(Unreachable) as doubt:
        await carrier.send(SmsOut(held.e164, PERSON, "Once"))
    assert doubt.value.outcome_unknown
    found = await carrier.find_sent(sender=held.e164, to=PERSON, body="Once", after=before)
    assert found is not None
    assert found.body == "Once"
    later = before + timedelta(minutes=1)
    for body, after in (("Other", before), ("Once", later)):
        assert await carrier.find_sent(sender=held.e164, to=PERSON, body=body, after=after) is None


async def test_carriers_own_error_leaves_the_outcome_unknown(
    carrier: Carrier, simulator: Simulator
):
    held = await bought(carrier)
    simulator.faults.ask(Fault("request", path="POST Messages.json", status=503))
    with pytest.raises(Unreachable) as doubt:
        await carrier.send(SmsOut(held.e164, PERSON, "Hello"))
    assert doubt.value.outcome_unknown
    simulator.faults.ask(Fault("request", path="GET Messages.json", status=503))
    with pytest.raises(Unreachable) as doubt:
        await carrier.list_received(after=datetime.now(UTC))
    assert not doubt.value.outcome_unknown


async def test_slowed_down_request_was_not_carried_out(carrier: Carrier, simulator: Simulator):
    held = await bought(carrier)
    simulator.faults.ask(Fault("request", path="POST Messages.json", status=429, code=20429))
    with pytest.raises(Unreachable) as doubt:
        await carrier.send(SmsOut(held.e164, PERSON, "Hello"))
    assert not doubt.value.outcome_unknown


async def test_received_texts_can_be_listed(carrier: Carrier, simulator: Simulator):
    """faults.md a1: what a lost callback hid."""
    held = await bought(carrier)
    before = datetime.now(UTC)
    for body in ("one", "two"):
        await simulator.messages.receive(sender="68849", to=held.e164, body=body)
    received = await carrier.list_received(after=before, to=held.e164)
    assert [(each.sender, each.body) for each in received] == [("68849", "one"), ("68849", "two")]
    assert received[0].state is MessageState.RECEIVED
    assert await carrier.list_received(after=before, to=PERSON) == []


async def test_messages_of_a_span_are_listed_in_both_directions_with_their_price(
    carrier: Carrier, simulator: Simulator, application: Application
):
    """UC7: what the carrier charges for, whoever sent it."""
    held = await bought(carrier)
    after = datetime.now(UTC).replace(microsecond=0)
    await simulator.messages.receive(sender="68849", to=held.e164, body="in")
    long = SmsOut(held.e164, PERSON, "x" * 200, f"{application.url}/status")
    sent = await carrier.send(long)
    assert sent.price_micros is None
    await application.wait_for("/status", 2)
    before = after + timedelta(minutes=1)
    listed = await carrier.list_messages(after=after, before=before)
    by_way = {each.direction: each for each in listed}
    assert len(listed) == 2
    assert {each.ours for each in listed} == {held.e164}
    inbound, outbound = by_way[Direction.INBOUND], by_way[Direction.OUTBOUND]
    assert (inbound.sender, inbound.segments, inbound.price_micros) == ("68849", 1, 7_900)
    assert (outbound.carrier_id, outbound.segments) == (sent.carrier_id, 2)
    assert (outbound.price_micros, outbound.currency) == (16_600, "USD")
    assert await carrier.list_messages(after=before, before=before + timedelta(days=1)) == []
    day_before = after - timedelta(days=1)
    assert await carrier.list_messages(after=day_before, before=after) == []


async def test_lists_of_a_day_are_read_page_by_page(carrier: Carrier, simulator: Simulator):
    """UC7: every record, however many; a span is half-open, to the microsecond that we ask for."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def many(db: sqlite3.Connection) -> None:
        for index in range(1_050):
            at = format_datetime(noon + timedelta(seconds=index))
            fields = {"date_created": at, "start_time": at, "duration": "7", "status": "completed"}
            apply(
                db,
                simulator.accounts.operator.sid,
                Change("call", fields=fields | {"to": str(index)}),
            )

    await simulator.database.do(many)
    whole = await carrier.list_calls(after=noon, before=noon + timedelta(hours=1))
    assert [call.to for call in whole] == [str(index) for index in range(1_050)]
    part = await carrier.list_calls(
        after=noon + timedelta(seconds=1), before=noon + timedelta(seconds=3)
    )
    assert [call.to for call in part] == ["1", "2"]


async def test_second_leg_of_a_transfer_names_the_call_it_came_from(
    carrier: Carrier, simulator: Simulator, ours: Account
):
    """UM9."""
    now = datetime.now(UTC)
    leg = Change("call", fields={"parent_call_sid": "CA" + "1" * 32, "direction": "outbound-dial"})
    await simulator.database.do(lambda db: apply(db, ours.sid, leg))
    hour = timedelta(hours=1)
    [listed] = await carrier.list_calls(after=now - hour, before=now + hour)
    assert (listed.parent_id, listed.direction) == ("CA" + "1" * 32, Direction.OUTBOUND)


async def test_the_name_of_a_number_is_told_where_the_country_keeps_names(
    carrier: Carrier, simulator: Simulator
):
    """P2"""
    found = {await carrier.caller_name(E164(f"+1202555014{digit}")) for digit in range(8)}
    assert None in found
    assert CallerName("BAKER,ANN") in found
    assert any(each.business for each in found if each)
    asked = [each for each in await simulator.log() if each.event == "looked_up"]
    assert len(asked) == 8
    assert await carrier.caller_name(E164("+447712345678")) is None
    assert len([each for each in await simulator.log() if each.event == "looked_up"]) == 8


async def test_a_call_that_we_begin_is_placed_and_found_by_its_two_ends(
    carrier: Carrier, simulator: Simulator, ours: Account
):
    """C8: what the next try looks for after a doubt; a refusal names the carrier's code."""
    held = await bought(carrier)
    began = datetime.now(UTC)
    order = CallOut(
        held.e164, PERSON, "http://127.0.0.1:9/answered", "http://127.0.0.1:9/over",
        ring_s=1, detection=Detection.MESSAGE_END, machine_url="http://127.0.0.1:9/machine",
    )  # fmt: skip
    placed = await carrier.place_call(order)
    assert (placed.sender, placed.to, placed.state.final) == (held.e164, order.to, False)
    both = {"sender": held.e164, "to": order.to}
    [found] = await carrier.find_placed(**both, after=began)
    assert (found.carrier_id, found.direction) == (placed.carrier_id, Direction.OUTBOUND)
    assert await carrier.find_placed(**both, after=began + timedelta(minutes=1)) == []
    assert await carrier.find_placed(sender=order.to, to=held.e164, after=began) == []
    simulator.faults.ask(Fault("request", path="POST Calls.json", lose_answer=True))
    with pytest.raises(Unreachable) as failure:
        await carrier.place_call(order)
    assert failure.value.outcome_unknown
    assert len(await carrier.find_placed(**both, after=began)) == 2
    with pytest.raises(Refused) as refusal:
        await carrier.place_call(replace(order, sender=E164("+12025550999")))
    assert refusal.value.carrier_code == 21210


async def test_unknown_call_is_none_or_refused(carrier: Carrier):
    unknown = "CA" + "0" * 32
    assert await carrier.find_call(unknown) is None
    await carrier.hang_up(unknown)
    with pytest.raises(Refused):
        await carrier.redirect(unknown, document="<Response/>")
    with pytest.raises(Refused):
        await carrier.limit_call(unknown, seconds=10)


async def test_wrong_credentials_are_refused_with_a_remedy(simulator: Simulator, ours: Account):
    transport = HttpxTransport(origin=simulator.url)
    carrier = TwilioCarrier(account_sid=ours.sid, auth_token="wrong", transport=transport)
    with pytest.raises(Refused) as refusal:
        await carrier.find("x")
    assert "auth token" in refusal.value.remedy
    await carrier.aclose()


Network = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


async def _timed_out(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


async def _cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("", request=request)


async def _garbage(request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(0)
    return httpx.Response(200, text="<html>")


@pytest.mark.parametrize(
    ("network", "unknown"), [(_timed_out, True), (_cut, False), (_garbage, True)]
)
async def test_failures_of_the_network_say_what_may_have_happened(network: Network, unknown: bool):
    transport = HttpxTransport(transport=httpx.MockTransport(network))
    carrier = TwilioCarrier(account_sid="AC1", auth_token="x", transport=transport)
    with pytest.raises(Unreachable) as doubt:
        await carrier.send(SmsOut(PERSON, PERSON, "Hello"))
    assert doubt.value.outcome_unknown is unknown
    with pytest.raises(Unreachable) as doubt:
        await carrier.list_numbers()
    assert not doubt.value.outcome_unknown
    await carrier.aclose()


async def test_nothing_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    """No proxy, and no credentials but those given."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    seen: list[httpx.Request] = []

    async def network(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        seen.append(request)
        return httpx.Response(200, json={"incoming_phone_numbers": [], "page": 0})

    transport = HttpxTransport(transport=httpx.MockTransport(network))
    carrier = TwilioCarrier(account_sid="AC1", auth_token="x", transport=transport)
    assert await carrier.list_numbers() == []
    assert seen[0].url.host == "api.twilio.com"
    await carrier.aclose()
