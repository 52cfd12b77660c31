"""Media Streams: the JSON messages of a bidirectional stream, both directions, both ways.

`parse_from_carrier` and `parse_to_carrier` read, `dump` writes; each is the inverse of the other.
Audio is G.711 mu-law at 8 kHz; the carrier sends 160 bytes (20 ms) a message and takes any length.
Source: twilio.com/docs/voice/media-streams/websocket-messages. Pure; no I/O, no clock.

from the carrier: connected, start, media, dtmf, mark, stop; to the carrier: media, mark, clear.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from offhook.carriers.twilio.forms import readable

FRAME_BYTES = 160
FRAME_MS = 20
SILENCE = b"\xff" * FRAME_BYTES
MAX_MESSAGE_CHARACTERS = 8_192  # from the carrier (SEC26)
MAX_MESSAGE_TO_CARRIER = 2_000_000
MAX_TEXT_CHARACTERS = 500
_MAX_NUMBER_DIGITS = 12  # 30 years in milliseconds
_DIGITS = frozenset("0123456789*#ABCDabcd")


class FrameError(ValueError):
    """A message that does not follow the protocol; the text says which part."""


@dataclass(frozen=True, slots=True)
class Connected:
    protocol: str = "Call"
    version: str = "1.0.0"


@dataclass(frozen=True, slots=True)
class Start:
    """The stream's identity and the `<Parameter>` values of its document (SEC4's token)."""

    stream_id: str
    call_id: str
    account_id: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    sequence: int = 1


@dataclass(frozen=True, slots=True)
class Media:
    """Audio of the caller; `timestamp_ms` counts from the stream's start."""

    stream_id: str
    payload: bytes
    timestamp_ms: int
    chunk: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Dtmf:
    stream_id: str
    digit: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Mark:
    """All audio before our mark of this name was played, or was discarded by a clear."""

    stream_id: str
    name: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Stop:
    stream_id: str
    call_id: str
    account_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class SendMedia:
    stream_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendMark:
    stream_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    stream_id: str


FromCarrier = Connected | Start | Media | Dtmf | Mark | Stop
ToCarrier = SendMedia | SendMark | Clear


def parse_from_carrier(message: str | bytes) -> FromCarrier | None:
    """Read a message of the carrier; None for an event that this version does not know.

    Raises FrameError, and nothing else whatever is sent.
    """
    data = _load(message, MAX_MESSAGE_CHARACTERS)
    reader = _FROM_CARRIER.get(_text(data, "event"))
    return reader(data) if reader else None


def parse_to_carrier(message: str | bytes) -> ToCarrier | None:
    """Read a message of the application, as the carrier does; otherwise like its sibling."""
    data = _load(message, MAX_MESSAGE_TO_CARRIER)
    reader = _TO_CARRIER.get(_text(data, "event"))
    return reader(data) if reader else None


def dump(frame: FromCarrier | ToCarrier) -> str:
    """The JSON text of a message, such that its parser gives the same frame back."""
    if isinstance(frame, SendMedia | SendMark | Clear):
        return json.dumps(_to_carrier(frame), separators=(",", ":"))
    return json.dumps(_from_carrier(frame), separators=(",", ":"))


def dump_media(stream_id: str, payload: bytes) -> str:
    """`dump(SendMedia(...))` without the detour: one is written each 20 ms for each call."""
    encoded = base64.b64encode(payload).decode("ascii")
    return f'{{"event":"media","streamSid":"{stream_id}","media":{{"payload":"{encoded}"}}}}'


def _from_carrier(frame: FromCarrier) -> dict[str, Any]:
    match frame:
        case Connected():
            return {"event": "connected", "protocol": frame.protocol, "version": frame.version}
        case Start():
            event, content = "start", _dumped_start(frame)
        case Media():
            event, content = "media", _dumped_media(frame)
        case Dtmf():
            event, content = "dtmf", {"track": "inbound_track", "digit": frame.digit}
        case Mark():
            event, content = "mark", {"name": frame.name}
        case Stop():
            event, content = "stop", {"accountSid": frame.account_id, "callSid": frame.call_id}
    return {
        "event": event,
        "sequenceNumber": str(frame.sequence),  # numbers travel as strings from the carrier
        "streamSid": frame.stream_id,
        event: content,
    }


def _to_carrier(frame: ToCarrier) -> dict[str, Any]:
    match frame:
        case SendMedia():
            payload = base64.b64encode(frame.payload).decode("ascii")
            return {"event": "media", "streamSid": frame.stream_id, "media": {"payload": payload}}
        case SendMark():
            return {"event": "mark", "streamSid": frame.stream_id, "mark": {"name": frame.name}}
        case Clear():
            return {"event": "clear", "streamSid": frame.stream_id}


