"""What may stand in an agent's fields. Pure; all faults are told at once."""

from typing import Any

from offhook.agents.problems import AgentInvalid
from offhook.agents.rules import (
    MAX_CHANNEL_CHARS,
    MAX_FALLBACK_CHARS,
    MAX_GREETING_CHARS,
    MAX_INSTRUCTIONS_CHARS,
    MAX_NAME_CHARS,
    MAX_PERSON_CHARS,
)
from offhook.knowledge import clean

TEXT_CHARS = {
    "name": MAX_NAME_CHARS,
    "instructions": MAX_INSTRUCTIONS_CHARS,
    "call_instructions": MAX_CHANNEL_CHARS,
    "sms_instructions": MAX_CHANNEL_CHARS,
    "person_when": MAX_PERSON_CHARS,
    "greeting": MAX_GREETING_CHARS,
    "fallback": MAX_FALLBACK_CHARS,
    "voice": 80,
    "language": 10,
    "model": 120,
}
OPTION_RANGES = {
    "silence_ms": (300, 3_000),
    "check_in_s": (5, 25),
    "max_call_minutes": (1, 240),
    "reply_segments": (1, 10),
}


def checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values, cleaned. Raises AgentInvalid naming every field at fault."""
    faults: dict[str, str] = {}
    found: dict[str, Any] = {
        name: _text(name, value, faults) for name, value in values.items() if name in TEXT_CHARS
    }
    if "name" in found and not found["name"]:
        faults["name"] = "An agent needs a name."
    if "options" in values:
        found["options"] = _options(values["options"], faults)
    if faults:
        raise AgentInvalid(" ".join(faults.values()), fields=faults)
    return found


def _text(name: str, value: Any, faults: dict[str, str]) -> str:
    if not isinstance(value, str):
        faults[name] = f"{name} is a text."
        return ""
    text = clean(value).strip()
    if len(text) > TEXT_CHARS[name]:
        shown = name.replace("_", " ").capitalize()
        faults[name] = f"{shown} has {len(text):,} characters; {TEXT_CHARS[name]:,} are allowed."
    return text


def _options(options: dict[str, Any], faults: dict[str, str]) -> dict[str, Any]:
    for name, value in options.items():
        if name == "interruptible":
            if not isinstance(value, bool):
                faults[name] = "interruptible is true or false."
        elif name not in OPTION_RANGES:
            faults[name] = f"There is no option {name}."
        else:
            low, high = OPTION_RANGES[name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                faults[name] = f"{name} is a whole number from {low:,} to {high:,}, not {value!r}."
    return options
