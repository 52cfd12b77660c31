"""A tool's JSON schema as typed inputs, as far as they can be asked for in a conversation. Pure.

Somebody else's server writes the schema: whatever stands in it, it is read without an error.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from offhook.tasks.toolbox import Input, InputType

SIMPLE = {
    "string": InputType.TEXT,
    "integer": InputType.INTEGER,
    "number": InputType.NUMBER,
    "boolean": InputType.BOOLEAN,
}
FORMATS = {
    "date": InputType.DATE,
    "time": InputType.TIME,
    "email": InputType.EMAIL,
}
NAME = re.compile(r"[A-Za-z_][\w-]{0,39}")
MAX_CHOICES = 50
MAX_BOUND = 1e15


def inputs(schema: Mapping[str, Any]) -> tuple[Input, ...]:
    """The simple properties, the required ones first; what is not simple is left out."""
    required = _required(schema)
    found = [
        each
        for name, member in _properties(schema).items()
        if (each := _input(name, member, required=name in required)) is not None
    ]
    return tuple(sorted(found, key=lambda each: not each.required))


def obstacle(schema: Mapping[str, Any]) -> str:
    """Why a tool with this schema cannot be offered; "" if it can."""
    askable = {each.name for each in inputs(schema)}
    for name in _required(schema):
        if name not in askable:
            return f"It needs “{name}”, which cannot be asked for in a conversation."
    return ""


def _input(name: str, schema: Mapping[str, Any], *, required: bool) -> Input | None:
    kind = _type(schema)
    if kind is None or not NAME.fullmatch(name):
        return None
    choices = tuple(_texts(schema.get("enum")))
    if choices and kind is InputType.TEXT and len(choices) <= MAX_CHOICES:
        kind = InputType.CHOICE
    bounded = kind in {InputType.INTEGER, InputType.NUMBER}
    return Input(
        name=name,
        type=kind,
        required=required,
        description=str(schema.get("description", ""))[:300],
        choices=choices if kind is InputType.CHOICE else (),
        minimum=_number(schema.get("minimum")) if bounded else None,
        maximum=_number(schema.get("maximum")) if bounded else None,
    )


def _type(schema: Mapping[str, Any]) -> InputType | None:
    """Of `{"type": "string"}`, `{"type": ["string", "null"]}` or `{"anyOf": [that, null]}`."""
    if schema.get("type") is None:
        options = [each for each in _objects(schema.get("anyOf")) if each.get("type") != "null"]
        schema = options[0] if len(options) == 1 else {}
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kinds = [each for each in _texts(kind) if each != "null"]
        kind = kinds[0] if len(kinds) == 1 else None
    if kind == "string" and str(schema.get("format")) in FORMATS:
        return FORMATS[str(schema["format"])]
    return SIMPLE.get(str(kind))


def _properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = schema.get("properties")
    if not isinstance(found, dict):
        return {}
    members = cast("dict[str, Any]", found)
    return {name: each for name, each in members.items() if isinstance(each, Mapping)}


def _required(schema: Mapping[str, Any]) -> Sequence[str]:
    return _texts(schema.get("required"))


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [each for each in _listed(value) if isinstance(each, str)]


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [cast("dict[str, Any]", each) for each in _listed(value) if isinstance(each, dict)]


def _number(value: Any) -> float | None:
    """A bound that is within reason."""
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if usable and abs(value) <= MAX_BOUND else None