def _dumped_start(frame: Start) -> dict[str, Any]:
    return {
        "streamSid": frame.stream_id,
        "accountSid": frame.account_id,
        "callSid": frame.call_id,
        "tracks": ["inbound"],
        "customParameters": dict(frame.parameters),
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }


def _dumped_media(frame: Media) -> dict[str, Any]:
    return {
        "track": "inbound",
        "chunk": str(frame.chunk),
        "timestamp": str(frame.timestamp_ms),
        "payload": base64.b64encode(frame.payload).decode("ascii"),
    }


def _connected(data: dict[str, Any]) -> Connected:
    return Connected(_text(data, "protocol", "Call"), _text(data, "version", "1.0.0"))


def _start(data: dict[str, Any]) -> Start:
    start = _object(data, "start")
    audio = _object(start, "mediaFormat")
    if (audio.get("encoding"), audio.get("sampleRate")) != ("audio/x-mulaw", 8000):
        raise FrameError("start: the audio is not mu-law at 8 kHz")
    parameters = _object(start, "customParameters") if "customParameters" in start else {}
    return Start(
        stream_id=_text(start, "streamSid"),
        call_id=_text(start, "callSid"),
        account_id=_text(start, "accountSid"),
        parameters={readable(name): _text(parameters, name) for name in parameters},
        sequence=_number(data, "sequenceNumber"),
    )


def _media(data: dict[str, Any]) -> Media:
    media = _object(data, "media")
    return Media(
        stream_id=_text(data, "streamSid"),
        payload=_payload(media),
        timestamp_ms=_number(media, "timestamp"),
        chunk=_number(media, "chunk"),
        sequence=_number(data, "sequenceNumber"),
    )


def _dtmf(data: dict[str, Any]) -> Dtmf:
    digit = _text(_object(data, "dtmf"), "digit")
    if digit not in _DIGITS:
        raise FrameError(f"dtmf: {digit[:8]!r} is no key")
    return Dtmf(_text(data, "streamSid"), digit, _number(data, "sequenceNumber"))


def _stop(data: dict[str, Any]) -> Stop:
    stop = _object(data, "stop")
    return Stop(
        stream_id=_text(data, "streamSid"),
        call_id=_text(stop, "callSid"),
        account_id=_text(stop, "accountSid"),
        sequence=_number(data, "sequenceNumber"),
    )


def _mark(data: dict[str, Any]) -> Mark:
    name = _text(_object(data, "mark"), "name")
    return Mark(_text(data, "streamSid"), name, _number(data, "sequenceNumber"))


def _send_media(data: dict[str, Any]) -> SendMedia:
    return SendMedia(_text(data, "streamSid"), _payload(_object(data, "media")))


def _send_mark(data: dict[str, Any]) -> SendMark:
    return SendMark(_text(data, "streamSid"), _text(_object(data, "mark"), "name"))


def _clear(data: dict[str, Any]) -> Clear:
    return Clear(_text(data, "streamSid"))


_FROM_CARRIER: dict[str, Callable[[dict[str, Any]], FromCarrier]] = {
    "connected": _connected,
    "start": _start,
    "media": _media,
    "dtmf": _dtmf,
    "mark": _mark,
    "stop": _stop,
}
_TO_CARRIER: dict[str, Callable[[dict[str, Any]], ToCarrier]] = {
    "media": _send_media,
    "mark": _send_mark,
    "clear": _clear,
}


def _load(message: str | bytes, limit: int) -> dict[str, Any]:
    if len(message) > limit:
        raise FrameError(f"{len(message)} characters, more than {limit}")
    try:
        data: Any = json.loads(message)
    except (ValueError, RecursionError):
        raise FrameError("no JSON") from None
    if not isinstance(data, dict):
        raise FrameError("no JSON object")
    return cast("dict[str, Any]", data)


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    value: Any = data.get(name)
    if not isinstance(value, dict):
        raise FrameError(f"{name} is no object")
    return cast("dict[str, Any]", value)


def _text(data: dict[str, Any], name: str, default: str | None = None) -> str:
    value: Any = data.get(name, default)
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARACTERS:
        raise FrameError(f"{readable(name)[:40]} is no text of at most {MAX_TEXT_CHARACTERS}")
    return readable(value)


def _number(data: dict[str, Any], name: str) -> int:
    value: Any = data.get(name, 0)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_NUMBER_DIGITS):
        raise FrameError(f"{name} is no whole number")
    return int(text)


def _payload(media: dict[str, Any]) -> bytes:
    value: Any = media.get("payload")
    if not isinstance(value, str):
        raise FrameError("media: no payload")
    try:
        return base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise FrameError("media: the payload is no base64") from None
