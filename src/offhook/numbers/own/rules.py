"""The rules of numbers that a team brings with its own carrier account (A7). Pure.

An import, killed anywhere, ends as a held number or with everything as it was:

    reserved    --remember-->   remembered   where its calls and texts went is written down
    remembered  --configure-->  configured   they come to us
    configured  --hold-->       imported     the team holds it, disabled
    restoring   --restore-->    failed       the carrier has the old addresses again

Whatever is refused, or unanswered for too long, before anything was changed ends in `failed`;
afterwards in `restoring`, which is repeated until the carrier says yes: a number that no longer
reaches anybody is not given up on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from offhook.carriers import AccountStatus, Described, Network, Routing
from offhook.carriers.port import TEST_CREDENTIALS, WRONG_CREDENTIALS, Refused
from offhook.prices import CarrierKind

OWN = CarrierKind.OWN
"""The carrier kind of the price list that holds for numbers which teams bring."""


class ImportState(StrEnum):
    RESERVED = "reserved"
    REMEMBERED = "remembered"
    CONFIGURED = "configured"
    RESTORING = "restoring"
    IMPORTED = "imported"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self not in COMMANDS


class Command(StrEnum):
    REMEMBER = "remember"
    CONFIGURE = "configure"
    HOLD = "hold"
    RESTORE = "restore"


class Happened(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    OUT_OF_TIME = "out_of_time"


COMMANDS: dict[ImportState, Command] = {
    ImportState.RESERVED: Command.REMEMBER,
    ImportState.REMEMBERED: Command.CONFIGURE,
    ImportState.CONFIGURED: Command.HOLD,
    ImportState.RESTORING: Command.RESTORE,
}

NEXT: dict[tuple[ImportState, Happened], ImportState] = {
    (ImportState.RESERVED, Happened.DONE): ImportState.REMEMBERED,
    (ImportState.RESERVED, Happened.REFUSED): ImportState.FAILED,
    (ImportState.RESERVED, Happened.OUT_OF_TIME): ImportState.FAILED,
    (ImportState.REMEMBERED, Happened.DONE): ImportState.CONFIGURED,
    # An earlier attempt, whose answer was lost, may have changed it all the same.
    (ImportState.REMEMBERED, Happened.REFUSED): ImportState.RESTORING,
    (ImportState.REMEMBERED, Happened.OUT_OF_TIME): ImportState.RESTORING,
    (ImportState.CONFIGURED, Happened.DONE): ImportState.IMPORTED,
    (ImportState.RESTORING, Happened.DONE): ImportState.FAILED,
}

PATIENCE = timedelta(minutes=3)


def next_command(state: ImportState) -> Command | None:
    """What to do now; None when the import has ended."""
    return COMMANDS.get(state)


def advance(state: ImportState, happened: Happened) -> ImportState:
    """The state after `happened`. A pair that is not in the table is a defect (KeyError)."""
    return NEXT[state, happened]


def without_answer(state: ImportState, *, since: datetime, at: datetime) -> Happened | None:
    """What an unanswered command amounts to: a repetition (None), or the end of our patience."""
    turns_back = (state, Happened.OUT_OF_TIME) in NEXT
    return Happened.OUT_OF_TIME if turns_back and at - since >= PATIENCE else None


@dataclass(frozen=True, slots=True)
class Restoration:
    """What to write so that a number is as it was; `left` are fields that somebody else changed."""

    write: Routing
    left: tuple[str, ...]


def restoration(before: Routing, ours: Routing, current: Routing) -> Restoration:
    """Field by field: ours goes back to what was there before, other people's stays.

    Done already, nothing is to be written: it may be repeated.
    """
    write: dict[str, str] = {}
    left: list[str] = []
    for name, old in before.items():
        present = current.get(name, "")
        if present == old:
            continue
        if name in ours and present == ours[name]:
            write[name] = old
        else:
            left.append(name)
    return Restoration(write, tuple(left))


def presumably_ours(current: Routing, *, base: str) -> dict[str, str]:
    """What we set, where the carrier's answer was lost: nothing, unless something leads to us."""
    if not any(value.startswith(base) for value in current.values()):
        return {}
    return {
        name: value
        for name, value in current.items()
        if not value or value.startswith(base) or name.endswith("method")
    }


