"""The process protocol: both directions, any cut of the stream, rubbish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.speech import protocol
from offhook.speech.protocol import Frames, ProtocolError, pack, parse

NUMBERS = st.integers(0, 2**31)
TEXTS = st.text(max_size=60)
WORDS = st.lists(st.tuples(TEXTS, NUMBERS, NUMBERS), max_size=4).map(tuple)
MESSAGES = st.one_of(
    st.builds(protocol.Load, NUMBERS, NUMBERS, TEXTS),
    st.builds(protocol.Using, NUMBERS),
    st.builds(
        protocol.Transcribe,
        NUMBERS,
        st.booleans(),
        TEXTS,
        st.lists(TEXTS, max_size=3).map(tuple),
        st.binary(max_size=300),
    ),
    st.builds(protocol.Transcribed, NUMBERS, TEXTS, WORDS),
    st.builds(protocol.Speak, NUMBERS, TEXTS, TEXTS, TEXTS),
    st.builds(protocol.Spoken, NUMBERS, st.binary(max_size=300)),
    st.builds(protocol.Done, NUMBERS),
    st.builds(protocol.Failed, NUMBERS, TEXTS, TEXTS),
    st.builds(protocol.Cancel, NUMBERS),
)


@given(MESSAGES)
def test_parse_is_the_inverse_of_pack(message: protocol.Message) -> None:
    assert parse(pack(message)) == message


@given(st.lists(MESSAGES, max_size=4), st.integers(1, 50))
def test_frames_come_out_whole_however_the_stream_is_cut(
    messages: list[protocol.Message], size: int
) -> None:
    stream = b"".join(map(pack, messages))
    frames = Frames()
    found = [m for i in range(0, len(stream), size) for m in frames.feed(stream[i : i + size])]
    assert found == messages


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else_happens(data: bytes) -> None:
    for read in (parse, Frames().feed):
        try:
            read(data)
        except ProtocolError:
            continue


def test_frame_longer_than_the_limit_is_refused_before_it_arrives() -> None:
    with pytest.raises(ProtocolError):
        Frames().feed(b"\x7f\xff\xff\xff")
