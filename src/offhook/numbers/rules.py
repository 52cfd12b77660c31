"""The rules of a number (N1 to N11, C1, S1, UN12): what it takes, what is refused, what it is now.

Pure: no database, no clock. The life of a number:

    disabled  --enable-->    enabled      needs a name, a live agent, a service (N5)
    enabled   --disable-->   disabled     at once; configuration is kept (N9)
    disabled  --delete-->    releasing    the number typed again; cannot be undone (N10)
    releasing --confirmed--> released     the carrier has it back; history is kept

Doing again what is done already changes nothing.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from offhook.prices import Money
from offhook.usage import Service


class NumberStatus(StrEnum):
    DISABLED = "disabled"
    ENABLED = "enabled"
    RELEASING = "releasing"
    RELEASED = "released"


class Step(StrEnum):
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    CONFIRMED = "confirmed"


NEXT: dict[tuple[NumberStatus, Step], NumberStatus] = {
    (NumberStatus.DISABLED, Step.ENABLE): NumberStatus.ENABLED,
    (NumberStatus.ENABLED, Step.ENABLE): NumberStatus.ENABLED,
    (NumberStatus.ENABLED, Step.DISABLE): NumberStatus.DISABLED,
    (NumberStatus.DISABLED, Step.DISABLE): NumberStatus.DISABLED,
    (NumberStatus.DISABLED, Step.DELETE): NumberStatus.RELEASING,
    (NumberStatus.RELEASING, Step.DELETE): NumberStatus.RELEASING,
    (NumberStatus.RELEASING, Step.CONFIRMED): NumberStatus.RELEASED,
    (NumberStatus.RELEASED, Step.CONFIRMED): NumberStatus.RELEASED,
}
CONFIGURABLE = frozenset({NumberStatus.DISABLED, NumberStatus.ENABLED})

MAX_NAME_CHARS = 80
QUOTE_VALID = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a team sets on a number."""

    name: str = ""
    agent_id: str | None = None
    calls_enabled: bool = False
    sms_enabled: bool = False
    record_calls: bool = True
    recording_notice: bool = True

    def offers(self, service: Service) -> bool:
        return self.calls_enabled if service is Service.CALLS else self.sms_enabled

    @property
    def any_service(self) -> bool:
        return self.calls_enabled or self.sms_enabled


class Missing(StrEnum):
    """What keeps a number from being enabled (N5)."""

    NAME = "name"
    AGENT = "agent"
    LIVE_AGENT = "live_agent"
    SERVICE = "service"


MISSING_SENTENCES = {
    Missing.NAME: "Give the number a name.",
    Missing.AGENT: "Assign an agent.",
    Missing.LIVE_AGENT: "Make its agent live.",
    Missing.SERVICE: "Switch on calls, SMS or both.",
}
REGISTRATION_SENTENCES = {
    "address": "An address in the country, before the number may be used.",
    "a2p": "A registration of your brand and campaign (A2P 10DLC), before it may send texts.",
    "toll_free_verification": "A toll-free verification, before it may send texts.",
}


def registration_sentences(needed: Iterable[str]) -> list[str]:
    """What must be registered at the carrier, in words (A3, N4)."""
    return [REGISTRATION_SENTENCES.get(each, each) for each in needed]


