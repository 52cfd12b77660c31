"""What a task may be: its fields, its typed inputs, its kind's settings, checked all at once. Pure.

A template that asks for an input which the task does not have is refused here, not in a call.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from offhook.tasks import inputs as typed
from offhook.tasks import proving, templating
from offhook.tasks.kinds import Kind
from offhook.tasks.problems import TaskInvalid
from offhook.tasks.rules import DEFAULT_MONEY, MAX_MONEY
from offhook.tasks.toolbox import Input, InputType

SLUG = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_TITLE = 80
MAX_PHRASES = 30
TIMEOUT_S = range(1, 61)
RUNS = range(1, 21)
MONEY = range(1, MAX_MONEY + 1)
DEFAULTS: dict[str, Any] = {
    "description": "",
    "inputs": [],
    "phrases": [],
    "readback": "",
    "personal": False,
    "by_code": False,
    "timeout_s": 15,
    "max_runs": 3,
    "max_money": DEFAULT_MONEY,
}
EDITABLE = frozenset({"name", "title", "config", "confirm", *DEFAULTS})
SURROUNDINGS = frozenset(
    {
        "run.id",
        "conversation.id",
        "conversation.channel",
        "contact.id",
        "contact.phone",
        "number.id",
        "agent.id",
    }
)
"""What templates may ask for besides the inputs; code fills it in."""
Errors = dict[str, str]


def checked(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored. Raises TaskInvalid with every field that cannot be used."""
    errors: Errors = {}
    title = " ".join(str(given["title"]).split())
    phrases = [" ".join(str(each).split())[:120] for each in given["phrases"]]
    phrases = list(dict.fromkeys(each for each in phrases if each))
    _check_fields(given, title, phrases, errors)
    settings = _settings(kind, given["config"], errors)
    defined = _inputs(given["inputs"], errors) if kind.inputs is None else ()
    if settings is not None:
        asked = defined if kind.inputs is None else tuple(kind.inputs(settings))
        _check_templates(settings, asked, str(given["readback"]), errors)
        _check_proof(given, asked, errors)
    if errors:
        raise TaskInvalid(
            "The task cannot be saved: " + " ".join(dict.fromkeys(errors.values())),
            remedy="Correct what is marked.",
            errors=[{"field": field, "sentence": each} for field, each in errors.items()],
        )
    values = {
        "name": str(given["name"]),
        "title": title,
        "description": str(given["description"]).strip()[:1_000],
        "config": settings.model_dump(mode="json") if settings is not None else {},
        "inputs": typed.to_json(defined),
        "phrases": phrases,
        "readback": str(given["readback"]).strip()[:400],
        "personal": bool(given["personal"]),
        "by_code": bool(given["personal"] and given["by_code"]),
        "timeout_s": given["timeout_s"],
        "max_runs": given["max_runs"],
        "max_money": given["max_money"],
    }
    return values | ({"confirm": bool(given["confirm"])} if "confirm" in given else {})


def slug(title: str) -> str:
    """A name for brains made from a title."""
    words = re.sub(r"[^a-z0-9]+", "_", title.casefold()).strip("_")
    return (words if words[:1].isalpha() else f"task_{words}".rstrip("_"))[:60]


def _check_fields(
    given: Mapping[str, Any], title: str, phrases: Sequence[str], errors: Errors
) -> None:
    if not 1 <= len(title) <= MAX_TITLE:
        errors["title"] = f"A title has 1 to {MAX_TITLE} characters."
    if not SLUG.fullmatch(str(given["name"])):
        errors["name"] = "Use small letters, digits and underscores, such as book_a_table."
    if given["timeout_s"] not in TIMEOUT_S:
        errors["timeout_s"] = "A time-out is 1 to 60 seconds."
    if given["max_runs"] not in RUNS:
        errors["max_runs"] = "Between 1 and 20 runs in one conversation."
    if given["max_money"] not in MONEY:
        errors["max_money"] = f"An amount from 1 to {MAX_MONEY:,} in one conversation."
    if len(phrases) > MAX_PHRASES:
        errors["phrases"] = f"At most {MAX_PHRASES} phrases."


def _settings(kind: Kind, config: Mapping[str, Any], errors: Errors) -> BaseModel | None:
    try:
        return kind.config.model_validate(config)
    except ValidationError as error:
        for each in error.errors():
            field = ".".join(("config", *map(str, each["loc"])))
            errors[field] = each["msg"].removeprefix("Value error, ").capitalize() + "."
        return None


def _inputs(rows: Sequence[Mapping[str, Any]], errors: Errors) -> tuple[Input, ...]:
    defined: list[Input] = []
    if len(rows) > typed.MAX_INPUTS:
        errors["inputs"] = f"At most {typed.MAX_INPUTS} inputs."
        return ()
    for position, row in enumerate(rows):
        name = str(row.get("name", ""))
        choices = tuple(dict.fromkeys(str(each).strip() for each in row.get("choices") or ()))
        if wrong := _wrong_input(name, row.get("type"), choices, defined):
            errors[f"inputs.{position}"] = wrong
            continue
        defined.append(
            Input(
                name=name,
                type=InputType(row["type"]),
                required=bool(row.get("required", True)),
                description=str(row.get("description", ""))[:300],
                question=str(row.get("question", ""))[:200],
                choices=choices,
                minimum=row.get("minimum"),
                maximum=row.get("maximum"),
                proof=bool(row.get("proof", False)),
            )
        )
    return tuple(defined)


def _wrong_input(name: str, kind: object, choices: Sequence[str], others: Sequence[Input]) -> str:
    if not typed.NAME.fullmatch(name):
        return f"“{name[:40]}” cannot name an input: use small letters, digits and _."
    if name in {each.name for each in others}:
        return f"There are two inputs “{name}”."
    if kind not in set(InputType):
        return f"“{str(kind)[:20]}” is no type of input."
    if (kind == InputType.CHOICE) != bool(choices):
        return f"“{name}” needs choices, and only a choice has them."
    return ""


def _check_templates(
    settings: BaseModel, asked: Sequence[Input], readback: str, errors: Errors
) -> None:
    """Every name that a template asks for is an input, or of the surroundings."""
    known = {each.name for each in asked}
    for name in templating.names(readback):
        if name not in known:
            errors["readback"] = f"There is no input “{name}”."
    ours = (templating.SECRET, f"{templating.ANSWER}.")
    # What a tool's own schema says of itself is no template of ours.
    for name in templating.names(settings.model_dump(mode="json", exclude={"input_schema"})):
        if name not in known | SURROUNDINGS | {templating.ANSWER} and not name.startswith(ours):
            errors["config"] = f"There is no input “{name}”."


def _check_proof(given: Mapping[str, Any], asked: Sequence[Input], errors: Errors) -> None:
    if any(each.name == proving.INPUT.name for each in asked):
        errors["inputs"] = f"“{proving.INPUT.name}” is the code that we text: use another name."
    proofs = any(each.proof and each.required for each in asked)
    if given["personal"] and not given["by_code"] and not proofs:
        errors["personal"] = (
            "Let it be proved by a code that we text, or mark a required input as a proof: "
            "something that only they know and your system checks. A phone number alone proves "
            "nothing."
        )
