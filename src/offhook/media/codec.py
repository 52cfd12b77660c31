"""Telephone audio as look-up tables: mu-law and A-law (ITU-T G.711) to and from linear PCM.

Every function takes and gives whole matrices, so one call serves all calls of a tick. Inside the
engine audio is always mu-law; a line that speaks A-law is translated at its edge, byte for byte.
This module knows no sample rate and no call.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SILENCE: Final = 0xFF
"""The mu-law byte of digital silence (positive zero); 0x7F is negative zero and as silent."""

_BIAS: Final = 0x84
_FULL_SCALE: Final = 32768.0


def _mulaw_values() -> NDArray[np.int16]:
    """Build the 256 linear values of mu-law, 16 bits wide (G.711 table 2, scaled by 4)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent = (code >> 4) & 7
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_values() -> NDArray[np.int16]:
    """Build the 256 linear values of A-law, 16 bits wide (G.711 table 1, scaled by 8)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code >> 4) & 7
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(
        exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _mulaw_codes() -> NDArray[np.uint8]:
    """Build the mu-law code of every 16-bit sample, indexed by the sample read as unsigned."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    # G.711 codes 14 bits: the two lowest of sixteen are dropped before the sign is taken off.
    coarse = sample >> 2
    magnitude = np.minimum(np.where(coarse < 0, -coarse, coarse) + (_BIAS >> 2), 8191)
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (exponent + 1)) & 0x0F
    code = (exponent << 4) | mantissa
    return np.where(coarse < 0, code ^ 0x7F, code ^ 0xFF).astype(np.uint8)


def _alaw_codes() -> NDArray[np.uint8]:
    """Build the A-law code of every 16-bit sample, indexed by the sample read as unsigned."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    # A-law codes 13 bits; negative values are counted from -1, so that zero has one code.
    coarse = sample >> 3
    magnitude = np.where(coarse < 0, -coarse - 1, coarse)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = (magnitude >> np.maximum(exponent, 1)) & 0x0F
    code = (exponent << 4) | mantissa
    return (code ^ np.where(coarse < 0, 0x55, 0xD5)).astype(np.uint8)


_MULAW_VALUES: Final = _mulaw_values()
_ALAW_VALUES: Final = _alaw_values()
_MULAW_CODES: Final = _mulaw_codes()
_ALAW_CODES: Final = _alaw_codes()
_MULAW_FLOATS: Final = (_MULAW_VALUES / np.float32(_FULL_SCALE)).astype(np.float32)

MULAW_TO_ALAW: Final = _ALAW_CODES[_MULAW_VALUES.view(np.uint16)].tobytes()
"""For `bytes.translate`: mu-law bytes to A-law bytes."""

ALAW_TO_MULAW: Final = _MULAW_CODES[_ALAW_VALUES.view(np.uint16)].tobytes()
"""For `bytes.translate`: A-law bytes to mu-law bytes."""


def decode_mulaw(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Expand mu-law to linear PCM. codes: uint8[...], result int16 of the same shape."""
    return _MULAW_VALUES[codes]


def decode_alaw(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Expand A-law to linear PCM. codes: uint8[...], result int16 of the same shape."""
    return _ALAW_VALUES[codes]


def decode_mulaw_float(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Expand mu-law to samples of -1..1. codes: uint8[...], result float32, same shape."""
    return _MULAW_FLOATS[codes]


def encode_mulaw(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Compress linear PCM to mu-law. samples: int16[...], result uint8 of the same shape."""
    return _MULAW_CODES[samples.view(np.uint16)]


def encode_alaw(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Compress linear PCM to A-law. samples: int16[...], result uint8 of the same shape."""
    return _ALAW_CODES[samples.view(np.uint16)]
