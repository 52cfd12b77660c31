"""Calls end to end: a telephone, the simulated carrier, and an application that answers."""

import asyncio
import time
import wave
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from application import Application
from starlette.websockets import WebSocket, WebSocketDisconnect
from telephone import Phone, telephone
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from offhook import carriers
from offhook.carriers import (
    Callbacks,
    CallState,
    Carrier,
    Direction,
    Held,
    Refused,
    Search,
    streams,
    twiml,
)
from offhook.carriers.simulator import handset
from offhook.carriers.simulator.account import NotSimulated, handset_token
from offhook.carriers.simulator.server import Simulator
from offhook.phone import parse
from offhook.settings import Settings, secret_key

TONE = bytes(range(160))
PERSON = "+12025550142"


@pytest.fixture
async def phone(simulator: Simulator, settings: Settings) -> AsyncGenerator[Phone]:
    async with telephone(simulator, settings, PERSON) as phone:
        yield phone


@pytest.fixture
async def held(carrier: Carrier, application: Application) -> Held:
    offer = (await carrier.search(Search(area_code="415", limit=1)))[0]
    url = application.url
    callbacks = Callbacks(f"{url}/voice", f"{url}/sms", f"{url}/ended")
    return await carrier.buy(offer.e164, order_tag="ord_1", callbacks=callbacks)


def streaming(application: Application) -> str:
    return twiml.connect_stream(
        application.stream_url,
        parameters={"token": "t<&>'1"},
        action_url=f"{application.url}/action",
        status_url=f"{application.url}/stream-status",
    )


async def frames_until(socket: WebSocket, kind: type) -> list[streams.FromCarrier]:
    found: list[streams.FromCarrier] = []
    while True:
        frame = streams.parse_from_carrier(await socket.receive_text())
        assert frame is not None
        found.append(frame)
        if isinstance(frame, kind):
            return found


async def until_stop(socket: WebSocket) -> None:
    try:
        await frames_until(socket, streams.Stop)
    except WebSocketDisconnect:
        return


@pytest.mark.parametrize(
    ("document", "reason", "status"),
    [
        (twiml.reject("busy"), "busy", "busy"),
        (twiml.reject("rejected"), "rejected", "failed"),
        (500, "failed", "failed"),
        ("no XML", "failed", "failed"),
        ("<Response/>", "failed", "failed"),
    ],
)
async def test_call_that_is_not_answered_costs_nothing(
    phone: Phone,
    held: Held,
    application: Application,
    carrier: Carrier,
    document: str | int,
    reason: str,
    status: str,
):
    """C1: busy and rejected reach the caller as such; no minute is counted."""
    application.answers["/voice"] = [document]
    await phone.say(type="call", to=held.e164)
    await phone.event("ringing")
    refused = await phone.event("refused")
    assert refused["reason"] == reason
    ended = (await application.wait_for("/ended"))[0]
    assert ended.verified
    assert (ended.fields["CallStatus"], ended.fields["Duration"]) == (status, "0")
    call = carriers.parse_inbound_call(list(application.at("/voice")[0].fields.items()))
    assert (call.sender.value, call.to, call.state) == (PERSON, held.e164, CallState.RINGING)
    record = await carrier.find_call(call.call_id)
    assert record is not None
    assert (record.state, record.duration_s) == (CallState(status), 0)


async def test_call_to_nobodys_number_is_not_in_use(phone: Phone):
    await phone.say(type="call", to="+14155550199")
    assert (await phone.event("refused"))["reason"] == "not_in_use"


