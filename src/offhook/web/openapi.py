"""The OpenAPI document: FastAPI's, with our key and our errors.

FastAPI describes its own validation error, which nobody ever gets from us: every operation's errors
are problem+json (RFC 9457), described once.
"""

import re
from collections import Counter
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Why the request was refused (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "remedy", "errors", "details"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence with the offending value."},
        "code": {"type": "string", "description": "Stable; for programs."},
        "remedy": {"type": "string", "description": "What to do about it; may be empty."},
        "errors": {
            "type": "array",
            "description": "The fields that cannot be used as they are.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "sentence": {"type": "string"},
                },
            },
        },
        "details": {"type": "object", "description": "More values, by the code."},
    },
}
LONG_NAME = re.compile(r"offhook__(\w+?)__(?:\w+__)?(\w+)")
"""How pydantic names a model whose name several modules have: by its module."""
SCHEMAS = "#/components/schemas/"
_REFUSED = {
    "description": "Refused",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def install(app: FastAPI) -> None:
    """Replace the document that `app` serves; made on the first request for it."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                routes=app.routes,
                webhooks=app.webhooks.routes,
            )
            app.openapi_schema = _with_ours(made)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] - the way that FastAPI's manual shows


def _with_ours(document: dict[str, Any]) -> dict[str, Any]:
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            responses.pop("422", None)
            responses["default"] = _REFUSED
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    _shorten(document, _short_names(schemas))
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    return document


def _short_names(schemas: dict[str, Any]) -> dict[str, str]:
    """By the room instead of the module, wherever that is enough to tell them apart."""
    short = {
        name: f"{found[1].title()}{found[2]}"
        for name in schemas
        if (found := LONG_NAME.fullmatch(name)) is not None
    }
    taken = Counter([*short.values(), *schemas])
    return {name: wanted for name, wanted in short.items() if taken[wanted] == 1}


def _shorten(node: Any, names: dict[str, str]) -> None:
    """Under `components/schemas`, and wherever a schema is meant."""
    if isinstance(node, list):
        for each in cast("list[Any]", node):
            _shorten(each, names)
    elif isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        for name in [each for each in members if each in names]:
            members[names[name]] = members.pop(name)
        for name, value in members.items():
            if isinstance(value, str) and value.startswith(SCHEMAS):
                wanted = value.removeprefix(SCHEMAS)
                members[name] = SCHEMAS + names.get(wanted, wanted)
            else:
                _shorten(value, names)
