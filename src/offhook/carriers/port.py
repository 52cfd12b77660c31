"""The port: what Offhook asks of whoever connects it to the phone network.

Every carrier implements `Carrier`; one contract test (tests/carriers/test_contract.py) holds for
all of them. Money is integer micros with a currency, times are aware and UTC, numbers are E.164.
Knows no vendor, no HTTP and no number of ours.

    CarrierProblem
    ├── Refused       the carrier understood and said no; nothing happened there
    └── Unreachable   no usable answer; `outcome_unknown` says whether it may have happened
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from offhook.errors import Problem
from offhook.phone import E164

OPTED_OUT = 21610
NOT_FOUND = 20404
WRONG_CREDENTIALS = 20003
TEST_CREDENTIALS = 20008  # an account's second pair, for trying the API without effect
ACCOUNT_NOT_ACTIVE = 20005
NOT_ACTIVE = frozenset({10001, ACCOUNT_NOT_ACTIVE, 20403, 90010})


class NumberType(StrEnum):
    LOCAL = "local"
    MOBILE = "mobile"
    TOLL_FREE = "toll_free"


class Registration(StrEnum):
    """What a country or the carrier wants on file before the number may be bought or may send."""

    ADDRESS = "address"
    A2P = "a2p"
    TOLL_FREE_VERIFICATION = "toll_free_verification"


class AccountStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class MessageState(StrEnum):
    """The life of a message; the last five are final (S6)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    RECEIVED = "received"
    CANCELED = "canceled"


class CallState(StrEnum):
    """The life of a call; all but the first three are final."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self not in {CallState.QUEUED, CallState.RINGING, CallState.IN_PROGRESS}


class Detection(StrEnum):
    """What a carrier listens for when a call that we started is answered."""

    START = "start"
    """Whether a machine answers: told as soon as it is known."""
    MESSAGE_END = "message_end"
    """The same, and of a machine when its greeting is over: the beep."""


class AnsweredBy(StrEnum):
    """Who or what answered, by the carrier's ear."""

    HUMAN = "human"
    MACHINE = "machine"
    MACHINE_END = "machine_end"
    """A machine whose greeting is over: it records now."""
    FAX = "fax"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Capabilities:
    voice: bool
    sms: bool
    mms: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for in the inventory (A2). `digits` may stand anywhere in the number."""

    country: str = "US"
    type: NumberType = NumberType.LOCAL
    area_code: str = ""
    digits: str = ""
    voice: bool = False
    sms: bool = False
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """A number that can be bought now, with the carrier's monthly price for it."""

    e164: E164
    country: str
    type: NumberType
    locality: str
    region: str
    capabilities: Capabilities
    monthly_price_micros: int
    currency: str
    registrations: tuple[Registration, ...] = ()


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Where the carrier reports; an empty string is "nowhere". Absolute URLs.

    `voice_url` decides about an inbound call, `sms_url` takes an inbound text, `status_url` hears
    of the end of calls. The fallbacks are asked when the first fails.
    """

    voice_url: str = ""
    sms_url: str = ""
    status_url: str = ""
    voice_fallback_url: str = ""
    sms_fallback_url: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A number in our account at the carrier. `order_tag` is what `buy` was given."""

    carrier_id: str
    e164: E164
    order_tag: str
    capabilities: Capabilities
    callbacks: Callbacks


@dataclass(frozen=True, slots=True)
class Described:
    """What a carrier says of an account. `trial`: it reaches verified telephones only."""

    name: str
    status: AccountStatus
    trial: bool


Routing = Mapping[str, str]
"""All that decides where a number's calls and texts go, in the carrier's own names and spelling:
to be kept, compared and put back as it is. An empty value is "not set"."""


