"""A telephone's audio: WAV files in and out, resampling to 8 kHz, mu-law, loudness.

pcm: int16[samples] mono. Mu-law by ITU-T G.711.
"""

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook.errors import Invalid

RATE = 8_000
MAX_WAV_BYTES = 20_000_000
_BIAS = 0x84
_CLIP = 32_635
_MIN_RATE, _MAX_RATE = 4_000, 192_000
_TAPS_PER_STEP = 16
_WAV_WIDTHS = (1, 2, 3, 4)

Pcm = NDArray[np.int16]


class WavUnusable(Invalid):
    code = "wav_unusable"


def read_wav(path: Path) -> Pcm:
    """The file's sound at 8 kHz, mono. Raises WavUnusable with the reason."""
    remedy = "Give a WAV file with PCM samples, at most 20 MB."
    try:
        size = path.stat().st_size
        if size > MAX_WAV_BYTES:
            raise WavUnusable(f"{path} has {size / 1e6:.0f} MB, more than 20.", remedy=remedy)
        data = path.read_bytes()
    except OSError as error:
        raise WavUnusable(f"{path} cannot be read: {error.strerror}.", remedy=remedy) from error
    if not data:
        raise WavUnusable(f"{path} is empty.", remedy=remedy)
    pcm, rate = _decoded(path, data, remedy)
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise WavUnusable(f"{path} has a sample rate of {rate} Hz.", remedy=remedy)
    if not len(pcm):
        raise WavUnusable(f"{path} has no sound in it.", remedy=remedy)
    return resampled(pcm, rate)


def _decoded(path: Path, data: bytes, remedy: str) -> tuple[Pcm, int]:
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError, ZeroDivisionError) as error:
        raise WavUnusable(f"{path} is no WAV file with PCM samples.", remedy=remedy) from error
    if width not in _WAV_WIDTHS or channels < 1:
        raise WavUnusable(f"{path} has samples of {width} bytes.", remedy=remedy)
    whole = len(frames) // (width * channels) * width * channels
    return _mono(frames[:whole], width, channels), rate


def _mono(frames: bytes, width: int, channels: int) -> Pcm:
    raw = np.frombuffer(frames, np.uint8).reshape(-1, width)
    if width == 1:  # eight-bit WAV is unsigned
        samples = (raw[:, 0].astype(np.int32) - 128) * 256
    else:  # little-endian: the last two bytes are the upper sixteen bits
        samples = np.ascontiguousarray(raw[:, -2:]).view("<i2")[:, 0].astype(np.int32)
    return (samples.reshape(-1, channels).sum(axis=1) // channels).astype(np.int16)


def resampled(pcm: Pcm, rate: int) -> Pcm:
    """The same sound at 8 kHz: low-pass below the new half rate, then linear interpolation."""
    if rate == RATE or not len(pcm):
        return pcm
    signal = pcm.astype(np.float64)
    if rate > RATE:
        cut = 0.45 * RATE / rate
        reach = int(_TAPS_PER_STEP * rate / RATE)
        at = np.arange(-reach, reach + 1)
        kernel = np.sinc(2 * cut * at) * np.hamming(2 * reach + 1)
        signal = np.convolve(signal, kernel / kernel.sum(), mode="same")[: len(pcm)]
    count = max(1, len(pcm) * RATE // rate)
    found = np.interp(np.arange(count) * (rate / RATE), np.arange(len(signal)), signal)
    return np.clip(np.rint(found), -32_768, 32_767).astype(np.int16)


def to_mulaw(pcm: Pcm) -> bytes:
    samples = pcm.astype(np.int32)
    sign = np.where(samples < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()


def from_mulaw(data: bytes) -> Pcm:
    return _DECODED[np.frombuffer(data, np.uint8)]


def _decode_table() -> Pcm:
    codes = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((codes & 0x0F) << 3) + _BIAS << ((codes >> 4) & 0x07)) - _BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


_DECODED = _decode_table()


def loudness(data: bytes) -> float:
    """Root mean square of mu-law audio, 0 to 32,767."""
    if not data:
        return 0.0
    return float(np.sqrt(np.mean(from_mulaw(data).astype(np.float64) ** 2)))


def write_wav(path: Path, channels: Sequence[bytes]) -> None:
    """Mu-law channels side by side as 16-bit WAV at 8 kHz; the shorter one ends in silence."""
    longest = max(map(len, channels), default=0)
    columns = [from_mulaw(data.ljust(longest, b"\xff")) for data in channels]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.column_stack(columns).astype("<i2").tobytes())
