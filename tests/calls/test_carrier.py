"""The carrier's callbacks about calls, through the application: verified, answered, once."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from network import STATUS, VOICE, Network, network_of, status_form
from office import CALLER, SECRET, Office, next_sid, open_office, voice_form
from outage import Outage
from stage import ToneSynthesiser

from number_fixtures import bring
from offhook import carriers
from offhook.calls import carrier
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End, Refusal
from offhook.calls.tokens import stream_token
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import VoiceCache
from offhook.supervisor import EmbeddedPostgres
from offhook.vault import open_vault


@pytest.fixture
def voice() -> ToneSynthesiser:
    return ToneSynthesiser()


@pytest.fixture
async def network(
    settings: Settings, database: Database, voice: ToneSynthesiser, tmp_path: Path
) -> AsyncIterator[Network]:
    async with network_of(settings, database, VoiceCache(voice, tmp_path / "voice")) as network:
        yield network


@pytest.fixture
async def office(database: Database) -> Office:
    return await open_office(database)


async def test_a_call_is_answered_with_a_stream_and_its_token(
    network: Network, office: Office, voice: ToneSynthesiser, settings: Settings
) -> None:
    """What is said first is made before the carrier is told to answer."""
    answer = await network.post(VOICE, voice_form(office.e164))
    (call,) = await office.calls()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert '<Stream url="ws://127.0.0.1:1/stream">' in answer.text
    assert f'name="call" value="{call.id}"' in answer.text
    assert f'name="token" value="{stream_token(SECRET, call.id, 1)}"' in answer.text
    action = f"{settings.web_url}/carriers/twilio/stream-ended/{call.id}"
    assert f'<Connect action="{action}">' in answer.text
    assert "Pause" not in answer.text  # CM4
    assert voice.spoken == ["This call is recorded.", "Hello!"]


async def test_a_callback_told_twice_gets_the_same_answer(network: Network, office: Office) -> None:
    """UM10, SEC2."""
    form = voice_form(office.e164)
    first, second = await network.post(VOICE, form), await network.post(VOICE, form)
    assert first.text == second.text
    assert await office.balance() == (0, 1)


@pytest.mark.parametrize("caller", [CALLER, "anonymous"])
async def test_a_call_over_the_limit_is_told_busy(
    network: Network, office: Office, caller: str
) -> None:
    """UL4: never a verb but Reject, so that the caller pays nothing."""
    await office.limit(1)
    await office.admitted("+12025550101")
    answer = await network.post(VOICE, voice_form(office.e164, caller))
    assert '<Response><Reject reason="busy"/></Response>' in answer.text


async def test_a_disabled_and_a_strangers_number_are_rejected(
    network: Network, office: Office
) -> None:
    await office.disable()
    for number in (office.e164, "+14155559999"):
        answer = await network.post(VOICE, voice_form(number))
        assert '<Response><Reject reason="rejected"/></Response>' in answer.text


async def test_without_a_voice_for_the_greeting_the_caller_hears_busy(
    network: Network, office: Office, voice: ToneSynthesiser
) -> None:
    voice.fails = True
    answer = await network.post(VOICE, voice_form(office.e164))
    assert '<Response><Reject reason="busy"/></Response>' in answer.text
    (call,) = await office.calls()
    assert call.reason == Refusal.OUR_FAULT


async def test_calls_of_a_teams_own_account_are_signed_by_it_alone(
    network: Network, office: Office, settings: Settings
) -> None:
    """A7, SEC1: by our record of the number, and of the call once there is one."""
    call = await office.live()  # of the operator's account, until the number is the team's own
    own = carriers.Account("AC" + "7" * 32, "7" * 32)
    done = status_form(call.carrier_call_id, "completed")
    ended = f"/carriers/twilio/stream-ended/{call.call_id}"
    assert await network.signed_by(own.token, STATUS, done) == 403
    await bring(office.database, open_vault(settings), office.team_id, office.number_id, own)
    for path, fields in ((VOICE, voice_form(office.e164)), (ended, done), (STATUS, done)):
        assert (await network.post(path, fields)).status_code == 403
        assert await network.signed_by(own.token, path, fields) == 200
    stranger = voice_form("+14155550100")  # nobody's: the operator's to answer for
    assert await network.signed_by(own.token, VOICE, stranger) == 403


async def test_a_strangers_form_is_forbidden_and_changes_nothing(
    network: Network, office: Office
) -> None:
    """SEC1."""
    call = await office.live()
    ended = f"/carriers/twilio/stream-ended/{call.call_id}"
    form = voice_form(office.e164)
    done = status_form(call.carrier_call_id, "completed")
    for path, fields in ((VOICE, form), (ended, done), (STATUS, done)):
        good = network.signature(path, fields)
        altered = [*fields[:-1], (fields[-1][0], fields[-1][1] + "x")]
        for sent, signature in (
            (fields, ""), (fields, "AAAA"), (fields, good[:-2] + "B="), (altered, good),
            ([*fields, fields[0]], good), (fields, network.signature(path + "x", fields)),
        ):  # fmt: skip
            answer = await network.post(path, sent, signature)
            assert answer.status_code == 403, (path, signature, answer.text)
    row = await office.call(call.call_id)
    assert (row.state, row.end_requested) == (CallState.LIVE, None)
    assert len(await office.calls()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"CallSid": None}, {"CallSid": ""}, {"CallSid": "CA1"}, {"CallSid": "\0" * 34},
        {"CallStatus": "dancing"}, {"CallStatus": None}, {"To": None}, {"To": "anonymous"},
        {"To": "+1\0"}, {"To": "٣" * 11},
    ],
)  # fmt: skip
async def test_a_genuine_form_that_makes_no_sense_is_refused_in_words(
    network: Network, office: Office, change: dict[str, str | None]
) -> None:
    fields = {**dict(voice_form(office.e164)), **change}
    form = [(name, value) for name, value in fields.items() if value is not None]
    answer = await network.post(VOICE, form)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["code"] == "callback_malformed"
    assert await office.calls() == []


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "\u202e", "O'Brien & <Sons>"])
async def test_whatever_a_caller_is_called_the_call_is_answered(
    network: Network, office: Office, name: str
) -> None:
    """Case SM8 for calls: unreadable text in what we do not need keeps nobody away."""
    answer = await network.post(VOICE, [*voice_form(office.e164), ("CallerName", name)])
    assert answer.status_code == 200
    assert "<Stream" in answer.text


@pytest.mark.parametrize("call_id", ["call_none", "a%00b", "x" * 2000, "%F0%9F"])
async def test_the_end_of_a_stream_of_no_call_hangs_up(
    network: Network, office: Office, call_id: str
) -> None:
    path = f"/carriers/twilio/stream-ended/{call_id}"
    answer = await network.post(path, status_form(next_sid(), "in-progress"))
    assert answer.status_code < 500
    assert "<Hangup/>" in answer.text


async def test_a_stream_that_ends_under_a_live_call_settles_it_once_and_apologises(
    network: Network, office: Office
) -> None:
    """Kill matrix (c), C9: the media process is gone; the caller is told, the minutes billed."""
    call = await office.live()
    path = f"/carriers/twilio/stream-ended/{call.call_id}"
    form = status_form(call.carrier_call_id, "in-progress")
    first, second = await network.post(path, form), await network.post(path, form)
    assert ENGLISH.trouble.split("'")[0] in first.text
    assert re.search(r"<Say[^>]*>.*</Say><Hangup/></Response>$", first.text)
    assert "<Say" not in second.text
    row = await office.call(call.call_id)
    assert (row.state, row.reason) == (CallState.ENDED, End.MEDIA_LOST)
    assert await office.balance() == (1, 0)
    assert await office.told("call.ended") == 1


async def test_a_stream_that_never_connected_costs_nothing_and_the_caller_is_told(
    network: Network, office: Office
) -> None:
    """UM5: answered, but no media process took it."""
    verdict = await office.admitted()
    call = await office.call(verdict.call_id)
    path = f"/carriers/twilio/stream-ended/{call.id}"
    answer = await network.post(path, status_form(call.carrier_call_id, "in-progress"))
    assert "<Say" in answer.text
    assert await office.balance() == (0, 0)


async def test_a_stream_that_ends_since_the_caller_hung_up_is_no_loss(
    network: Network, office: Office
) -> None:
    """The media process hears of the hang-up itself and settles by its own clock (UM7)."""
    call = await office.live()
    path = f"/carriers/twilio/stream-ended/{call.call_id}"
    answer = await network.post(path, status_form(call.carrier_call_id, "completed"))
    assert "<Say" not in answer.text
    row = await office.call(call.call_id)
    assert (row.state, row.end_requested) == (CallState.LIVE, End.CALLER_HUNG_UP)


async def test_a_stream_of_another_call_does_not_end_this_one(
    network: Network, office: Office
) -> None:
    call = await office.live()
    path = f"/carriers/twilio/stream-ended/{call.call_id}"
    answer = await network.post(path, status_form(next_sid(), "in-progress"))
    assert "<Hangup/>" in answer.text
    assert (await office.call(call.call_id)).state is CallState.LIVE


async def test_the_carriers_last_word_ends_a_call_that_nobody_connected(
    network: Network, office: Office
) -> None:
    """UC2: completed alone; told three times, it is one end without a minute."""
    verdict = await office.admitted()
    call = await office.call(verdict.call_id)
    form = status_form(call.carrier_call_id, "completed", CallDuration="0")
    for _ in range(3):
        assert (await network.post(STATUS, form)).status_code == 200
    call = await office.call(call.id)
    assert (call.state, call.reason) == (CallState.ENDED, End.NEVER_CONNECTED)
    assert await office.balance() == (0, 0)
    assert await office.told("call.ended") == 1


async def test_the_carriers_last_word_asks_a_live_call_to_end(
    network: Network, office: Office
) -> None:
    call = await office.live()
    for state in ("in-progress", "completed"):
        await network.post(STATUS, status_form(call.carrier_call_id, state))
    row = await office.call(call.call_id)
    assert (row.state, row.end_requested) == (CallState.LIVE, End.CALLER_HUNG_UP)


@pytest.mark.parametrize("seed", range(4))
async def test_callbacks_in_any_order_and_number_leave_the_same_state(
    network: Network, office: Office, seed: int
) -> None:
    """UC1, UC2: each told one to three times, the last word first or not; one call, one record."""
    chance = random.Random(seed)
    form = voice_form(office.e164)
    sid = dict(form)["CallSid"]
    told = [(STATUS, status_form(sid, state)) for state in ("ringing", "in-progress")]
    told += [(STATUS, status_form(sid, "completed", CallDuration="3")), (VOICE, form)]
    told += [each for each in told for _ in range(chance.randint(0, 2))]
    chance.shuffle(told)
    for path, fields in told:
        assert (await network.post(path, fields)).status_code == 200
    await network.post(STATUS, status_form(sid, "completed", CallDuration="3"))
    [call] = await office.calls()
    assert (call.state, call.reason) == (CallState.ENDED, End.NEVER_CONNECTED)
    assert await office.balance() == (0, 0)
    assert await office.told("call.ended") == 1


async def test_news_of_a_call_that_is_not_ours_is_taken_and_forgotten(network: Network) -> None:
    answer = await network.post(STATUS, status_form(next_sid(), "completed"))
    assert answer.status_code == 200


async def test_without_its_ledger_no_call_is_answered_for_a_fault_of_ours(
    network: Network,
    office: Office,
    postgres: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """UL13, C1: limited and unlimited alike; busy, so that trying again may help."""
    outage = Outage(postgres, office.database)
    monkeypatch.setattr(carrier, "RING_S", 0.6)
    outage.begin()
    for minutes in (None, 5):
        answer = await network.post(VOICE, voice_form(office.e164))
        assert (answer.status_code, answer.text) == (200, carriers.twiml.reject("busy"))
        outage.end()
        await office.limit(5)
        if minutes is None:
            outage.begin()
    assert await office.calls() == []
    assert await office.balance() == (0, 0)


async def test_a_ledger_that_is_back_while_it_rings_answers_the_call(
    network: Network, office: Office, postgres: EmbeddedPostgres
) -> None:
    outage = Outage(postgres, office.database)
    outage.begin()
    ringing = asyncio.create_task(network.post(VOICE, voice_form(office.e164)))
    await asyncio.sleep(0)
    outage.end()
    assert "<Connect" in (await ringing).text
    assert await office.balance() == (0, 1)