@dataclass(frozen=True, slots=True)
class SmsOut:
    """A text to send; its delivery is reported to `status_url`. At most 1,600 characters."""

    sender: E164
    to: E164
    body: str
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class CallOut:
    """A call to make. Whoever answers within `ring_s` is connected as the document at `answer_url`
    says; its end, answered or not, is told to `status_url`, and what `detection` heard to
    `machine_url`. Absolute URLs.
    """

    sender: E164
    to: E164
    answer_url: str
    status_url: str
    ring_s: int
    detection: Detection | None = None
    machine_url: str = ""


class Direction(StrEnum):
    """As seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Media:
    """A file that came with a text: where it is, and what the carrier says that it is."""

    url: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the carrier has it. `sender` of an inbound one is raw: it may be no number.

    `files`: how many came with it, for `list_media`.
    `price_micros`: what it costs us, in `currency`; None while the carrier has not priced it.
    """

    carrier_id: str
    sender: str
    to: str
    body: str
    state: MessageState
    created_at: datetime
    error_code: int | None = None
    segments: int = 1
    files: int = 0
    direction: Direction = Direction.OUTBOUND
    price_micros: int | None = None
    currency: str = ""

    @property
    def ours(self) -> str:
        """The number of ours that it was sent from or to."""
        return self.to if self.direction is Direction.INBOUND else self.sender


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as the carrier has it; `duration_s` counts from the answer, 0 without one.

    `parent_id`: the call that a transfer's leg came from; empty for a call of its own.
    `price_micros`: what it costs us, in `currency`; None while the carrier has not priced it.
    """

    carrier_id: str
    sender: str
    to: str
    state: CallState
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: int
    created_at: datetime
    direction: Direction = Direction.INBOUND
    price_micros: int | None = None
    currency: str = ""
    parent_id: str = ""

    @property
    def at(self) -> datetime:
        """When it began, as far as the carrier knows."""
        return self.started_at or self.created_at

    @property
    def answered(self) -> bool:
        return self.state is CallState.COMPLETED and self.duration_s > 0

    @property
    def ours(self) -> str:
        """The number of ours that it was made from or to."""
        return self.to if self.direction is Direction.INBOUND else self.sender


@dataclass(frozen=True, slots=True)
class CallerName:
    """The entry of a directory of caller names (CNAM), as it stands there."""

    name: str
    business: bool = False


class CarrierProblem(Problem):
    code = "carrier_problem"
    status = 502


class Refused(CarrierProblem):
    """The carrier refused and nothing happened there. `carrier_code` is its own error number."""

    code = "carrier_refused"
    status = 409

    def __init__(self, sentence: str, *, carrier_code: int | None = None, remedy: str = "") -> None:
        details: dict[str, Any] = {"carrier_code": carrier_code}
        super().__init__(sentence, remedy=remedy, **details)
        self.carrier_code = carrier_code

    @property
    def opted_out(self) -> bool:
        """The recipient has stopped this sender at the carrier; to be learnt, not retried (SM1)."""
        return self.carrier_code == OPTED_OUT

    @property
    def signed_out(self) -> bool:
        """Whatever is asked, the account's SID and token do not open it."""
        return self.carrier_code in {WRONG_CREDENTIALS, TEST_CREDENTIALS, *NOT_ACTIVE}

    @property
    def gone(self) -> bool:
        return self.carrier_code == NOT_FOUND


class Unreachable(CarrierProblem):
    """No usable answer came.

    `outcome_unknown`: the request may have been carried out, so look it up (`find`, `find_sent`,
    `find_placed`) before asking again. False: it was certainly not carried out, and asking again
    is safe.
    """

    code = "carrier_unreachable"
    status = 503

    def __init__(self, sentence: str, *, outcome_unknown: bool) -> None:
        super().__init__(
            sentence,
            remedy="Try again in a moment.",
            outcome_unknown=outcome_unknown,
        )
        self.outcome_unknown = outcome_unknown