class RefusalCode(StrEnum):
    NAME_INVALID = "number_name_invalid"
    AGENT_FIRST = "agent_first"
    NOT_AT_CARRIER = "service_not_available"
    LAST_SERVICE = "last_service"
    AGENT_NEEDED = "agent_cannot_be_removed"
    AGENT_NOT_LIVE = "agent_not_live"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change is not made; `field` is the one that it is about."""

    code: RefusalCode
    field: str
    sentence: str
    remedy: str


class Reason(StrEnum):
    """Why a number does not answer, whatever its limits say (C1, S1)."""

    DISABLED = "disabled"
    SUSPENDED = "suspended"
    SERVICE_OFF = "service_off"
    AGENT_NOT_LIVE = "agent_not_live"


def missing_to_enable(configuration: Configuration, *, agent_is_live: bool) -> list[Missing]:
    """What keeps a number from being enabled (N5), all at once; empty when nothing does."""
    missing: list[Missing] = []
    if not configuration.name:
        missing.append(Missing.NAME)
    if configuration.agent_id is None:
        missing.append(Missing.AGENT)
    elif not agent_is_live:
        missing.append(Missing.LIVE_AGENT)
    if not configuration.any_service:
        missing.append(Missing.SERVICE)
    return missing


def refusals(
    before: Configuration,
    after: Configuration,
    *,
    status: NumberStatus,
    supports: Sequence[Service],
    agent_is_live: bool,
) -> list[Refusal]:
    """Every reason against changing `before` into `after`; `agent_is_live` is of `after`."""
    return [
        *_about_name(before, after),
        *_about_services(before, after, status, supports),
        *_about_agent(before, after, status, agent_is_live=agent_is_live),
    ]


def not_answering(
    configuration: Configuration,
    service: Service,
    *,
    status: NumberStatus,
    services_on: bool,
    agent_is_live: bool,
) -> Reason | None:
    """Why `service` is not answered here (C1, S1, N11, UN12), or None when it is."""
    if status is not NumberStatus.ENABLED:
        return Reason.DISABLED
    if not services_on:
        return Reason.SUSPENDED
    if not configuration.offers(service):
        return Reason.SERVICE_OFF
    if not agent_is_live:
        return Reason.AGENT_NOT_LIVE
    return None


def clean_name(name: str) -> str:
    """A name as it is kept: trimmed, line breaks and runs of blanks folded (N1)."""
    return " ".join(name.split())


def confirms(typed: str, e164: str) -> bool:
    """Whether what was typed is this number; spaces, dots, dashes and brackets do not matter."""
    digits = "".join(each for each in typed if each not in " .-()/\u00a0\u2011")
    return digits == e164


def first_month(rent: Money, at: datetime, zone: str) -> Money:
    """The rent of the month of purchase, by its days, today's included, in the team's zone (A6)."""
    today = at.astimezone(ZoneInfo(zone)).date()
    days = monthrange(today.year, today.month)[1]
    return rent.share(days - today.day + 1, days).rounded()


def _about_name(before: Configuration, after: Configuration) -> list[Refusal]:
    if after.name == before.name:
        return []
    if 1 <= len(after.name) <= MAX_NAME_CHARS and after.name.isprintable():
        return []
    return [
        Refusal(
            RefusalCode.NAME_INVALID,
            "name",
            f"A name has 1 to {MAX_NAME_CHARS} characters; this one has {len(after.name)}."
            if after.name.isprintable()
            else "The name has characters that cannot be shown.",
            "Shorten it or fill it in.",
        )
    ]


def _about_services(
    before: Configuration, after: Configuration, status: NumberStatus, supports: Sequence[Service]
) -> list[Refusal]:
    found: list[Refusal] = []
    switched_on = [s for s in Service if after.offers(s) and not before.offers(s)]
    if switched_on and after.agent_id is None:
        found.append(
            Refusal(
                RefusalCode.AGENT_FIRST,
                f"{switched_on[0]}_enabled",
                "An agent must be assigned before a service is switched on.",
                "Assign an agent first.",
            )
        )
    found += [
        Refusal(
            RefusalCode.NOT_AT_CARRIER,
            f"{service}_enabled",
            f"This number cannot do {_spoken(service)}: the carrier does not offer it.",
            "Buy a number that can.",
        )
        for service in switched_on
        if service not in supports
    ]
    if status is NumberStatus.ENABLED and not after.any_service:
        last = next((s for s in Service if before.offers(s)), Service.CALLS)
        found.append(
            Refusal(
                RefusalCode.LAST_SERVICE,
                f"{last}_enabled",
                "At least one service stays on while the number is enabled.",
                "Disable the number first.",
            )
        )
    return found


def _about_agent(
    before: Configuration, after: Configuration, status: NumberStatus, *, agent_is_live: bool
) -> list[Refusal]:
    if after.agent_id == before.agent_id:
        return []
    if after.agent_id is None and after.any_service:
        return [
            Refusal(
                RefusalCode.AGENT_NEEDED,
                "agent_id",
                "A number with a service on keeps an agent; it can be changed, not removed.",
                "Choose another agent, or switch its services off first.",
            )
        ]
    if after.agent_id and status is NumberStatus.ENABLED and not agent_is_live:
        return [
            Refusal(
                RefusalCode.AGENT_NOT_LIVE,
                "agent_id",
                "An enabled number needs an agent that is live.",
                "Make the agent live, or choose another one.",
            )
        ]
    return []


def _spoken(service: Service) -> str:
    return "calls" if service is Service.CALLS else "SMS"
