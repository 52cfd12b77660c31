"""An agent as a conversation sees it: the published version, frozen.

A call that has begun keeps its snapshot to its end, whatever is published meanwhile. Pure data;
`to_json` and `from_json` are the form in which a version is stored.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

DEFAULT_FALLBACK = "I don't know that, I'm afraid. Shall I have somebody get back to you?"


@dataclass(frozen=True, slots=True)
class Options:
    """How the agent behaves on a call. Durations end in their unit; ranges are C4's and C5's."""

    silence_ms: int = 700
    """Quiet that ends the caller's turn; 300 to 3,000."""
    interruptible: bool = True
    """Whether the caller's voice stops the agent (C4)."""
    check_in_s: int = 6
    """Silence before "are you still there?"; 5 to 25 (C5)."""
    max_call_minutes: int = 30
    """1 to 240 (C5)."""
    reply_segments: int = 3
    """Most SMS segments of one reply; 1 to 10 (S5)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    agent_id: str
    version: int
    """0 for the draft, which only the playground talks to."""
    name: str
    instructions: str = ""
    call_instructions: str = ""
    sms_instructions: str = ""
    """Beside `instructions`, on that channel only."""
    person_when: str = ""
    """When a person is needed, in plain words: a line for each case."""
    facts: str = ""
    """What all agents of the team know, as it was when the conversation began."""
    greeting: str = ""
    voice: str = ""
    """Empty: the synthesiser's own."""
    language: str = "en"
    model: str = ""
    """provider:name; empty: the installation's."""
    fallback: str = DEFAULT_FALLBACK
    """Said when the knowledge does not hold the answer (K2)."""
    options: Options = Options()


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    return asdict(snapshot)


def from_json(stored: dict[str, Any]) -> Snapshot:
    """Fields that a later release dropped are ignored, those it added take their default."""
    options = options_from(stored.get("options", {}))
    known: dict[str, Any] = {**_known(Snapshot, stored), "options": options}
    return Snapshot(**known)


def options_from(stored: dict[str, Any]) -> Options:
    return Options(**_known(Options, stored))


def _known(kind: type[Any], stored: dict[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {key: value for key, value in stored.items() if key in names}
