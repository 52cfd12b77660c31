"""When an agent may go live, and what may become of it (N2, N7). Pure.

draft  --make live--> live     publishes a version; needs a name, instructions, a greeting
live   --make live--> live     publishes the draft's changes
live   --pause-->     paused   numbers that it serves must be off, or are disabled in the step
paused --make live--> live
live, paused --to draft--> draft
"""

from dataclasses import dataclass
from enum import StrEnum


class AgentStatus(StrEnum):
    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"


class Step(StrEnum):
    MAKE_LIVE = "make_live"
    PAUSE = "pause"
    TO_DRAFT = "to_draft"


NEXT: dict[tuple[AgentStatus, Step], AgentStatus] = {
    (AgentStatus.DRAFT, Step.MAKE_LIVE): AgentStatus.LIVE,
    (AgentStatus.LIVE, Step.MAKE_LIVE): AgentStatus.LIVE,
    (AgentStatus.PAUSED, Step.MAKE_LIVE): AgentStatus.LIVE,
    (AgentStatus.LIVE, Step.PAUSE): AgentStatus.PAUSED,
    (AgentStatus.LIVE, Step.TO_DRAFT): AgentStatus.DRAFT,
    (AgentStatus.PAUSED, Step.TO_DRAFT): AgentStatus.DRAFT,
}

MAX_NAME_CHARS = 80
MAX_GREETING_CHARS = 400
MAX_INSTRUCTIONS_CHARS = 20_000
MAX_CHANNEL_CHARS = 4_000
MAX_PERSON_CHARS = 2_000
MAX_FACTS_CHARS = 8_000
MAX_NOTE_CHARS = 200
MAX_FALLBACK_CHARS = 400


@dataclass(frozen=True, slots=True)
class Missing:
    """A thing that keeps an agent from going live, and the section where it is set."""

    code: str
    sentence: str
    section: str


def missing_to_go_live(*, name: str, instructions: str, greeting: str) -> list[Missing]:
    """What keeps an agent from being made live; all of it at once, empty when nothing does."""
    missing: list[Missing] = []
    if not name.strip():
        missing.append(Missing("name", "Give the agent a name.", "behaviour"))
    if not instructions.strip():
        missing.append(
            Missing("instructions", "Write what the agent is to do.", "behaviour"),
        )
    if not any(each.isalnum() for each in greeting):
        missing.append(
            Missing("greeting", "Write the greeting that callers hear first.", "voice"),
        )
    return missing


def stops_serving(status: AgentStatus, step: Step) -> bool:
    """Whether `step` takes a live agent away from its numbers (N7)."""
    return status is AgentStatus.LIVE and step is not Step.MAKE_LIVE
