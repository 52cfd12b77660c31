"""Twilio's callbacks as typed events.

Each parser takes the fields of a form whose signature has been verified, reads the known names
only, refuses repeated ones (SEC1b), makes text storable (SM8) and classifies the sender (SM4,
CI2). They raise `CallbackMalformed` and nothing else. Sources: twilio.com/docs/messaging/guides/
webhook-request, /docs/voice/twiml#request-parameters, /docs/voice/twiml/stream. Pure; no I/O.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from offhook.carriers.port import AnsweredBy, CallState, Media, MessageState
from offhook.carriers.twilio.forms import readable, repeated_names
from offhook.errors import Problem
from offhook.phone import E164, Sender, sender

MAX_BODY_CHARACTERS = 1_600  # the carrier's own limit for one message (SEC26)
MAX_VALUE_CHARACTERS = 400
MAX_MEDIA = 10
_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}", re.IGNORECASE | re.ASCII)
_CALL_SID = re.compile(r"CA[0-9a-f]{32}", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"\+[0-9]{7,15}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,7}", re.ASCII)

Fields = Sequence[tuple[str, str]]
Kind = TypeVar("Kind", bound=StrEnum)


class CallbackMalformed(Problem):
    """A callback that the carrier would not send: a name twice, an id missing or misspelt."""

    code = "callback_malformed"
    status = 400


@dataclass(frozen=True, slots=True)
class Place:
    """Where the carrier thinks the number is at home; any part may be empty."""

    city: str = ""
    region: str = ""
    zip: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class InboundSms:
    """A text to one of our numbers. `opt_out` is set where the carrier itself acted on STOP."""

    message_id: str
    account_id: str
    sender: Sender
    to: E164
    body: str
    segments: int
    media: tuple[Media, ...]
    place: Place
    opt_out: str = ""


@dataclass(frozen=True, slots=True)
class InboundCall:
    """A call to one of our numbers, or a request about one (redirect, end of a `<Connect>`).

    `attestation` is A, B or C from StirVerstat, prefixed `failed-` where it did not verify, or
    empty: a hint only (SEC10).
    """

    call_id: str
    account_id: str
    sender: Sender
    to: E164
    state: CallState
    direction: str
    caller_name: str
    forwarded_from: str
    attestation: str
    place: Place


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """News of a message we sent."""

    message_id: str
    state: MessageState
    error_code: int | None


@dataclass(frozen=True, slots=True)
class CallStatus:
    """News of a call; `duration_s` (from the answer) is known at its end, else 0."""

    call_id: str
    state: CallState
    duration_s: int
    sequence: int


@dataclass(frozen=True, slots=True)
class DialEnded:
    """A second leg is over; the request is about the caller's own call.

    `caller_state` is final when the caller is gone. `outcome` is the leg's own end: an answered
    one is COMPLETED whether or not the two were ever `joined`.
    """

    call_id: str
    caller_state: CallState
    leg_id: str
    outcome: CallState
    duration_s: int
    joined: bool


@dataclass(frozen=True, slots=True)
class LegNews:
    """A request about a second leg: it was answered, its announcement or a key is asked about.

    `machine` says what answered, where the carrier listened.
    """

    leg_id: str
    parent_id: str
    state: CallState | None
    digits: str
    machine: bool


class StreamEvent(StrEnum):
    STARTED = "stream-started"
    STOPPED = "stream-stopped"
    ERROR = "stream-error"


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """News of a media stream; `error` is the carrier's text, such as 31921's."""

    call_id: str
    stream_id: str
    event: StreamEvent
    error: str


def parse_inbound_sms(fields: Fields) -> InboundSms:
    form = _Form(fields)
    return InboundSms(
        message_id=form.matching(_MESSAGE_SID, "MessageSid", "SmsMessageSid", "SmsSid"),
        account_id=form.text("AccountSid"),
        sender=sender(form.text("From")),
        to=E164(form.matching(_NUMBER, "To")),
        body=form.body("Body"),
        segments=max(1, form.count("NumSegments")),
        media=_media(form),
        place=_place(form),
        opt_out=form.text("OptOutType").upper(),
    )


def parse_inbound_call(fields: Fields) -> InboundCall:
    form = _Form(fields)
    return InboundCall(
        call_id=form.matching(_CALL_SID, "CallSid"),
        account_id=form.text("AccountSid"),
        sender=sender(form.text("From")),
        to=E164(form.matching(_NUMBER, "To", "Called")),
        state=form.member(CallState, "CallStatus"),
        direction=form.text("Direction"),
        caller_name=form.text("CallerName"),
        forwarded_from=form.text("ForwardedFrom"),
        attestation=_attestation(form.text("StirVerstat")),
        place=_place(form),
    )


def parse_message_status(fields: Fields) -> MessageStatus:
    form = _Form(fields)
    return MessageStatus(
        message_id=form.matching(_MESSAGE_SID, "MessageSid", "SmsSid"),
        state=form.member(MessageState, "MessageStatus", "SmsStatus"),
        error_code=form.count("ErrorCode") or None,
    )


def parse_call_status(fields: Fields) -> CallStatus:
    form = _Form(fields)
    return CallStatus(
        call_id=form.matching(_CALL_SID, "CallSid"),
        state=form.member(CallState, "CallStatus"),
        duration_s=form.count("CallDuration"),
        sequence=form.count("SequenceNumber"),
    )


def parse_dial_ended(fields: Fields) -> DialEnded:
    """Source: twilio.com/docs/voice/twiml/dial, action. `DialBridged` is missing where it says
    what the leg's length says too.
    """
    form = _Form(fields)
    duration_s = form.count("DialCallDuration")
    outcome = form.text("DialCallStatus")
    bridged = form.text("DialBridged")
    return DialEnded(
        call_id=form.matching(_CALL_SID, "CallSid"),
        caller_state=form.member(CallState, "CallStatus"),
        leg_id=form.text("DialCallSid"),
        outcome=CallState.COMPLETED
        if outcome == "answered"
        else form.member(CallState, "DialCallStatus"),
        duration_s=duration_s,
        joined=bridged == "true" if bridged else duration_s > 0,
    )


def parse_leg_news(fields: Fields) -> LegNews:
    """Sources: twilio.com/docs/voice/twiml/number, /docs/voice/answering-machine-detection.

    A request about a machine tells no `CallStatus`. Anything but a voice is no person.
    """
    form = _Form(fields)
    answered_by = form.text("AnsweredBy")
    return LegNews(
        leg_id=form.matching(_CALL_SID, "CallSid"),
        parent_id=form.text("ParentCallSid"),
        state=form.member(CallState, "CallStatus") if form.text("CallStatus") else None,
        digits=form.text("Digits"),
        machine=answered_by.startswith("machine") or answered_by == "fax",
    )


def parse_answered_by(fields: Fields) -> AnsweredBy:
    """Who answered a call that we started; a name that is not known yet counts as unknown.

    Source: twilio.com/docs/voice/answering-machine-detection.
    """
    told = _Form(fields).text("AnsweredBy")
    if told.startswith("machine_end"):
        return AnsweredBy.MACHINE_END
    known = {
        "human": AnsweredBy.HUMAN,
        "machine_start": AnsweredBy.MACHINE,
        "fax": AnsweredBy.FAX,
    }
    return known.get(told, AnsweredBy.UNKNOWN)


def parse_stream_status(fields: Fields) -> StreamStatus:
    form = _Form(fields)
    return StreamStatus(
        call_id=form.matching(_CALL_SID, "CallSid"),
        stream_id=form.text("StreamSid"),
        event=form.member(StreamEvent, "StreamEvent"),
        error=form.text("StreamError"),
    )


def _media(form: "_Form") -> tuple[Media, ...]:
    count = min(form.count("NumMedia"), MAX_MEDIA)
    return tuple(
        Media(form.text(f"MediaUrl{index}"), form.text(f"MediaContentType{index}"))
        for index in range(count)
    )


def _place(form: "_Form") -> Place:
    return Place(
        city=form.text("FromCity"),
        region=form.text("FromState"),
        zip=form.text("FromZip"),
        country=form.text("FromCountry"),
    )


def _attestation(verstat: str) -> str:
    """`TN-Validation-Passed-A` and its kin (twilio.com/docs/voice/trusted-calling-with-shakenstir).

    Anything that is not a known spelling counts as no attestation at all.
    """
    found = re.fullmatch(r"TN-Validation-(Passed|Failed)-([ABC])(?:-\w+)*", verstat, re.ASCII)
    if not found:
        return ""
    return found[2] if found[1] == "Passed" else f"failed-{found[2]}"


class _Form:
    """Fields by name, each at most once, each made readable when it is asked for."""

    def __init__(self, fields: Fields) -> None:
        if repeated := repeated_names(fields):
            name = readable(min(repeated))[:40]
            raise CallbackMalformed(f"The field “{name}” stands in the callback twice.")
        self._values = dict(fields)

    def text(self, name: str) -> str:
        return readable(self._values.get(name, ""))[:MAX_VALUE_CHARACTERS].strip()

    def body(self, name: str) -> str:
        return readable(self._values.get(name, ""))[:MAX_BODY_CHARACTERS]

    def count(self, name: str) -> int:
        """A whole number; 0 where it is missing or something else."""
        text = self.text(name)
        return int(text) if _COUNT.fullmatch(text) else 0

    def matching(self, pattern: re.Pattern[str], *names: str) -> str:
        """The value of the first of `names` that is there, which must have the pattern."""
        name = next((name for name in names if name in self._values), names[0])
        value = self.text(name)
        if not pattern.fullmatch(value):
            raise CallbackMalformed(f"{name} “{value[:40]}” is not what the carrier sends.")
        return value

    def member(self, kind: type[Kind], *names: str) -> Kind:
        name = next((name for name in names if name in self._values), names[0])
        value = self.text(name)
        try:
            return kind(value)
        except ValueError:
            raise CallbackMalformed(f"{name} “{value[:40]}” is unknown.") from None
