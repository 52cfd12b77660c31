"""The simulated carrier's pure parts: documents, play-out, patience, inventory, audio."""

import random
import wave
from pathlib import Path

import numpy as np
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carriers.simulator import audio, documents, inventory
from offhook.carriers.simulator.account import handset_number, handset_token, simulated_account
from offhook.carriers.simulator.playout import Playout
from offhook.carriers.simulator.segments import segments
from offhook.carriers.simulator.webhooks import Overrides, overrides
from offhook.carriers.twilio.streams import FRAME_BYTES, SILENCE


@pytest.mark.parametrize(
    ("document", "verbs"),
    [
        ("<Response/>", []),
        ('<Response><Reject reason="busy"/></Response>', [documents.Reject("busy")]),
        ("<Response><Reject/></Response>", [documents.Reject("rejected")]),
        (
            "<Response><Say>Hi &amp; <emphasis>bye</emphasis></Say><Hangup/></Response>",
            [documents.Say("Hi & bye"), documents.Hangup()],
        ),
        ('<Response><Pause length="2"/></Response>', [documents.Pause(2)]),
        (
            "<Response><Redirect> http://x/ </Redirect></Response>",
            [documents.Redirect("http://x/")],
        ),
        (
            '<Response><Dial action="http://x/"><Number>+12025550142</Number></Dial></Response>',
            [documents.Dial("+12025550142", "http://x/")],
        ),
        (
            '<Response><Connect action="/a"><Stream url="wss://x"><Parameter name="a" value="b"/>\
</Stream></Connect></Response>',
            [documents.Stream("wss://x", "/a", "", {"a": "b"})],
        ),
    ],
)
def test_document_is_read_verb_by_verb(document: str, verbs: list[documents.Verb]):
    assert documents.parse(document) == verbs


@pytest.mark.parametrize(
    "document",
    [
        "",
        "OK",
        "<Response>",
        "<response/>",
        "<Response><Play>x</Play></Response>",
        '<Response><Reject reason="tired"/></Response>',
        "<Response><Connect/></Response>",
        '<Response><Connect><Stream url="http://x"/></Connect></Response>',
        '<Response><Pause length="long"/></Response>',
        '<!DOCTYPE r [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>',
        "<Response>\0</Response>",
        "<Response/>" + " " * 64_000,
    ],
)
def test_document_that_is_no_twiml_is_refused(document: str):
    with pytest.raises(documents.DocumentError):
        documents.parse(document)


def test_mutated_documents_raise_document_error_only():
    dice = random.Random(4)
    seed = '<?xml version="1.0"?><Response><Connect><Stream url="wss://x"/></Connect></Response>'
    for _ in range(3_000):
        at = dice.randrange(len(seed))
        text = seed[:at] + chr(dice.randrange(0x250)) + seed[at + dice.randrange(4) :]
        try:
            documents.parse(text)
        except documents.DocumentError:
            continue


def test_marks_come_back_when_what_is_before_them_was_played():
    playout = Playout()
    playout.push(b"a" * 240)
    playout.mark("first")
    playout.push(b"b" * 160)
    playout.mark("second")
    assert playout.tick() == (b"a" * 160, [])
    assert playout.tick() == (b"a" * 80 + SILENCE[:80], ["first"])
    assert playout.tick() == (b"b" * 160, ["second"])
    assert playout.tick() == (None, [])


def test_mark_on_an_empty_line_comes_back_at_once():
    playout = Playout()
    playout.mark("now")
    assert playout.tick() == (None, ["now"])


def test_clear_drops_audio_and_returns_every_waiting_mark():
    """CM2."""
    playout = Playout()
    for name in ("a", "b"):
        playout.push(b"x" * 1600)
        playout.mark(name)
    playout.tick()
    assert playout.clear() == ["a", "b"]
    assert playout.tick() == (None, [])
    assert playout.played_bytes == FRAME_BYTES


