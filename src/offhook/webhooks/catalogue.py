"""The catalogue of events, made from their typed models: what each means, holds and looks like.

Whatever room is imported is in it; nothing about an event is written twice. The OpenAPI document's
`webhooks`, the catalogue's page and the preview of a payload are all made here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import getdoc
from typing import Any

from pydantic import BaseModel, Field, create_model

from offhook.db import Event, event_kinds
from offhook.webhooks import payload, said
from offhook.webhooks.events import WebhookTest

AT = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
SUFFIX = "01k9zq2c7v3f8m5t0x4b6d1e9h"
EXAMPLE_ID = "msg_5e2v8k0q4n7c1t9x3z6b8d0f2h"
PREFIXES = {
    "agent": "agt",
    "booking": "bkg",
    "charge": "chg",
    "contact": "con",
    "conversation": "cnv",
    "endpoint": "whe",
    "import": "imp",
    "invoice": "inv",
    "message": "sms",
    "number": "num",
    "purchase": "buy",
    "run": "run",
    "task": "tsk",
}
KNOWN: Mapping[str, Any] = {
    "cap": "50.00",
    "channel": "call",
    "charged": "41.20",
    "currency": "USD",
    "decline_code": "insufficient_funds",
    "direction": "inbound",
    "due_micros": 18_400_000,
    "duration_ms": 83_400,
    "duration_s": 84,
    "e164": "+12025550123",
    "error_code": 30003,
    "minutes": 2,
    "name": "Reception",
    "number": "+12025550123",
    "ours": "+12025550123",
    "reason": "caller_hung_up",
    "reference": "purchase",
    "remote": "+12025550187",
    "source": "keyword",
    "state": "undelivered",
    "total_micros": 18_400_000,
}
SAID = (
    {"speaker": "caller", "at": "2026-05-14T11:59:52+00:00", "text": "Are you open on Sunday?"},
    {"speaker": "agent", "at": "2026-05-14T11:59:54+00:00", "text": "Yes, from nine to one."},
)
SUBJECTS = {
    "number": "Numbers",
    "call": "Calls",
    "recording": "Calls",
    "transcript": "Calls",
    "message": "Messages",
    "conversation": "Conversations",
    "contact": "Contacts",
    "task": "Tasks",
    "agent": "Agents",
    "limit": "Limits and allowances",
    "allowance": "Limits and allowances",
    "invoice": "Billing",
    "payment": "Billing",
    "subscription": "Billing",
}
OTHERS = "Others"
_RULES = re.compile(r" \([A-Z]+\d+(?:, [A-Z]+\d+)*\)")
# Events of one conversation have its id; all others have none there.
OF_CONVERSATIONS = ("call", "recording", "transcript", "message", "conversation", "task")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an event's `data`."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One event of the catalogue."""

    name: str
    model: type[Event]

    @property
    def group(self) -> str:
        return self.name.split(".", maxsplit=1)[0]

    @property
    def sentence(self) -> str:
        """What has happened when it is sent: the model's docstring, without our rules' names."""
        own = getdoc(self.model) if vars(self.model).get("__doc__") else None
        return _RULES.sub("", " ".join((own or _words(self.name)).split()))

    @property
    def speaks(self) -> bool:
        """Whether an endpoint may ask for what was said."""
        return self.name in said.SPEAKING

    def members(self) -> Sequence[Member]:
        """What `data` holds, besides what was said."""
        schema = self.model.model_json_schema()
        definitions = schema.get("$defs", {})
        return [
            Member(name, _type(each, definitions), each.get("description", ""))
            for name, each in schema["properties"].items()
        ]

    def example(self) -> dict[str, Any]:
        """An example of `data`."""
        schema = self.model.model_json_schema()
        definitions = schema.get("$defs", {})
        found = {
            name: _example(name, each, definitions) for name, each in schema["properties"].items()
        }
        if self.group not in OF_CONVERSATIONS:
            found["conversation_id"] = None
        return self.model.model_validate(found).model_dump(mode="json")

    def body(self, *, with_text: bool = False) -> bytes:
        """An example of the bytes that are sent."""
        sequence = 7 if self.group in OF_CONVERSATIONS else None
        turns = SAID if with_text and self.name in said.WITH_TURNS else None
        data = self.example() if with_text else said.thin(self.name, self.example())
        return payload.body(self.name, AT, sequence, data, turns)

    def preview(self) -> str:
        """The same, to be read; with what was said where there is any."""
        return pretty(self.body(with_text=True).decode())

    def envelope(self) -> type[BaseModel]:
        """The whole body as a model, for the OpenAPI document."""
        return create_model(
            self.model.__name__ + "Webhook",
            type=(str, Field(examples=[self.name])),
            timestamp=(datetime, Field(description="When it happened, in UTC.")),
            sequence=(
                int | None,
                Field(description="Counts the conversation's events, without a gap."),
            ),
            data=(self.model, ...),
        )


def kinds() -> list[Kind]:
    """Every event that a team may receive."""
    return [Kind(name, model) for name, model in event_kinds().items()]


def groups() -> list[tuple[str, list[Kind]]]:
    """What an endpoint may choose, by subject, in the order in which people meet them."""
    found: dict[str, list[Kind]] = {title: [] for title in dict.fromkeys(SUBJECTS.values())}
    for each in kinds():
        if each.name == WebhookTest.event:
            continue
        found.setdefault(SUBJECTS.get(each.group, OTHERS), []).append(each)
    return [(title, members) for title, members in found.items() if members]


def pretty(body: str) -> str:
    """A body with line breaks, for reading; what is sent has none."""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def _words(name: str) -> str:
    subject, _, what = name.partition(".")
    return f"{subject.capitalize()} {what.replace('_', ' ')}."


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself: references followed, null left out."""
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return _resolved(choices[0], definitions) if choices else schema


def _type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    found = _resolved(schema, definitions)
    text = "time" if found.get("format") == "date-time" else str(found.get("type", "object"))
    if "enum" in found:
        text = " | ".join(map(str, found["enum"]))
    nullable = any(each.get("type") == "null" for each in schema.get("anyOf", ()))
    return f"{text} or null" if nullable else text


def _example(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    found = _resolved(schema, definitions)
    if name.endswith("_id"):
        subject = name.removesuffix("_id")
        return f"{PREFIXES.get(subject, subject)}_{SUFFIX}"
    if "enum" in found:
        return found["enum"][0]
    if name in KNOWN:
        return KNOWN[name]
    by_type: dict[str, Any] = {
        "integer": 1,
        "number": 1.0,
        "boolean": True,
        "array": [],
        "object": {},
    }
    if found.get("format") == "date-time":
        return AT.isoformat()
    return by_type.get(str(found.get("type")), name.replace("_", " "))
