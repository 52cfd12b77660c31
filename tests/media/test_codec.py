"""G.711 against other people's tables: Python's audioop, and sox."""

import subprocess
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook.media import codec

CODES = np.arange(256, dtype=np.uint8)
SAMPLES = np.arange(65536, dtype=np.uint16).view(np.int16)
LINEAR = "-t raw -r 8000 -c 1 -e signed -b 16"


def sox(data: bytes, source: str, target: str) -> bytes:
    command = ["sox", "-D", *source.split(), "-", *target.split(), "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("law", ["mu-law", "a-law"])
def test_decodes_every_code_as_sox_does(law: str) -> None:
    decode = codec.decode_mulaw if law == "mu-law" else codec.decode_alaw
    theirs = sox(CODES.tobytes(), f"-t raw -r 8000 -c 1 -e {law}", LINEAR)
    assert decode(CODES).tobytes() == theirs


@pytest.mark.parametrize("law", ["mu-law", "a-law"])
def test_encodes_every_sample_within_a_step_of_sox(law: str) -> None:
    """Sox rounds where the standard truncates: the decoded values are neighbours at most."""
    encode, decode = (
        (codec.encode_mulaw, codec.decode_mulaw)
        if law == "mu-law"
        else (codec.encode_alaw, codec.decode_alaw)
    )
    raw = sox(SAMPLES.tobytes(), LINEAR, f"-t raw -r 8000 -c 1 -e {law}")
    order = np.argsort(decode(CODES).astype(np.int32), kind="stable")
    rank = np.empty(256, np.int32)
    rank[order] = np.arange(256)
    steps = np.abs(rank[encode(SAMPLES)] - rank[np.frombuffer(raw, np.uint8)])
    assert steps.max() <= 2  # mu-law's two zeros are neighbours of each other
    assert (steps > 0).mean() < 0.02


def test_both_laws_are_audioop_to_the_bit() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    linear = SAMPLES.tobytes()
    assert codec.encode_mulaw(SAMPLES).tobytes() == audioop.lin2ulaw(linear, 2)
    assert codec.encode_alaw(SAMPLES).tobytes() == audioop.lin2alaw(linear, 2)
    assert codec.decode_mulaw(CODES).tobytes() == audioop.ulaw2lin(CODES.tobytes(), 2)
    assert codec.decode_alaw(CODES).tobytes() == audioop.alaw2lin(CODES.tobytes(), 2)


def test_what_was_encoded_once_is_stable() -> None:
    def settled(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
        return codec.decode_mulaw(codes)

    once = codec.encode_mulaw(SAMPLES)
    assert (settled(codec.encode_mulaw(settled(once))) == settled(once)).all()


def test_translates_between_the_laws_without_a_detour() -> None:
    alaw = CODES.tobytes().translate(codec.MULAW_TO_ALAW)
    expected = codec.encode_alaw(codec.decode_mulaw(CODES)).tobytes()
    assert alaw == expected
    back = CODES.tobytes().translate(codec.ALAW_TO_MULAW)
    assert back == codec.encode_mulaw(codec.decode_alaw(CODES)).tobytes()


def test_keeps_the_shape_of_a_matrix_of_calls() -> None:
    frames = np.full((7, 160), codec.SILENCE, np.uint8)
    assert codec.decode_mulaw(frames).shape == (7, 160)
    assert codec.decode_mulaw_float(frames).dtype == np.float32
    assert not codec.decode_mulaw(frames).any()
    assert codec.decode_mulaw(np.array([0x7F], np.uint8))[0] == 0
