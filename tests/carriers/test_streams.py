"""Media Streams messages: parse and its inverse, and rubbish."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.carriers import readable, streams

SAMPLES = Path(__file__).parent / "samples"
TEXT = st.text(max_size=60).map(readable)
COUNT = st.integers(0, 10**11)
FROM_CARRIER = st.one_of(
    st.builds(streams.Connected, TEXT, TEXT),
    st.builds(streams.Start, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=4), COUNT),
    st.builds(streams.Media, TEXT, st.binary(max_size=320), COUNT, COUNT, COUNT),
    st.builds(streams.Dtmf, TEXT, st.sampled_from("0123456789*#"), COUNT),
    st.builds(streams.Mark, TEXT, TEXT, COUNT),
    st.builds(streams.Stop, TEXT, TEXT, TEXT, COUNT),
)
TO_CARRIER = st.one_of(
    st.builds(streams.SendMedia, TEXT, st.binary(max_size=2_000)),
    st.builds(streams.SendMark, TEXT, TEXT),
    st.builds(streams.Clear, TEXT),
)


@settings(deadline=None)
@given(FROM_CARRIER)
def test_carriers_message_survives_the_round_trip(frame: streams.FromCarrier):
    assert streams.parse_from_carrier(streams.dump(frame)) == frame


@settings(deadline=None)
@given(TO_CARRIER)
def test_our_message_survives_the_round_trip(frame: streams.ToCarrier):
    assert streams.parse_to_carrier(streams.dump(frame)) == frame


def test_quick_media_writer_says_the_same():
    payload = bytes(range(160))
    assert json.loads(streams.dump_media("MZ1", payload)) == json.loads(
        streams.dump(streams.SendMedia("MZ1", payload))
    )


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("stream_*.json")), ids=lambda path: path.stem)
def test_sample_is_read_as_its_name_says(path: Path):
    """`stream_<event>_<defect>.json`: without a defect it is read and written back alike."""
    _, event, *defect = path.stem.split("_")
    ours = event.startswith("our")
    parse = streams.parse_to_carrier if ours else streams.parse_from_carrier
    if defect:
        with pytest.raises(streams.FrameError):
            parse(path.read_bytes())
        return
    frame = parse(path.read_bytes())
    assert frame is not None
    assert json.loads(streams.dump(frame)) == json.loads(path.read_text())


@pytest.mark.parametrize("message", ['{"event":"future","x":1}', b'{"event":""}'])
def test_unknown_event_is_none(message: str | bytes):
    assert streams.parse_from_carrier(message) is None
    assert streams.parse_to_carrier(message) is None


def test_ten_thousand_malformed_messages_raise_frame_error_only():
    """faults.md, malformed input."""
    dice = random.Random(5)
    seeds = [path.read_bytes() for path in sorted(SAMPLES.glob("stream_*.json"))]
    refused = 0
    for _ in range(10_000):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(data) + 1)
            data[at : at + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        try:
            streams.parse_from_carrier(bytes(data))
            streams.parse_to_carrier(bytes(data))
        except streams.FrameError:
            refused += 1
    assert refused > 5_000


def test_deep_nesting_is_refused():
    with pytest.raises(streams.FrameError):
        streams.parse_from_carrier('{"a":' + "[" * 4_000 + "]" * 4_000 + "}")
