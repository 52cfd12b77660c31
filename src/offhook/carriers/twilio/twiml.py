"""TwiML documents: what we answer when the carrier asks how to handle a call.

No document ends by waiting (CM4): what comes after the last verb is that the carrier hangs up.
Sources: twilio.com/docs/voice/twiml/{reject,connect,stream,say,hangup,redirect}. Pure; no I/O.
"""

from collections.abc import Mapping
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


def say_and_hang_up(text: str, *, language: str = "en-US") -> str:
    """Speak a sentence in the carrier's own voice, then end the call."""
    return _document(
        f"<Say language={_attribute(language)}>{escape(readable(text))}</Say><Hangup/>"
    )


def hang_up() -> str:
    return _document("<Hangup/>")


def nothing() -> str:
    """The answer to a text's callback: no reply by this way; replies go through the API."""
    return _document("")


def _attribute(value: str) -> str:
    return quoteattr(readable(value))


def _document(verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'
