"""The speech processes, started once for all tests of the room, and voices to talk to them."""

import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from offhook.speech import audio

Say = Callable[[str, str], bytes]


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """A short path: a Unix socket's holds 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="offhook"))
    yield folder
    shutil.rmtree(folder)


def start(name: str, socket: Path) -> subprocess.Popen[bytes]:
    """`name`_process, once it accepts connections."""
    command = [sys.executable, "-m", f"offhook.speech.{name}_process", "--socket", str(socket)]
    process = subprocess.Popen(
        command, env={"PYTHONPATH": "src", "PATH": "/usr/bin"}, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not socket.exists():
        assert process.poll() is None, f"the {name} ended with {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def _running(name: str, folder: Path) -> Iterator[Path]:
    socket = folder / f"{name}.sock"
    process = start(name, socket)
    yield socket
    process.terminate()
    assert process.wait(30) == 0


@pytest.fixture(scope="session")
def recogniser_socket(run_folder: Path) -> Iterator[Path]:
    yield from _running("recogniser", run_folder)


@pytest.fixture(scope="session")
def synthesiser_socket(run_folder: Path) -> Iterator[Path]:
    yield from _running("synthesiser", run_folder)


@pytest.fixture
def start_process() -> Callable[[str, Path], subprocess.Popen[bytes]]:
    return start


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """A text said by a flite voice at telephone quality: mu-law 8 kHz."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")

    def flite(text: str, voice: str) -> bytes:
        path = tmp_path / "flite.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            wide = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            pcm: audio.Floats = (wide / 32_768 * 0.6).astype(np.float32)
            return audio.to_mulaw(audio.resample(pcm, file.getframerate(), audio.RATE))

    return flite