def remembered(routing: Routing, *, base: str) -> dict[str, str]:
    """What there is to put back one day: addresses of this very installation are none of it."""
    return {name: "" if value.startswith(base) else value for name, value in routing.items()}


def hosts(routing: Mapping[str, str]) -> list[str]:
    """The hosts that a routing reports to, in order, each once: what a person may be shown."""
    found = [
        match.group(1).rpartition("@")[2]
        for name, value in routing.items()
        if "url" in name or name == "status_callback"
        if (match := re.match(r"https?://([^/?#]+)", value))
    ]
    return list(dict.fromkeys(found))


class Health(StrEnum):
    """How an account answered the connection test."""

    WORKS = "works"
    WRONG = "wrong"
    TEST_PAIR = "test_pair"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"

    @property
    def usable(self) -> bool:
        return self is Health.WORKS


@dataclass(frozen=True, slots=True)
class Finding:
    """What the connection test says to a person: what is the case, and what to do."""

    health: Health
    sentence: str
    remedy: str = ""


FINDINGS = {
    Health.WORKS: Finding(Health.WORKS, "The account answers."),
    Health.WRONG: Finding(
        Health.WRONG,
        "Twilio does not accept this account SID with this auth token.",
        "Copy both again from the Twilio Console, under Account Info. An API key will not do: "
        "callbacks are signed with the auth token.",
    ),
    Health.TEST_PAIR: Finding(
        Health.TEST_PAIR,
        "These are Twilio's test credentials, which have no numbers.",
        "Use the live account SID and auth token.",
    ),
    Health.SUSPENDED: Finding(
        Health.SUSPENDED,
        "Twilio has suspended this account.",
        "It makes no calls and sends no texts until it is active again. See its balance and "
        "notices in the Twilio Console.",
    ),
    Health.CLOSED: Finding(
        Health.CLOSED,
        "This account is closed at Twilio.",
        "Its numbers are lost. Connect another account.",
    ),
    Health.UNREACHABLE: Finding(
        Health.UNREACHABLE,
        "The carrier cannot be reached at the moment.",
        "Nothing is wrong with the account as far as we know. Test it again in a minute.",
    ),
}
TRIAL_WARNING = (
    "It is a trial account: it reaches verified telephones only, and Twilio speaks a notice before "
    "each call. Upgrade it at Twilio before customers call."
)
LOCAL_WARNING = (
    "This installation is at {url}, which Twilio cannot reach. Calls and texts arrive only once "
    "OFFHOOK_PUBLIC_URL is a public https address."
)


def finding(described: Described) -> Finding:
    """What an account's own description means."""
    by_status = {
        AccountStatus.ACTIVE: Health.WORKS,
        AccountStatus.SUSPENDED: Health.SUSPENDED,
        AccountStatus.CLOSED: Health.CLOSED,
    }
    return FINDINGS[by_status[described.status]]


def finding_of_refusal(refused: Refused) -> Finding:
    """What a refused question about the account itself means."""
    if refused.carrier_code == TEST_CREDENTIALS:
        return FINDINGS[Health.TEST_PAIR]
    if refused.signed_out and refused.carrier_code != WRONG_CREDENTIALS:
        return FINDINGS[Health.SUSPENDED]
    return FINDINGS[Health.WRONG]


def warnings(*, trial: bool, network: Network, web_url: str) -> Sequence[str]:
    """What works and is not enough yet."""
    found = [TRIAL_WARNING] if trial else []
    if network is Network.TWILIO and not web_url.startswith("https://"):
        found.append(LOCAL_WARNING.format(url=web_url))
    return found


_SID = re.compile(r"AC[0-9a-f]{32}", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"[0-9a-f]{32}", re.IGNORECASE | re.ASCII)


def wrong_with(sid: str, token: str) -> dict[str, str]:
    """What is wrong with what was typed, by field; before anybody is asked."""
    found: dict[str, str] = {}
    if sid.upper().startswith("SK"):
        found["sid"] = "This is an API key. The account SID begins with AC."
    elif not _SID.fullmatch(sid):
        found["sid"] = "An account SID is AC and 32 digits or letters a to f."
    if not _TOKEN.fullmatch(token):
        found["token"] = "An auth token is 32 digits or letters a to f."  # noqa: S105 - a sentence
    return found
