"""Check this number: each line passes or fails for its own reason, and says what to do."""

import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from media_process import running, until
from office import SECRET
from sounds import speech
from stage import ToneSynthesiser

from offhook.calls.checking import rules
from offhook.calls.checking.loop import SENTENCE, hear_back
from offhook.calls.checking.rules import Finding, State
from offhook.calls.tokens import check_token, is_check_token
from offhook.carriers import Answered
from offhook.db import Database
from offhook.numbers import Reason

BASE = "https://phone.example.com/carriers/twilio"
OURS = {"voice_url": f"{BASE}/voice#ct=2000", "sms_url": f"{BASE}/sms"}
URL = f"{BASE}/check"


@pytest.mark.parametrize(
    ("routing", "fails"),
    [
        (OURS, ""),
        ({**OURS, "sms_url": ""}, "nowhere"),
        ({**OURS, "voice_url": "https://other.example.com/voice"}, "other.example.com"),
        ({**OURS, "voice_url": "https://phone.example.com.evil.example/carriers/twilio/voice"},
         "evil.example"),
        ({**OURS, "trunk_sid": "TK1"}, "trunk"),
        ({**OURS, "sms_application_sid": "AP1"}, "sms application"),
    ],
)  # fmt: skip
def test_routing(routing: Mapping[str, str], fails: str) -> None:
    found = rules.routing(routing, BASE, calls=True, texts=True)
    assert found.failed is bool(fails)
    assert fails in found.sentence
    assert bool(found.remedy) is found.failed
    assert not rules.routing({**OURS, "sms_url": ""}, BASE, calls=True, texts=False).failed


@pytest.mark.parametrize(
    ("answer", "states"),
    [
        (Answered(200, "n1"), [State.PASSED, State.PASSED]),
        (Answered(403, "forged"), [State.PASSED, State.FAILED]),
        (Answered(200, "<html>a portal</html>"), [State.FAILED, State.SKIPPED]),
        (Answered(502, "bad gateway"), [State.FAILED, State.SKIPPED]),
        (Answered(0, "name not known"), [State.FAILED, State.SKIPPED]),
    ],
)
def test_callbacks_and_signature(answer: Answered, states: list[State]) -> None:
    found = rules.callbacks(answer, "n1", URL)
    assert [each.state for each in found] == states
    assert all(each.remedy for each in found if each.failed)


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        ("https://phone.example.com/x", True), ("http://127.0.0.1:8600/x", False),
        ("http://localhost/x", False), ("https://10.1.2.3/x", False), ("https://phone/x", False),
        ("https://[::1]/x", False), ("https://8.8.8.8/x", True),
    ],
)  # fmt: skip
def test_a_real_carrier_reaches_public_addresses_only(url: str, reachable: bool) -> None:
    assert (rules.public(url, simulated=False) is None) is reachable
    assert rules.public(url, simulated=True) is None


@pytest.mark.parametrize(
    ("found", "fails"),
    [
        (rules.answering([], {}), False),
        (rules.answering(["Assign an agent."], {}), True),
        (rules.answering([], {"Calls": Reason.SUSPENDED}), True),
        (rules.credit("", {"minutes": None}, cap_reached=False), False),
        (rules.credit("", {"minutes": 3, "messages": 0}, cap_reached=False), True),
        (rules.credit("", {}, cap_reached=True), True),
        (rules.credit("The subscription is suspended.", {}, cap_reached=False), True),
        (rules.registrations(["a2p"], simulated=False), True),
        (rules.registrations(["a2p"], simulated=True), False),
        (
            rules.voice(
                SENTENCE, "this is a testable line. the water is good and the coffee is hot", ""
            ),
            False,
        ),
        (rules.voice(SENTENCE, "", ""), True),
        (rules.voice(SENTENCE, "thank you", ""), True),
        (rules.voice(SENTENCE, None, "The line was closed."), True),
    ],
)
def test_every_other_line(found: Finding, fails: bool) -> None:
    assert found.failed is fails
    assert bool(found.remedy) is fails


def test_a_check_needs_a_token_of_this_installation_and_of_now() -> None:
    token = check_token(SECRET, "n1", 100)
    assert is_check_token(SECRET, "n1", "100", token, now_s=100)
    for nonce, last, given, now_s in (
        ("n2", "100", token, 100), ("n1", "101", token, 100), ("n1", "100", token, 101),
        ("n1", "100", "", 100), ("n1", "-1", token, 0), ("n1", "", token, 0),
        ("n1", "9" * 40, token, 0),
    ):  # fmt: skip
        assert not is_check_token(SECRET, nonce, last, given, now_s=now_s)


class FliteSynthesiser(ToneSynthesiser):
    """A voice that the real voice activity hears."""

    async def speak(
        self, text: str, *, voice: str = "", language: str = "en"
    ) -> AsyncIterator[bytes]:
        self.spoken.append(text)
        yield speech(text)


async def test_a_voice_goes_out_and_is_heard_back_without_a_call(
    database: Database, tmp_path: Path
) -> None:
    """The real stream, engine and voice activity; what is understood stands in the script."""
    voice = FliteSynthesiser()
    words = "this is a test of the line"
    async with running(database, tmp_path, words, synthesiser=voice) as process:
        last = int(time.time()) + 60
        asked = {"check": "n1", "until": str(last), "token": check_token(SECRET, "n1", last)}
        looped = await hear_back(process.url, asked)
        assert looped.trouble == ""
        assert looped.heard == words
        assert SENTENCE in voice.spoken
        refused = await hear_back(process.url, asked | {"token": "another"})
        assert refused.heard is None
        await until(lambda: process.node.engine.lines == 0)
        assert not await process.office.calls()
    gone = await hear_back("ws://127.0.0.1:1", asked)
    assert gone.heard is None
    assert "cannot be reached" in gone.trouble


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_told_in_words_with_a_remedy_and_its_page(reason: Reason) -> None:
    found = rules.answering([], {"Calls": reason})
    assert found.failed
    assert "_" not in found.sentence
    assert found.remedy
    assert found.page