async def test_audio_flows_both_ways_and_marks_come_back_in_order(
    phone: Phone, held: Held, application: Application
):
    started: list[streams.FromCarrier] = []
    caller: list[bytes] = []

    async def script(socket: WebSocket) -> None:
        started.extend(await frames_until(socket, streams.Start))
        stream_id = next(f.stream_id for f in started if isinstance(f, streams.Start))
        for name in ("a", "b"):
            await socket.send_text(streams.dump_media(stream_id, TONE * 5))
            await socket.send_text(streams.dump(streams.SendMark(stream_id, name)))
        marks: list[str] = []
        while len(marks) < 2 or not any(payload == TONE for payload in caller):
            frame = streams.parse_from_carrier(await socket.receive_text())
            if isinstance(frame, streams.Mark):
                marks.append(frame.name)
            elif isinstance(frame, streams.Media):
                caller.append(frame.payload)
        assert marks == ["a", "b"]
        await socket.close()

    application.script = script
    application.answers["/voice"] = [streaming(application)]
    application.answers["/action"] = [twiml.hang_up()]
    await phone.say(type="call", to=held.e164)
    await phone.event("answered")
    await phone.socket.send(TONE)
    assert await phone.hear(1600) == TONE * 10
    ended = await phone.event("ended")
    assert ended["minutes"] == 1
    assert [type(frame) for frame in started] == [streams.Connected, streams.Start]
    assert isinstance(start := started[1], streams.Start)
    assert start.parameters == {"token": "t<&>'1"}
    assert application.at("/action")[0].verified
    assert application.at("/action")[0].fields["CallStatus"] == "in-progress"
    events = [each.fields["StreamEvent"] for each in application.at("/stream-status")]
    assert events == ["stream-started", "stream-stopped"]
    assert {len(payload) for payload in caller} == {160}


async def test_clear_drops_audio_and_returns_marks_at_once(
    phone: Phone, held: Held, application: Application, simulator: Simulator
):
    """CM2: eight seconds are handed over, and fall silent with the clear."""
    waited_s: list[float] = []

    async def script(socket: WebSocket) -> None:
        start = (await frames_until(socket, streams.Start))[-1]
        assert isinstance(start, streams.Start)
        await socket.send_text(streams.dump_media(start.stream_id, TONE * 400))
        for name in ("one", "two"):
            await socket.send_text(streams.dump(streams.SendMark(start.stream_id, name)))
        for _ in range(5):
            await frames_until(socket, streams.Media)
        before = time.monotonic()
        await socket.send_text(streams.dump(streams.Clear(start.stream_id)))
        for name in ("one", "two"):
            mark = (await frames_until(socket, streams.Mark))[-1]
            assert isinstance(mark, streams.Mark)
            assert mark.name == name
        waited_s.append(time.monotonic() - before)
        await socket.close()

    application.script = script
    application.answers["/voice"] = [streaming(application)]
    application.answers["/action"] = [twiml.hang_up()]
    await phone.say(type="call", to=held.e164)
    await phone.event("ended")
    report = next(each.data for each in await simulator.log() if each.event == "stream_ended")
    assert report["clears"] == 1
    assert report["marks"] == ["one", "two"]
    assert report["bytes_received"] == 64_000
    assert report["played_bytes"] < 32_000
    assert len(waited_s) == 1


async def test_keys_reach_the_stream(phone: Phone, held: Held, application: Application):
    digits: list[str] = []

    async def script(socket: WebSocket) -> None:
        while "".join(digits) != "12#":
            frame = (await frames_until(socket, streams.Dtmf))[-1]
            assert isinstance(frame, streams.Dtmf)
            digits.append(frame.digit)
        await socket.close()

    application.script = script
    application.answers["/voice"] = [streaming(application)]
    application.answers["/action"] = [twiml.say_and_hang_up("Bye")]
    await phone.say(type="call", to=held.e164)
    await phone.event("answered")
    await phone.say(type="dtmf", digits="12#x")
    assert (await phone.event("say"))["text"] == "Bye"
    await phone.event("ended")
    assert digits == ["1", "2", "#"]


async def test_hidden_caller_arrives_as_the_carrier_spells_it(
    phone: Phone, held: Held, application: Application
):
    """CI2, P5."""
    application.answers["/voice"] = [twiml.reject("busy")]
    await phone.say(type="call", to=held.e164, hidden=True, verstat="TN-Validation-Passed-A")
    await phone.event("refused")
    call = carriers.parse_inbound_call(list(application.at("/voice")[0].fields.items()))
    assert call.sender.e164 is None
    assert call.attestation == "A"


async def live_call(phone: Phone, held: Held, application: Application) -> str:
    application.script = until_stop
    application.answers["/voice"] = [streaming(application)]
    await phone.say(type="call", to=held.e164)
    return (await phone.event("answered"))["call"]


