"""The task page's fields as the members of a definition, and back. Pure.

Lists are written one a line (`Name: value`), JSON as JSON; inputs are rows of equal length.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from offhook.tasks.kinds import Kind
from offhook.tasks.problems import TaskInvalid
from offhook.web import figures

MAX_ROWS = 30
LONG = 400  # characters: from here on a field has several lines, but for an address
ADDRESS = "Address"


def pairs(text: str, sign: str) -> list[dict[str, str]]:
    """`name<sign>value` on each line."""
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        name, _, value = line.partition(sign)
        if line.strip():
            found.append({"name": name.strip(), "value": value.strip()})
    return found


def written(rows: Sequence[Mapping[str, str]], sign: str) -> str:
    """`pairs` as they are written."""
    return "\n".join(f"{row['name']}{sign}{row['value']}" for row in rows)


def lines(text: str) -> list[str]:
    """Each line that is not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def json_of(text: str, field: str) -> Any:
    """A JSON value; None for nothing. Raises TaskInvalid with the place of the mistake."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "a value"
        sentence = f"This is no JSON: look at {where}."
        raise TaskInvalid(
            sentence,
            remedy="Quote texts, also those with {{…}}.",
            errors=[{"field": field, "sentence": sentence}],
        ) from error


@dataclass(frozen=True, slots=True)
class Shown:
    """One member of a kind's settings on the page. `control`: field, area, lines, number, flag or
    select.
    """

    name: str
    label: str
    control: str
    value: Any
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()
    required: bool = False
    example: str = ""


def shown(
    model: type[BaseModel],
    config: Mapping[str, Any],
    choices: Mapping[str, Sequence[tuple[str, str]]],
) -> list[Shown]:
    """The members of a kind's settings, as its model describes them."""
    required = set(model.model_json_schema().get("required", ()))
    return [
        _shown(name, member, config.get(name, member.get("default")), choices.get(name))
        if name not in required
        else replace(_shown(name, member, config.get(name), choices.get(name)), required=True)
        for name, member in _members(model).items()
    ]


def config(kind: Kind, fields: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a task from the page's fields; what the page does not show stays as stored.

    An empty field is a member that was not given: the model's default.
    """
    if kind.name == "http":
        return _request(fields)
    if kind.name == "mcp":
        return dict(stored) | {
            "headers": pairs(fields.get("headers", ""), ":"),
            "answer": fields.get("answer", "").strip(),
            **_flags(fields, "reads_only", "repeatable"),
        }
    members = _members(kind.config)
    read = {
        name: _read(_control(member, None), fields.get(name, ""))
        for name, member in members.items()
    }
    return {name: value for name, value in read.items() if value not in ("", [], None)}


def _shown(
    name: str,
    member: Mapping[str, Any],
    value: Any,
    options: Sequence[tuple[str, str]] | None,
) -> Shown:
    control = _control(member, options)
    listed = options or [(each, str(each).capitalize()) for each in member.get("enum", ())]
    example: Any = next(iter(member.get("examples", ())), "")
    return Shown(
        name=name,
        label=str(member.get("title", name)).replace("_", " ").capitalize(),
        control=control,
        value=_written(control, value),
        hint=str(member.get("description", "")),
        options=listed,
        example=str(example) if control != "lines" else "\n".join(example),
    )


def _members(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The members of the model's JSON schema, enumerations among them in full."""
    schema = model.model_json_schema()
    named: dict[str, dict[str, Any]] = schema.get("$defs", {})
    members: dict[str, dict[str, Any]] = schema.get("properties", {})
    return {
        name: {**named.get(str(member.get("$ref", "")).rpartition("/")[2], {}), **member}
        for name, member in members.items()
    }


def _written(control: str, value: Any) -> Any:
    if value is None:
        return ""
    return "\n".join(map(str, value)) if control == "lines" else value


def _control(member: Mapping[str, Any], options: Sequence[tuple[str, str]] | None) -> str:
    kinds = [member, *member.get("anyOf", ())]
    kind = next((str(each["type"]) for each in kinds if each.get("type") not in {None, "null"}), "")
    if options is not None or "enum" in member:
        return "select"
    named = {"boolean": "flag", "array": "lines", "integer": "number", "number": "number"}
    if kind in named:
        return named[kind]
    one_line = member.get("title") == ADDRESS or member.get("maxLength", 0) <= LONG
    return "field" if one_line else "area"


def _read(control: str, text: str) -> Any:
    if control == "flag":
        return bool(text)
    if control == "lines":
        return lines(text)
    plain = text.strip()
    return figures.or_text(plain) if control == "number" else plain


def _request(fields: Mapping[str, str]) -> dict[str, Any]:
    return {
        "method": fields.get("method", "POST"),
        "url": fields.get("url", "").strip(),
        "query": pairs(fields.get("query", ""), "="),
        "headers": pairs(fields.get("headers", ""), ":"),
        "body": json_of(fields.get("body", ""), "config.body"),
        "answer": fields.get("answer", "").strip(),
        "failure": fields.get("failure", "").strip(),
        **_flags(fields, "form", "reads_only", "repeatable"),
    }


def _flags(fields: Mapping[str, str], *names: str) -> dict[str, bool]:
    return {name: bool(fields.get(name)) for name in names}


def inputs(rows: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The inputs of a task from the rows of its table; a row without a name is none."""
    found: list[dict[str, Any]] = []
    for position, name in enumerate(rows.get("name", ())[:MAX_ROWS]):
        if not name.strip():
            continue
        row = {column: values[position].strip() for column, values in rows.items()
               if position < len(values)}  # fmt: skip
        choices = [each.strip() for each in row.get("choices", "").split(",") if each.strip()]
        need = row.get("need", "required")
        found.append(
            {
                "name": row["name"],
                "type": row.get("type", "text"),
                "required": need != "optional",
                "proof": need == "proof",
                "question": row.get("question", ""),
                "choices": choices,
                "minimum": _bound(row.get("minimum", "")),
                "maximum": _bound(row.get("maximum", "")),
            }
        )
    return found


def _bound(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        sentence = f"“{text[:20]}” is not a number."
        raise TaskInvalid(
            sentence,
            remedy="Leave the bound empty or write a number.",
            errors=[{"field": "inputs", "sentence": sentence}],
        ) from None
