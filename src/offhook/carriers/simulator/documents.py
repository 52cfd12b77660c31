"""Reads TwiML as the carrier does: a document becomes a list of verbs. Pure.

The verbs that a voice application needs to answer, stream, speak, refuse and end; an unknown verb
is an error of the document, as at Twilio (12100 and following).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

MAX_DOCUMENT_CHARACTERS = 64_000
MAX_SECONDS = 600.0


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
    """`url`, `status_url` and `amd_url` are those of its `<Number>`."""

    number: str
    action: str
    caller_id: str = ""
    timeout_s: float = 30.0
    url: str = ""
    status_url: str = ""
    status_events: frozenset[str] = frozenset({"completed"})
    amd_url: str = ""


@dataclass(frozen=True, slots=True)
class Gather:
    """Speaks, then waits for keys; without any the document goes on behind it."""

    action: str
    timeout_s: float
    digits: int
    prompts: tuple[Say, ...]


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


Verb = Reject | Hangup | Say | Pause | Redirect | Dial | Gather | Stream | Reply


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
    noun = element if number is None else number
    detects = noun.get("machineDetection", "") in {"Enable", "DetectMessageEnd"}
    return Dial(
        number=(noun.text or "").strip(),
        action=element.get("action", ""),
        caller_id=element.get("callerId", ""),
        timeout_s=_seconds(element, "timeout", "30"),
        url=noun.get("url", ""),
        status_url=noun.get("statusCallback", ""),
        status_events=frozenset(noun.get("statusCallbackEvent", "completed").split()),
        amd_url=noun.get("amdStatusCallback", "") if detects else "",
    )


def _gather(element: ET.Element) -> Verb:
    return Gather(
        action=element.get("action", ""),
        timeout_s=_seconds(element, "timeout", "5"),
        digits=max(1, round(_seconds(element, "numDigits", "1"))),
        prompts=tuple(Say("".join(said.itertext()).strip()) for said in element.findall("Say")),
    )


def _seconds(element: ET.Element, name: str, default: str) -> float:
    text = element.get(name, default)
    if not (text.isascii() and text.isdigit()):
        raise DocumentError(f"<{element.tag}> with {name} {text[:20]!r}")
    return min(float(text), MAX_SECONDS)


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
    "Gather": _gather,
    "Message": _reply,
}
