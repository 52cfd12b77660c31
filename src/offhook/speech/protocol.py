"""What the application and a speech process say to each other over a Unix socket. Pure.

A frame is

    4 bytes  length of all that follows, big-endian
    1 byte   kind
    2 bytes  length of the head
    head     JSON object, UTF-8
    rest     audio, mulaw 8 kHz, where the kind carries some

`pack` and `parse` are inverse; `Frames` cuts a byte stream into messages. Whatever is not a frame
raises ProtocolError, upon which either side closes the connection: after rubbish nothing that
follows can be trusted. Each request carries a number of its own, chosen by the application, and
every answer repeats it; the processes keep no state between requests.

    application                      process
                            <-- Load          upon connecting, and upon change
    Using               -->                   how many calls this application has
    Transcribe          -->
                            <-- Transcribed | Failed
    Speak               -->
                            <-- Spoken ...    pieces in order
                            <-- Done | Failed
    Cancel              -->                   no answer; what is on its way is ignored
"""

import json
from dataclasses import dataclass, fields
from functools import cache
from struct import Struct
from types import MappingProxyType
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

_HEADER = Struct(">IBH")
_LENGTH = Struct(">I")

MAX_FRAME: Final = 2 * 1024 * 1024
"""Four minutes of audio; a length beyond it is rubbish, and must not make us wait for it."""


_MAX_HEAD: Final = 0xFFFF


class ProtocolError(Exception):
    """The bytes are no frame of this protocol."""


@dataclass(frozen=True, slots=True)
class Load:
    """The process's capacity in calls, how many are in use by all applications, its model."""

    capacity: int
    used: int
    model: str


@dataclass(frozen=True, slots=True)
class Using:
    """How many calls this application has open."""

    calls: int


@dataclass(frozen=True, slots=True)
class Transcribe:
    """A turn's audio. Not `final`: quick words of a turn that goes on."""

    request: int
    final: bool
    language: str
    hints: tuple[str, ...]
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """Words as (text, start_ms, end_ms) from the audio's first sample; no text: nobody spoke."""

    request: int
    text: str
    words: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Speak:
    """A text to say; an empty voice is the default one."""

    request: int
    text: str
    voice: str
    language: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """The next piece of a Speak's audio."""

    request: int
    audio: bytes = b""


@dataclass(frozen=True, slots=True)
class Done:
    """All of a Speak's audio has been sent."""

    request: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The request was not done. `code` is that of an error of port.py."""

    request: int
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The answer is no longer wanted."""

    request: int


Message = Load | Using | Transcribe | Transcribed | Speak | Spoken | Done | Failed | Cancel

_KINDS: MappingProxyType[int, type[Message]] = MappingProxyType(
    {
        1: Load,
        2: Using,
        3: Transcribe,
        4: Transcribed,
        5: Speak,
        6: Spoken,
        7: Done,
        8: Failed,
        9: Cancel,
    }
)
_NUMBERS = {kind: number for number, kind in _KINDS.items()}
_WITH_AUDIO = (Transcribe, Spoken)


@cache
def _adapter(kind: type[Message]) -> TypeAdapter[Message]:
    return TypeAdapter(kind)


def pack(message: Message) -> bytes:
    """The frame of `message`. Raises ProtocolError where it would be longer than MAX_FRAME."""
    audio = message.audio if isinstance(message, _WITH_AUDIO) else b""
    values = {f.name: getattr(message, f.name) for f in fields(message) if f.name != "audio"}
    head = json.dumps(values, ensure_ascii=True).encode()
    length = _HEADER.size - _LENGTH.size + len(head) + len(audio)
    if length > MAX_FRAME or len(head) > _MAX_HEAD:
        raise ProtocolError(f"A message of {length} bytes is longer than a frame.")
    return _HEADER.pack(length, _NUMBERS[type(message)], len(head)) + head + audio


def parse(frame: bytes) -> Message:
    """The message of one whole frame. Raises ProtocolError."""
    if len(frame) < _HEADER.size:
        raise ProtocolError(f"A frame of {len(frame)} bytes has no header.")
    length, number, head_length = _HEADER.unpack_from(frame)
    if length + _LENGTH.size != len(frame) or _HEADER.size + head_length > len(frame):
        raise ProtocolError("The lengths of the frame contradict each other.")
    kind = _KINDS.get(number)
    if kind is None:
        raise ProtocolError(f"There is no kind {number}.")
    head = frame[_HEADER.size : _HEADER.size + head_length]
    audio = frame[_HEADER.size + head_length :]
    return _message(kind, head, audio)


def _message(kind: type[Message], head: bytes, audio: bytes) -> Message:
    try:
        values: Any = json.loads(head)
        if not isinstance(values, dict) or "audio" in values:
            raise ProtocolError(f"The head of a {kind.__name__} is no object of its fields.")
        if kind in _WITH_AUDIO:
            values["audio"] = audio
        elif audio:
            raise ProtocolError(f"A {kind.__name__} carries no audio.")
        return _adapter(kind).validate_python(values)
    except (ValueError, RecursionError, ValidationError) as error:
        raise ProtocolError(f"The head of a {kind.__name__} cannot be read: {error}") from error


class Frames:
    """Cuts a byte stream into messages, however it was split on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by `data`. Raises ProtocolError; the stream is then of no use."""
        self._buffer += data
        messages: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise ProtocolError(f"A frame of {length} bytes is longer than {MAX_FRAME}.")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frame = bytes(self._buffer[:end])
            del self._buffer[:end]
            messages.append(parse(frame))
        return messages
