"""For whom a conversation's tasks act: set by the code that holds the conversation (SEC9, T4).

A brain never sees a scope and cannot name another: no input is an id of a team, contact,
conversation or number of ours.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from offhook.tasks import rules

CALL = "call"
SMS = "sms"
CHANNELS = (CALL, SMS)


@dataclass(frozen=True, slots=True)
class Scope:
    """One conversation. `caller` is the other side's E.164, "" for who hides (P5).

    `attestation` is A, B, C, `failed-…` or "", as the carrier's room reads it (SEC10).
    """

    team_id: str
    agent_id: str
    conversation_id: str
    channel: str
    number_id: str
    contact_id: str = ""
    caller: str = ""
    attestation: str = ""
    language: str = "en"
    timezone: str = "UTC"
    country: str = "US"

    @property
    def trust(self) -> rules.Trust:
        return rules.trust(self.caller, self.attestation)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(stored: Mapping[str, Any]) -> Scope:
    return Scope(**stored)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it was heard or delivered. `position` grows within the conversation."""

    position: int
    by_caller: bool
    text: str