async def test_application_hangs_up_by_the_api(
    phone: Phone, held: Held, application: Application, carrier: Carrier
):
    call_id = await live_call(phone, held, application)
    await carrier.hang_up(call_id)
    assert (await phone.event("ended"))["reason"] == "ended by the API"
    await carrier.hang_up(call_id)
    record = await carrier.find_call(call_id)
    assert record is not None
    assert record.answered
    assert (record.duration_s, record.price_micros, record.currency) == (1, 8_500, "USD")
    assert (record.direction, record.ours) == (Direction.INBOUND, held.e164)
    whole_day = record.created_at - timedelta(hours=12), record.created_at + timedelta(hours=12)
    assert await carrier.list_calls(after=whole_day[0], before=whole_day[1]) == [record]
    with pytest.raises(Refused) as refusal:
        await carrier.redirect(call_id, document=twiml.hang_up())
    assert refusal.value.carrier_code == 21220


async def test_carrier_ends_the_call_at_its_limit(
    phone: Phone, held: Held, application: Application, carrier: Carrier
):
    """U4's second wall."""
    call_id = await live_call(phone, held, application)
    await carrier.limit_call(call_id, seconds=1)
    ended = await phone.event("ended")
    assert (ended["reason"], ended["minutes"]) == ("time limit", 1)


async def test_redirect_takes_the_call_to_another_document(
    phone: Phone, held: Held, application: Application, carrier: Carrier
):
    call_id = await live_call(phone, held, application)
    await carrier.redirect(call_id, document=twiml.say_and_hang_up("Sorry"))
    assert (await phone.event("say"))["text"] == "Sorry"
    await phone.event("ended")


async def test_lost_socket_asks_the_action_how_to_go_on(
    phone: Phone, held: Held, application: Application
):
    """faults.md, live call when a media worker dies: error, then the action's document."""

    async def script(socket: WebSocket) -> None:
        await frames_until(socket, streams.Media)
        await socket.close(1011)

    application.script = script
    application.answers["/voice"] = [streaming(application)]
    application.answers["/action"] = [twiml.say_and_hang_up("Bye")]
    await phone.say(type="call", to=held.e164)
    await phone.event("say")
    await phone.event("ended")
    status = [each.fields["StreamEvent"] for each in application.at("/stream-status")]
    assert status == ["stream-started", "stream-error", "stream-stopped"]


async def test_caller_who_hangs_up_ends_the_stream(
    phone: Phone, held: Held, application: Application
):
    await live_call(phone, held, application)
    await phone.say(type="hang_up")
    await phone.event("ended")
    ended = (await application.wait_for("/ended"))[0]
    assert (ended.fields["CallStatus"], ended.fields["Duration"]) == ("completed", "1")


async def test_telephone_that_vanishes_ends_its_call(
    phone: Phone, held: Held, application: Application
):
    await live_call(phone, held, application)
    await phone.socket.close()
    assert (await application.wait_for("/ended"))[0].fields["CallStatus"] == "completed"


async def test_texts_go_both_ways(
    phone: Phone, held: Held, application: Application, carrier: Carrier
):
    """S1: signed callback in, reply out, on the telephone's screen."""
    await phone.say(type="text", to=held.e164, body="Open on Sunday? \0 O'Neill")
    await phone.event("text_sent")
    callback = (await application.wait_for("/sms"))[0]
    assert callback.verified
    sms = carriers.parse_inbound_sms(list(callback.fields.items()))
    assert (sms.sender.value, sms.body) == (PERSON, "Open on Sunday? \ufffd O'Neill")
    await carrier.send(carriers.SmsOut(held.e164, parse(PERSON), "Yes, 10 to 4."))
    text = await phone.event("text")
    assert (text["from"], text["body"]) == (held.e164, "Yes, 10 to 4.")


async def test_lost_callback_is_tried_again_and_then_kept(
    phone: Phone, held: Held, application: Application, simulator: Simulator
):
    """The overrides of our URLs ask for two retries on an error."""
    application.answers["/sms"] = [500, 503, ""]
    await phone.say(type="text", to=held.e164, body="Hello")
    callbacks = await application.wait_for("/sms", 3)
    assert len({each.fields["MessageSid"] for each in callbacks}) == 1
    results = [e.data["result"] for e in await simulator.log() if e.event == "callback"]
    assert results[:2] == ["5xx", "5xx"]


async def test_document_may_answer_a_text(phone: Phone, held: Held, application: Application):
    application.answers["/sms"] = ["<Response><Message>Hi &amp; bye</Message></Response>"]
    await phone.say(type="text", to=held.e164, body="Hello")
    assert (await phone.event("text"))["body"] == "Hi & bye"