class Carrier(Protocol):
    """One account at one carrier. Every method raises `Refused` or `Unreachable`, nothing else.

    Methods that only read never raise `Unreachable` with `outcome_unknown`.
    """

    async def describe(self) -> Described:
        """The account itself: the cheapest question that shows whether its token is right."""
        ...

    async def search(self, query: Search) -> list[Offer]:
        """Numbers that can be bought now, at most `query.limit`; none is an empty list."""
        ...

    async def buy(self, e164: E164, *, order_tag: str, callbacks: Callbacks) -> Held:
        """Buy a number and mark it with `order_tag` (64 characters at most), our key for it.

        Not idempotent at the carrier: after a doubt ask `find(order_tag)` first (A5).
        """
        ...

    async def find(self, order_tag: str) -> Held | None:
        """The number that was bought with this tag, or None."""
        ...

    async def list_numbers(self) -> list[Held]:
        """All numbers of the account, whoever bought them."""
        ...

    async def configure(self, carrier_id: str, callbacks: Callbacks) -> Held:
        """Set where the carrier reports for this number; repeating it is harmless.

        Whatever else would send its calls or texts elsewhere (an application, a trunk) is unset.
        """
        ...

    async def routing(self, carrier_id: str) -> Routing:
        """Where its calls and texts go now, whoever set it. A number that is gone: `Refused`."""
        ...

    async def route(self, carrier_id: str, wanted: Routing) -> None:
        """Put back what `routing` told, or a part of it; repeating it is harmless."""
        ...

    async def release(self, carrier_id: str) -> None:
        """Give the number back. A number that is no longer ours counts as released."""
        ...

    async def send(self, sms: SmsOut) -> Message:
        """Hand a text over. After an unknown outcome ask `find_sent` before again (faults a7)."""
        ...

    async def find_sent(
        self, *, sender: E164, to: E164, body: str, after: datetime
    ) -> Message | None:
        """The newest outbound message with exactly these values made at or after `after`."""
        ...

    async def list_received(self, *, after: datetime, to: E164 | None = None) -> list[Message]:
        """Inbound messages made at or after `after`, oldest first: what a lost callback hid."""
        ...

    async def place_call(self, call: CallOut) -> CallRecord:
        """Begin to call. After an unknown outcome ask `find_placed` before again (C8)."""
        ...

    async def find_placed(self, *, sender: E164, to: E164, after: datetime) -> list[CallRecord]:
        """Calls that we began from `sender` to `to` at or after `after`, newest first."""
        ...

    async def list_media(self, message_id: str) -> list[Media]:
        """The files that came with a message, as its callback would have told them."""
        ...

    async def media(self, url: str, *, most_bytes: int) -> bytes:
        """What came with a text, at the address that its callback gave (S5).

        Whatever is no address of this account's media, is gone, or is larger: `Refused`.
        """
        ...

    async def find_call(self, call_id: str) -> CallRecord | None:
        """The carrier's record of a call, or None."""
        ...

    async def list_calls(self, *, after: datetime, before: datetime) -> list[CallRecord]:
        """All calls, in and out, that began in [after, before), oldest first (UC4 to UC7)."""
        ...

    async def list_messages(self, *, after: datetime, before: datetime) -> list[Message]:
        """All messages, in and out, made in [after, before), oldest first; those still waiting
        to be sent may be missing.
        """
        ...

    async def caller_name(self, e164: E164) -> CallerName | None:
        """The name registered for a number; None: not known, or its country keeps no names."""
        ...

    async def hang_up(self, call_id: str) -> None:
        """End a call; one that has ended already is no error."""
        ...

    async def redirect(self, call_id: str, *, document: str) -> None:
        """Let a live call go on with another document (TwiML). Ended already: `Refused`."""
        ...

    async def limit_call(self, call_id: str, *, seconds: int) -> None:
        """Let the carrier itself end the call `seconds` after its answer (U4's second wall)."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


def by_tag(numbers: Sequence[Held], order_tag: str) -> Held | None:
    """The number with exactly this tag; carriers' own filters may match more loosely."""
    return next((held for held in numbers if held.order_tag == order_tag), None)
