"""Sounds for tests and benchmarks: real speech made by flite, noises made by formula.

All are 8 kHz mu-law bytes unless they say otherwise. Speech is made once a machine and kept in the
temporary folder; noises are the same in every run.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook.media import codec

RATE = 8000
_CACHE = Path(tempfile.gettempdir()) / "offhook-test-speech"


def speech(text: str, voice: str = "slt") -> bytes:
    """Speak `text` with a flite voice (slt, rms, kal, awb), leading and trailing silence cut."""
    name = hashlib.sha256(f"{voice}:{text}".encode()).hexdigest()[:24]
    kept = _CACHE / f"{name}.ul"
    if not kept.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
            wav, raw = Path(folder) / "a.wav", Path(folder) / "a.ul"
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True)
            trim = [
                "silence",
                "1",
                "0.01",
                "0.5%",
                "reverse",
                "silence",
                "1",
                "0.01",
                "0.5%",
                "reverse",
            ]
            form = ["-r", "8000", "-c", "1", "-e", "mu-law", "-t", "raw"]
            subprocess.run(["sox", "-D", str(wav), *form, str(raw), *trim], check=True)
            raw.replace(kept)
    return kept.read_bytes()


def pcm(mulaw: bytes) -> NDArray[np.float64]:
    """Decode to float64[samples], -1..1."""
    return codec.decode_mulaw(np.frombuffer(mulaw, np.uint8)) / 32768


def mulaw(samples: NDArray[np.float64]) -> bytes:
    """Encode float64[samples], -1..1."""
    scaled = np.clip(np.round(samples * 32768), -32768, 32767)
    return codec.encode_mulaw(scaled.astype(np.int16)).tobytes()


def level_dbfs(audio: bytes) -> float:
    """Root mean square in dB below full scale."""
    return float(10 * np.log10(np.mean(pcm(audio) ** 2) + 1e-12))


def at_level(audio: bytes, dbfs: float) -> bytes:
    """The same sound at another level."""
    return mulaw(pcm(audio) * 10 ** ((dbfs - level_dbfs(audio)) / 20))


def first_ms(audio: bytes, ms: int) -> bytes:
    """The beginning of a sound, faded out over 20 ms so that it does not click."""
    samples = pcm(audio)[: ms * 8].copy()
    samples[-160:] *= np.linspace(1, 0, 160)
    return mulaw(samples)


def mixed(*sounds: bytes) -> bytes:
    """Sounds at the same time; the shorter ones end in silence."""
    total = np.zeros(max(map(len, sounds)))
    for sound in sounds:
        total[: len(sound)] += pcm(sound)
    return mulaw(total)


def silence(ms: int) -> bytes:
    """Digital silence, 0xFF."""
    return b"\xff" * (ms * 8)


def noise(ms: int, dbfs: float, seed: int = 1) -> bytes:
    """White noise."""
    samples = np.random.default_rng(seed).standard_normal(ms * 8)
    return mulaw(samples * 10 ** (dbfs / 20))


def tone(ms: int, dbfs: float, *hertz: float) -> bytes:
    """Sine tones of equal strength, their sum at `dbfs`."""
    time = np.arange(ms * 8) / RATE
    waves = np.sum([np.sin(2 * np.pi * f * time) for f in hertz], axis=0)
    return mulaw(waves * 10 ** (dbfs / 20) * np.sqrt(2 / len(hertz)))


def dtmf(digits: str, on_ms: int = 120, off_ms: int = 80) -> bytes:
    """In-band DTMF of the digits 1 to 9, each at -10 dBFS (ITU-T Q.23)."""
    low, high = (697, 770, 852), (1209, 1336, 1477)
    pairs = [(low[(int(d) - 1) // 3], high[(int(d) - 1) % 3]) for d in digits]
    return b"".join(tone(on_ms, -10, *pair) + silence(off_ms) for pair in pairs)


def breath(ms: int = 250, dbfs: float = -42.0, seed: int = 2) -> bytes:
    """A breath into the microphone: soft, low-passed noise that swells and ebbs."""
    raw = np.random.default_rng(seed).standard_normal(ms * 8)
    soft = np.convolve(raw, np.ones(4) / 4, "same") * np.hanning(ms * 8)
    return at_level(mulaw(soft * 0.05), dbfs)


def cough(ms: int = 300, dbfs: float = -18.0, seed: int = 3) -> bytes:
    """A cough: a burst of broad noise with a throat's resonances, quickly dying away."""
    raw = np.random.default_rng(seed).standard_normal(ms * 8)
    time = np.arange(ms * 8) / RATE
    throat = np.exp(-time[:200] * 120) * (
        np.cos(2 * np.pi * 700 * time[:200]) + np.cos(2 * np.pi * 1500 * time[:200])
    )
    burst = np.convolve(raw, throat, "same") * np.exp(-time * 14) * np.minimum(time * 100, 1)
    return at_level(mulaw(burst * 0.02), dbfs)