@pytest.mark.parametrize(
    "message", ["", "{", "[]", '{"type":"x"}', '{"type":"text","to":"+1"}', '{"type":"call"}']
)
async def test_rubbish_from_a_telephone_is_answered(phone: Phone, message: str):
    await phone.socket.send(message)
    await phone.event("error", "refused")


async def test_telephone_without_a_valid_token_is_refused(simulator: Simulator, settings: Settings):
    secret = secret_key(settings)
    now = int(time.time())
    good = handset_token(secret, PERSON, now_s=now)
    url = simulator.url.replace("http", "ws", 1)
    others = ["", "x.y", good[:-2], handset_token(b"other", PERSON, now_s=now)]
    for token in [*others, handset_token(secret, PERSON, now_s=now - 4_000)]:
        with pytest.raises(InvalidStatus):
            await connect(f"{url}/handset?token={token}", proxy=None)
    with pytest.raises(InvalidStatus):
        await connect(
            f"{url}/handset?token={good}", proxy=None, origin=Origin("https://evil.example")
        )
    async with connect(f"{url}/handset?token={good}", proxy=None, origin=Origin(settings.web_url)):
        pass


def at_simulator(settings: Settings, simulator: Simulator) -> Settings:
    port = int(simulator.url.rsplit(":", 1)[1])
    return settings.model_copy(update={"simulator_port": port})


async def test_command_line_texts_and_shows_the_reply(
    settings: Settings, simulator: Simulator, held: Held, application: Application
):
    application.answers["/sms"] = ["<Response><Message>Yes</Message></Response>"]
    shown: list[str] = []
    replies = await handset.send_text(
        at_simulator(settings, simulator), held.e164, "Open?", show=shown.append
    )
    assert replies == shown == ["Yes"]


async def test_command_line_names_what_is_wrong(
    settings: Settings, simulator: Simulator, held: Held, application: Application
):
    there = at_simulator(settings, simulator)
    with pytest.raises(handset.TextRefused, match="not in use"):
        await handset.send_text(there, "+14155550199", "Hi")
    with pytest.raises(handset.CallRefused, match="not in use"):
        await handset.place_call(there, "+14155550199")
    application.answers["/voice"] = [twiml.reject("busy")]
    with pytest.raises(handset.CallRefused, match="busy"):
        await handset.place_call(there, held.e164)
    gone = settings.model_copy(update={"simulator_port": 1})
    with pytest.raises(handset.SimulatorUnavailable):
        await handset.send_text(gone, held.e164, "Hi")
    real = settings.model_copy(update={"carrier": "twilio"})
    with pytest.raises(NotSimulated):
        await handset.place_call(real, held.e164)


async def test_command_line_calls_speaks_and_saves_both_channels(
    settings: Settings, simulator: Simulator, held: Held, application: Application, tmp_path: Path
):
    """The other side speaks, we play a file after its pause, and both are in the recording."""
    loud = bytes([0x00, 0x80] * 80)

    async def script(socket: WebSocket) -> None:
        start = (await frames_until(socket, streams.Start))[-1]
        assert isinstance(start, streams.Start)
        await socket.send_text(streams.dump_media(start.stream_id, loud * 20))
        heard = streams.SILENCE
        while heard == streams.SILENCE:
            media = (await frames_until(socket, streams.Media))[-1]
            assert isinstance(media, streams.Media)
            heard = media.payload
        await socket.send_text(streams.dump_media(start.stream_id, loud * 20))
        await until_stop(socket)

    application.script = script
    application.answers["/voice"] = [streaming(application)]
    source, target = tmp_path / "said.wav", tmp_path / "call.wav"
    with wave.open(str(source), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x00\x40\x00\x40" * 8 + b"\x00\xc0\x00\xc0" * 8)
    shown: list[str] = []
    there = at_simulator(settings, simulator)
    calling = asyncio.create_task(
        handset.place_call(there, held.e164, wav=source, save=target, show=shown.append)
    )
    await application.wait_for("/stream-status")
    await asyncio.wait_for(calling, 40)
    assert shown[:2] == ["Ringing", "Answered"]
    assert shown[-2].startswith("Ended after")
    with wave.open(str(target)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8_000)
        assert file.getnframes() > 8_000
