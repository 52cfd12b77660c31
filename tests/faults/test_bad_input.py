"""What people get wrong: on the command line and in uploads. A sentence, a remedy, no traceback."""

import subprocess
import wave
from pathlib import Path

import pytest
from installation import Installation
from owner import Bought, Owner

MEGABYTE = 1_000_000
UNKNOWN = "+12025550199"  # nobody has it


def refused(said: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 1, a sentence on standard error, nothing else."""
    assert said.returncode == 1, said
    assert "Traceback" not in said.stderr
    assert said.stderr.strip().count("\n") <= 2, said.stderr
    for word in words:
        assert word in said.stderr, said.stderr


def test_a_file_that_is_no_wav_is_refused_before_anything_is_dialled(
    installation: Installation, owner: Owner, number: Bought, tmp_path: Path
) -> None:
    calls = owner.calls(number)
    for name, data, words in (
        ("words.wav", b"this is no sound", "is no WAV file"),
        ("empty.wav", b"", "is empty"),
        ("half.wav", b"RIFF\0\0\0\0WAVEfmt ", "is no WAV file"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        refused(installation.run("call", number.e164, "--wav", str(path)), words)
    big = tmp_path / "big.wav"
    with wave.open(str(big), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(50 * MEGABYTE))
    refused(installation.run("call", number.e164, "--wav", str(big)), "50 MB", "at most 20 MB")
    missing = tmp_path / "missing.wav"
    refused(installation.run("call", number.e164, "--wav", str(missing)), "cannot be read")
    assert owner.calls(number) == calls


@pytest.mark.parametrize("command", [("call",), ("text",)])
def test_a_number_that_nobody_has_is_told(
    installation: Installation, command: tuple[str, ...]
) -> None:
    words = ("hello",) if command == ("text",) else ()
    refused(installation.run(*command, UNKNOWN, *words), UNKNOWN if words else "not in use")


@pytest.mark.parametrize("command", [("call",), ("text",)])
def test_what_is_no_number_is_told(installation: Installation, command: tuple[str, ...]) -> None:
    words = ("hello",) if command == ("text",) else ()
    refused(installation.run(*command, "bakery", *words), "bakery")


@pytest.mark.parametrize("command", [("call",), ("text",)])
def test_without_a_running_installation_the_remedy_is_to_start_it(command: tuple[str, ...]) -> None:
    nowhere = Installation()
    try:
        words = ("hello",) if command == ("text",) else ()
        refused(nowhere.run(*command, UNKNOWN, *words), "does not answer", "offhook serve")
    finally:
        nowhere.remove()


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("huge.txt", b"word " * (10 * MEGABYTE), 413),
        ("empty.txt", b"", 422),
        ("noise.txt", b"\x00\xff\xfe\x81\x8d" * 400, 422),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(500), 422),
    ],
)
def test_an_upload_that_cannot_be_read_leaves_nothing(
    owner: Owner, name: str, data: bytes, status: int
) -> None:
    """problem+json with code, sentence and remedy; no source, no passage."""
    before = owner.get("/knowledge/sources")
    answer = owner.rest.post("/knowledge/files", files={"file": (name, data)})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"]
    assert problem["detail"]
    assert problem["remedy"]
    assert owner.get("/knowledge/sources") == before
