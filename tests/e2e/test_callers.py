"""Callers of real audio: their questions are understood and answered from the knowledge.

flite's voices come as WAV files, the installation's own voice by `--say`; both are narrowed to
8 kHz mu-law by the simulated network. Twenty calls in a row, two at a time, without a fault; then
each call's transcript, recording and minute are checked.
"""

import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from installation import Installation, needs, until
from owner import Bought, Json, Owner
from sounds import speech

from offhook.media import codec

HEADER_BYTES = 58


@dataclass(frozen=True)
class Question:
    """What is asked, a word of it that must be understood, and words that the answer must hold."""

    text: str
    understood: str
    answer: tuple[str, ...]


QUESTIONS = (
    Question("Are you open on Sunday?", "sunday", ("8:00", "12:00")),
    Question("Where can I park my car?", "park", ("behind the shop",)),
    Question("What does the sourdough cost?", "sourdough", ("5.20",)),
    Question("Can I order a birthday cake?", "birthday cake", ("28.00",)),
    Question("Do you deliver on Fridays?", "deliver", ("Fridays",)),
)
VOICES = ("slt", "rms", "piper", "slt")


def wav_of(question: Question, voice: str, folder: Path) -> Path:
    """The question as a 16-bit WAV at 8 kHz."""
    path = folder / f"{abs(hash((question.text, voice)))}.wav"
    samples = codec.decode_mulaw(np.frombuffer(speech(question.text, voice), np.uint8))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return path


@dataclass(frozen=True)
class Caller:
    question: Question
    voice: str
    number: str


def place(installation: Installation, number: Bought, caller: Caller, folder: Path) -> None:
    question, voice = caller.question, caller.voice
    how = (
        ("--say", question.text)
        if voice == "piper"
        else ("--wav", str(wav_of(question, voice, folder)))
    )
    done = installation.run("call", number.e164, *how, "--from", caller.number, seconds=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Answered" in done.stdout


def loudness(wav: bytes) -> tuple[float, float]:
    """Root mean square of the caller's and the agent's channel, 0..1."""
    body = wav[HEADER_BYTES:]
    stereo = np.frombuffer(body[: len(body) // 2 * 2], np.uint8).reshape(-1, 2)
    left, right = (codec.decode_mulaw(stereo[:, side].copy()) / 32768 for side in (0, 1))
    return float(np.sqrt(np.mean(left**2))), float(np.sqrt(np.mean(right**2)))


def check(owner: Owner, call: Json, question: Question) -> list[str]:
    """What is wrong with this call; nothing, if all is well."""
    turns = owner.transcript(call)
    said = " ".join(turn["text"] for turn in turns if turn["speaker"] == "caller").lower()
    answered = " ".join(turn["text"] for turn in turns if turn["speaker"] == "agent")
    faults: list[str] = []
    if question.understood not in said:
        faults.append(f"heard “{said}” for “{question.text}”")
    if not all(word in answered for word in question.answer):
        faults.append(f"answered “{answered}” to “{question.text}”")
    return faults


@pytest.fixture(scope="module")
def number(owner: Owner) -> Bought:
    """A number that answers without a notice, so that twenty calls fit into a test."""
    number = owner.ready_number("Callers")
    owner.configure(number, recording_notice=False)
    return number


def test_twenty_callers_in_a_row_are_understood_answered_recorded_and_metered(
    installation: Installation, owner: Owner, number: Bought, tmp_path: Path
) -> None:
    needs("flite")
    plan = [
        Caller(QUESTIONS[i % len(QUESTIONS)], VOICES[i // len(QUESTIONS)], f"+120255501{i:02}")
        for i in range(20)
    ]
    with ThreadPoolExecutor(2) as pool:
        calling = [pool.submit(place, installation, number, caller, tmp_path) for caller in plan]
    for each in calling:
        each.result()
    until(lambda: len(owner.calls(number)) == len(plan), "twenty calls")
    by_caller = {call["caller"]: call for call in owner.calls(number)}
    faults: list[str] = []
    for caller in plan:
        call = by_caller[caller.number]
        assert call["state"] == "ended"
        assert call["reason"] in {"caller_hung_up", "agent_hung_up"}
        faults += check(owner, call, caller.question)
    until(
        lambda: all(call["recording"] == "ready" for call in owner.calls(number)), "the recordings"
    )
    for call in owner.calls(number):
        heard, spoken = loudness(owner.recording(call))
        assert heard > 0.002
        assert spoken > 0.005
    minutes = sum(-(-max(1, call["duration_s"]) // 60) for call in owner.calls(number))
    assert owner.used(number, "calls") == (minutes, 0)
    # A recogniser of 39 million parameters may mishear one of twenty over a telephone.
    assert len(faults) <= 2, "\n".join(faults)
