"""Telephone audio and the rates that the models want: mu-law tables and a resampler. Pure.

The resampler filters a whole piece at once and keeps no state, so nothing of a cancelled piece
can leak into the next one.
"""

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 8_000
MULAW_SILENCE = b"\xff"
_BIAS = 0x84
_CLIP = 32_635


def _decode_table() -> Floats:
    """ITU-T G.711 mu-law: float32[256], -1..1."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 7
    magnitude = (((code & 15).astype(np.int32) << 3) + _BIAS << exponent) - _BIAS
    signed = np.where(code & 0x80, -magnitude, magnitude)
    return (signed / 32_768).astype(np.float32)


def _encode_table() -> NDArray[np.uint8]:
    """ITU-T G.711 mu-law: uint8[65536], indexed by an int16 sample read as uint16."""
    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    return (~(np.where(sample < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)


_DECODE = _decode_table()
_ENCODE = _encode_table()


def from_mulaw(mulaw: bytes) -> Floats:
    """float32[samples], -1..1."""
    return _DECODE[np.frombuffer(mulaw, dtype=np.uint8)]


def to_mulaw(pcm: Floats) -> bytes:
    """`pcm`: float32[samples], clipped to -1..1."""
    clipped = np.clip(pcm, -1.0, 1.0)
    return _ENCODE[np.rint(clipped * 32_767).astype(np.int16).view(np.uint16)].tobytes()


@lru_cache(maxsize=8)
def _filter_bank(up: int, down: int) -> Floats:
    """float32[up, taps]: a Kaiser-windowed sinc, 92 % of the narrower band, cut into its phases.

    24 zero crossings and beta 8 put the first alias at -80 dB, below what mu-law can carry.
    """
    widest = max(up, down)
    half = 24 * widest // up  # in input samples
    taps = 2 * half + 1
    time = np.arange(-half * up, (half + 1) * up, dtype=np.float64)
    cutoff = 0.92 / widest
    kernel = up * cutoff * np.sinc(cutoff * time) * np.kaiser(len(time), 8.0)
    return kernel.reshape(taps, up).T[:, ::-1].astype(np.float32)


def resample(pcm: Floats, rate_in: int, rate_out: int) -> Floats:
    """`pcm`: float32[samples] at `rate_in`; gives float32[samples * rate_out / rate_in].

    Zero delay: the n-th output sample lies at the same instant as its place in the input.
    """
    if rate_in == rate_out or len(pcm) == 0:
        return pcm
    divisor = gcd(rate_in, rate_out)
    up, down = rate_out // divisor, rate_in // divisor
    bank = _filter_bank(up, down)
    taps = bank.shape[1]
    half = taps // 2
    windows = sliding_window_view(np.pad(pcm, (half, half + 1)), taps)
    out = np.empty(len(pcm) * up // down, dtype=np.float32)
    for phase in range(min(up, len(out))):
        # Outputs n, n + up, ... share a phase and lie `down` input samples apart.
        position = phase * down
        rows = windows[position // up :: down][: len(out[phase::up])]
        out[phase::up] = rows @ bank[position % up]
    return out


def dbfs(pcm: Floats) -> float:
    """Root mean square of `pcm` in dB below full scale; -120 for silence."""
    power = float(np.mean(np.square(pcm))) if len(pcm) else 0.0
    return 10 * float(np.log10(max(power, 1e-12)))
