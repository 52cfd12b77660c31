"""The catalogue has what was promised, and each event is a small, valid payload (W12)."""

import importlib
import json
import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI
from openapi_schema_validator import OAS31Validator

from offhook.web import openapi
from offhook.webhooks import catalogue, payload
from offhook.webhooks.describing import describe

PROMISED = [
    *("number.purchased", "number.enabled", "number.disabled", "number.released"),
    *("call.started", "call.refused", "call.answered", "call.transferred", "call.ended"),
    *("recording.ready", "recording.failed", "transcript.ready"),
    *("message.received", "message.sent", "message.delivered", "message.failed"),
    *("message.refused", "conversation.started", "conversation.ended"),
    "conversation.human_required",
    *("contact.created", "contact.updated", "contact.opted_out", "contact.opted_in"),
    *("task.completed", "task.failed"),
    *("limit.warning", "limit.reached", "allowance.used"),
    *("invoice.finalized", "payment.failed"),
    *("subscription.past_due", "subscription.suspended", "subscription.restored"),
    "agent.published",
]
importlib.import_module("offhook.app")  # every room's events are known then


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_event_is_in_the_catalogue(name: str) -> None:
    found = next(each for each in catalogue.kinds() if each.name == name)
    assert found.sentence.endswith(".")
    body = found.body(with_text=True)
    assert len(body) <= payload.MOST_BYTES
    told = json.loads(body)
    assert told["type"] == name
    assert found.model.model_validate(
        {key: value for key, value in told["data"].items() if key not in {"turns", "text_cut"}}
    )


def test_the_worker_knows_every_event_as_the_web_process_does() -> None:
    script = (
        "import offhook.processes as p; from offhook.db import event_kinds; print(*event_kinds())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert set(PROMISED) <= set(done.stdout.split())


def test_the_openapi_document_has_each_event_as_a_webhook() -> None:
    application = FastAPI()
    openapi.install(application)
    describe(application)
    document: dict[str, Any] = application.openapi()
    assert set(PROMISED) <= set(document["webhooks"])
    reference = document["webhooks"]["call.ended"]["post"]["requestBody"]["content"]
    name = reference["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    OAS31Validator.check_schema(schema)
    ended = next(each for each in catalogue.kinds() if each.name == "call.ended")
    OAS31Validator(schema).validate(json.loads(ended.body()))
