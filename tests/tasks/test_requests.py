"""A request is made of the owner's template; a value never leaves its place (T2, SEC9)."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from offhook.tasks import requests, templating
from offhook.tasks.requests import RequestConfig
from offhook.tasks.templating import TemplateError

VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


def config(**changes: Any) -> RequestConfig:
    given = {
        "url": "https://api.example.com/v1/orders/{{order}}/items?lang=en",
        "query": [{"name": "q", "value": "{{order}}"}],
        "headers": [
            {"name": "X-Order", "value": "{{order}}"},
            {"name": "Authorization", "value": "Bearer {{secret:KEY}}"},
        ],
        "body": {"order": "{{order}}", "deep": [{"say": "Hi {{order}}!"}], "n": 1},
        **changes,
    }
    return RequestConfig.model_validate(given)


@given(VALUES)
def test_a_value_stays_in_its_place(value: str) -> None:
    if value.strip() in {"", ".", ".."}:
        with pytest.raises(TemplateError):
            requests.render(config(), {"order": value, "secret:KEY": "abcd"}, "run_1")
        return
    made = requests.render(config(), {"order": value, "secret:KEY": "abcd"}, "run_1")
    parts = urlsplit(made.url)
    assert parts.netloc == "api.example.com"
    segments = parts.path.split("/")
    assert [segments[1], segments[2], segments[4]] == ["v1", "orders", "items"]
    assert len(segments) == 5
    assert unquote(segments[3]) == value
    assert parse_qsl(parts.query, keep_blank_values=True) == [("lang", "en"), ("q", value)]
    assert json.loads(made.body) == {"order": value, "deep": [{"say": f"Hi {value}!"}], "n": 1}
    assert all(" " <= sign <= "~" for sign in made.headers["X-Order"])
    assert made.headers["Idempotency-Key"] == "run_1"


def test_a_text_that_is_one_place_keeps_the_type() -> None:
    made = requests.render(
        config(
            url="https://example.com/", query=[], headers=[], body={"n": "{{n}}", "t": "{{n}}x"}
        ),
        {"n": 4},
        "run_1",
    )
    assert json.loads(made.body) == {"n": 4, "t": "4x"}


def test_a_value_with_a_template_in_it_is_text() -> None:
    made = requests.render(
        config(), {"order": "{{secret:KEY}}", "secret:KEY": "abcd-very-secret"}, "run_1"
    )
    assert "abcd-very-secret" not in made.url + made.body
    assert made.headers["Authorization"] == "Bearer abcd-very-secret"


def test_an_optional_value_that_was_not_given_leaves_its_parameter_out() -> None:
    made = requests.render(config(url="https://example.com/list"), {"secret:KEY": "abcd"}, "run_1")
    assert made.url == "https://example.com/list"
    assert json.loads(made.body)["order"] is None


def test_a_form() -> None:
    made = requests.render(
        config(
            url="https://example.com/", query=[], headers=[], form=True, body={"a": "{{x}}&b=1"}
        ),
        {"x": "é="},
        "run_1",
    )
    assert parse_qsl(made.body) == [("a", "é=&b=1")]
    assert made.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_secrets_are_blotted_out_of_records_in_every_form() -> None:
    secrets = {"KEY": 'a b/"c'}
    shown = {
        "url": "https://example.com/?k=a+b%2F%22c&l=a%20b%2F%22c",
        "body": json.dumps({"k": 'a b/"c'}),
        "plain": ['a b/"c'],
    }
    written = json.dumps(templating.without(shown, secrets))
    for form in ("a b/", "a+b", "a%20b"):
        assert form not in written


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://{{order}}.example.com/"},
        {"url": "https://example.com{{order}}/"},
        {"url": "{{order}}"},
        {"url": "//example.com/"},
        {"url": "https://example.com:{{order}}/"},
        {"method": "TRACE"},
        {"method": "GET"},
        {"headers": [{"name": "Host", "value": "x"}]},
        {"headers": [{"name": "Idempotency-Key", "value": "x"}]},
        {"headers": [{"name": "X\r\nY", "value": "x"}]},
        {"form": True, "body": ["a"]},
        {"body": "x" * 70_000},
        {"body": [[[[[[[[[[[[[1]]]]]]]]]]]]]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_template_that_cannot_be_used_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ("order.items.1.name", "tea"),
        ("order.items.9.name", None),
        ("order.items.x", None),
        ("order.count", 2),
        ("", {"order": {"items": [{"name": "bun"}, {"name": "tea"}], "count": 2}}),
    ],
)
def test_values_are_reached_in_an_answer(steps: str, found: Any) -> None:
    data = {"order": {"items": [{"name": "bun"}, {"name": "tea"}], "count": 2}}
    assert templating.reach(data, steps) == found