@given(st.lists(st.one_of(st.binary(max_size=500), st.text(max_size=3))))
def test_all_audio_is_played_once_and_marks_keep_their_order(items: list[bytes | str]):
    playout, heard, marks = Playout(), 0, list[str]()
    for item in items:
        if isinstance(item, bytes):
            playout.push(item)
        else:
            playout.mark(item)
    for _ in range(sum(len(item) for item in items) // FRAME_BYTES + len(items) + 2):
        frame, reached = playout.tick()
        heard += len(frame or b"")
        marks += reached
    assert marks == [item for item in items if isinstance(item, str)]
    assert playout.played_bytes == sum(len(item) for item in items if isinstance(item, bytes))
    assert heard >= playout.played_bytes


@pytest.mark.parametrize(
    ("url", "patience"),
    [
        ("http://x/", Overrides()),
        ("http://x/#rc=0", Overrides(retries=0)),
        ("http://x/#rc=99&rp=all", Overrides(retries=5, policy=frozenset({"all"}))),
        ("http://x/#ct=2000&rt=x&tt=-1", Overrides(connect_s=2.0)),
        ("http://x/#ct=1&rt=99999", Overrides(connect_s=0.1)),
    ],
)
def test_patience_is_what_the_fragment_asks_for(url: str, patience: Overrides):
    assert overrides(url) == patience


def test_every_number_for_sale_is_possible_and_of_its_country():
    for block in inventory.BLOCKS:
        numbers = list(block.numbers())
        assert len(set(numbers)) == len(numbers)
        for number in numbers:
            parsed = phonenumbers.parse(number)
            assert phonenumbers.is_possible_number(parsed), number
            code = phonenumbers.country_code_for_region(block.country)
            assert parsed.country_code == code
            assert inventory.block_of(number) == block


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 159 + "€", 2),
        ("]" * 153, 3),
        ("a" * 152 + "[" + "a" * 152, 3),
        ("]" * 68 + "😎", 1),
        ("a" * 69 + "’", 1),
        ("a" * 70 + "’", 2),
        ("a" * 66 + "😎" + "a" * 66, 3),
        ("😎" * 36, 2),
        (("a" * 152 + "€") * 3, 4),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, count: int):
    """S5, SM5."""
    assert segments(text) == count


def test_account_and_tokens_come_from_the_secret():
    ours, others = simulated_account(b"a" * 32), simulated_account(b"b" * 32)
    assert ours == simulated_account(b"a" * 32)
    assert (ours.sid, ours.token) != (others.sid, others.token)
    assert ours.token not in repr(ours)
    token = handset_token(b"a" * 32, "+12025550142", now_s=1_000, valid_s=60)
    assert handset_number(b"a" * 32, token, now_s=1_059) == "+12025550142"
    assert handset_number(b"a" * 32, token, now_s=1_060) is None
    assert handset_number(b"b" * 32, token, now_s=1_000) is None
    for at in range(len(token)):
        assert (
            handset_number(
                b"a" * 32, token[:at] + "A~"[token[at] == "A"] + token[at + 1 :], now_s=0
            )
            is None
        )


def written(path: Path, *, rate: int, channels: int, width: int, frames: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(frames)
    return path


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_wav_of_any_rate_becomes_the_same_tone(tmp_path: Path, rate: int):
    tone = (np.sin(2 * np.pi * 440 * np.arange(rate) / rate) * 10_000).astype("<i2")
    stereo = np.column_stack([tone, tone]).tobytes()
    path = written(tmp_path / "a.wav", rate=rate, channels=2, width=2, frames=stereo)
    pcm = audio.read_wav(path)
    assert len(pcm) == 8_000
    spectrum = np.abs(np.fft.rfft(pcm))
    assert int(np.argmax(spectrum)) == 440


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_of_any_width_is_read(tmp_path: Path, width: int):
    frames = (b"\x80" if width == 1 else b"\x00" * width) * 800
    path = written(tmp_path / "a.wav", rate=8_000, channels=1, width=width, frames=frames)
    assert not audio.read_wav(path).any()


def test_wav_that_is_none_is_refused_with_its_reason(tmp_path: Path):
    path = tmp_path / "a.wav"
    cases: list[tuple[bytes, str]] = [
        (b"", "empty"),
        (b"not a wav at all", "no WAV"),
        (b"RIFF\x00\x00\x00\x00WAVE", "no WAV"),
        (b"\0" * 50_000_000, "50 MB"),
    ]
    for data, reason in cases:
        path.write_bytes(data)
        with pytest.raises(audio.WavUnusable, match=reason) as refusal:
            audio.read_wav(path)
        assert refusal.value.remedy
    with pytest.raises(audio.WavUnusable, match="cannot be read"):
        audio.read_wav(tmp_path / "gone.wav")
    written(path, rate=8_000, channels=1, width=2, frames=b"")
    with pytest.raises(audio.WavUnusable, match="no sound"):
        audio.read_wav(path)
    written(path, rate=1_000, channels=1, width=2, frames=b"\0\0")
    with pytest.raises(audio.WavUnusable, match="1000 Hz"):
        audio.read_wav(path)


def test_mulaw_decodes_to_what_was_encoded():
    codes = bytes(range(256))
    again = audio.to_mulaw(audio.from_mulaw(codes))
    assert np.array_equal(audio.from_mulaw(again), audio.from_mulaw(codes))
    pcm = np.arange(-32_768, 32_768, 7, dtype=np.int16)
    error = np.abs(audio.from_mulaw(audio.to_mulaw(pcm)).astype(int) - pcm)
    assert int(error.max()) <= 1_024
    assert audio.loudness(b"\xff" * 160) == 0.0
