"""Reads TwiML as the carrier does: a document becomes a list of verbs. Pure.

The verbs that a voice application needs to answer, stream, speak, refuse and end; an unknown verb
is an error of the document, as at Twilio (12100 and following).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

MAX_DOCUMENT_CHARACTERS = 64_000


class DocumentError(ValueError):
    """The document is no TwiML; the text says where."""


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class Dial:
    number: str
    action: str


@dataclass(frozen=True, slots=True)
class Stream:
    url: str
    action: str
    status_url: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Reply:
    """`<Message>`: a text in answer to a text."""

    body: str


Verb = Reject | Hangup | Say | Pause | Redirect | Dial | Stream | Reply


def parse(document: str) -> list[Verb]:
    """The verbs of a document in order. Raises DocumentError, and nothing else."""
    if len(document) > MAX_DOCUMENT_CHARACTERS or "<!" in document:
        raise DocumentError("too long, or with a document type")
    try:
        root = ET.fromstring(document.encode())  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError, LookupError):
        raise DocumentError("no XML") from None
    if root.tag != "Response":
        raise DocumentError(f"<{root.tag}> where <Response> should be")
    return [_verb(element) for element in root]


def _verb(element: ET.Element) -> Verb:
    reader = _READERS.get(element.tag)
    if reader is None:
        raise DocumentError(f"<{element.tag}> is not known here")
    return reader(element)


def _reject(element: ET.Element) -> Verb:
    reason = element.get("reason", "rejected")
    if reason not in {"busy", "rejected"}:
        raise DocumentError(f"<Reject> for {reason!r}")
    return Reject(reason)


def _pause(element: ET.Element) -> Verb:
    try:
        return Pause(max(0.0, float(element.get("length", "1"))))
    except ValueError:
        raise DocumentError("<Pause> without a number") from None


def _connect(element: ET.Element) -> Verb:
    stream = element.find("Stream")
    if stream is None or not stream.get("url", "").startswith(("ws://", "wss://")):
        raise DocumentError("<Connect> without a <Stream> to a WebSocket")
    return Stream(
        url=stream.get("url", ""),
        action=element.get("action", ""),
        status_url=stream.get("statusCallback", ""),
        parameters={
            each.get("name", ""): each.get("value", "") for each in stream.findall("Parameter")
        },
    )


def _dial(element: ET.Element) -> Verb:
    number = element.find("Number")
    text = (number.text if number is not None else element.text) or ""
    return Dial(number=text.strip(), action=element.get("action", ""))


def _reply(element: ET.Element) -> Verb:
    body = element.find("Body")
    return Reply(((body.text if body is not None else element.text) or "").strip())


_READERS: dict[str, Callable[[ET.Element], Verb]] = {
    "Reject": _reject,
    "Hangup": lambda _: Hangup(),
    "Say": lambda element: Say("".join(element.itertext()).strip()),
    "Pause": _pause,
    "Redirect": lambda element: Redirect((element.text or "").strip()),
    "Connect": _connect,
    "Dial": _dial,
    "Message": _reply,
}
