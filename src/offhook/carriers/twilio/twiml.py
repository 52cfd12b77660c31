"""TwiML documents: what we answer when the carrier asks how to handle a call.

No document ends by waiting (CM4): what comes after the last verb is that the carrier hangs up.
Sources: twilio.com/docs/voice/twiml/{reject,connect,stream,say,hangup,redirect,dial,number,gather}.
Pure; no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from offhook.carriers.twilio.forms import readable

CONTENT_TYPE = "text/xml; charset=utf-8"
MAX_PARAMETER_CHARACTERS = 500  # name and value together, Twilio's limit for <Parameter>


def reject(reason: Literal["busy", "rejected"]) -> str:
    """Do not answer: the caller pays nothing and hears busy, or that the number is not in use."""
    return _document(f"<Reject reason={quoteattr(reason)}/>")


def connect_stream(
    url: str,
    *,
    parameters: Mapping[str, str],
    action_url: str,
    status_url: str = "",
) -> str:
    """Answer, and carry the audio both ways over a WebSocket to `url` (wss).

    `parameters` arrive in the stream's start message; a query in `url` would not. When the stream
    ends the carrier asks `action_url` how to go on.
    """
    for name, value in parameters.items():
        if len(name) + len(value) > MAX_PARAMETER_CHARACTERS:
            raise ValueError(f"<Parameter> {name} has more than {MAX_PARAMETER_CHARACTERS}")
    inner = "".join(
        f"<Parameter name={_attribute(name)} value={_attribute(value)}/>"
        for name, value in parameters.items()
    )
    status = f" statusCallback={_attribute(status_url)}" if status_url else ""
    stream = f"<Stream url={_attribute(url)}{status}>{inner}</Stream>"
    return _document(f"<Connect action={_attribute(action_url)}>{stream}</Connect>")


@dataclass(frozen=True, slots=True)
class Leg:
    """A second leg to `number`, which sees `caller_id` and rings for `ring_s` at most.

    `answered_url` hears of its answer. With `announce_url` its document is played to whoever
    answers before the two are joined; with `machine_url` the carrier listens whether a machine
    answered, and tells it.
    """

    number: str
    caller_id: str
    ring_s: int
    answered_url: str
    announce_url: str = ""
    machine_url: str = ""


def dial(leg: Leg, *, action_url: str, said: str = "", language: str = "en-US") -> str:
    """Join the caller with a second leg. However that ends, the carrier asks `action_url`. The
    caller hears `said` first, in the carrier's own voice.
    """
    options = {
        "url": leg.announce_url,
        "statusCallback": leg.answered_url,
        "statusCallbackEvent": "answered",
        "machineDetection": "Enable" if leg.machine_url else "",
        "amdStatusCallback": leg.machine_url,
    }
    attributes = "".join(f" {name}={_attribute(value)}" for name, value in options.items() if value)
    before = _said(said, language) if said else ""
    return _document(
        f"{before}<Dial action={_attribute(action_url)} callerId={_attribute(leg.caller_id)}"
        f' timeout="{leg.ring_s}">'
        f"<Number{attributes}>{escape(leg.number)}</Number></Dial>"
    )


def announce(text: str, *, accept_url: str, wait_s: int, language: str = "en-US") -> str:
    """Say who is calling, twice, and wait for a key each time; without one the leg is hung up.

    A machine presses none. The key arrives at `accept_url`, whose document goes on from there.
    """
    said = _said(text, language)
    gather = (
        f'<Gather numDigits="1" timeout="{wait_s}" action={_attribute(accept_url)}>{said}</Gather>'
    )
    return _document(f"{gather}{gather}<Hangup/>")


def say_and_hang_up(text: str, *, language: str = "en-US") -> str:
    """Speak a sentence in the carrier's own voice, then end the call."""
    return _document(f"{_said(text, language)}<Hangup/>")


def hang_up() -> str:
    return _document("<Hangup/>")


def nothing() -> str:
    """The answer to a text's callback, whose replies go through the API; on a leg that was
    announced: go on, the two are joined.
    """
    return _document("")


def _said(text: str, language: str) -> str:
    return f"<Say language={_attribute(language)}>{escape(readable(text))}</Say>"


def _attribute(value: str) -> str:
    return quoteattr(readable(value))


def _document(verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'
