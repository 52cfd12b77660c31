"""The simulated carrier's answers against Twilio's own OpenAPI documents.

The documents are not ours to keep: their folder comes from OFFHOOK_TWILIO_OPENAPI, and without it
these tests are skipped.
"""

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from offhook.carriers import Account
from offhook.carriers.simulator.server import Simulator

FOLDER = os.environ.get("OFFHOOK_TWILIO_OPENAPI", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="OFFHOOK_TWILIO_OPENAPI names no folder")
API = "api_v2010.json"
Json = dict[str, Any]
ROOT = "/2010-04-01/Accounts/{AccountSid}"


@lru_cache
def document(name: str) -> dict[str, Any]:
    return json.loads((Path(FOLDER) / name).read_text())


def validate(name: str, path: str, method: str, answer: httpx.Response) -> Any:
    """The answer's status and body are among those that the document has for the operation."""
    spec = document(name)
    responses = spec["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, answer.text
    content = responses[str(answer.status_code)].get("content")
    if content is None:
        assert not answer.content
        return None
    schema = _resolved(content["application/json"]["schema"], spec)
    OAS30Validator(schema).validate(answer.json())
    _known_only(answer.json(), schema)
    return answer.json()


def _resolved(schema: Any, spec: Json) -> Any:
    """References replaced, and formats dropped that the documents' own examples do not keep."""
    if isinstance(schema, list):
        return [_resolved(each, spec) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return cast("object", schema)
    known = cast("Json", schema)
    if "$ref" in known:
        target: Any = spec
        for part in str(known["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(target, spec)
    overridden = "overrideType" in known.get("x-twilio", {})  # a string where "number" is said
    return {
        name: _resolved(value, spec)
        for name, value in known.items()
        if not (name == "format" and value == "uri")  # a page's addresses have no host
        and not (name == "type" and overridden)
    }


def _known_only(value: Any, schema: Json) -> None:
    """No field that the document does not have."""
    if isinstance(value, dict) and schema.get("properties"):
        told = cast("Json", value)
        unknown = set(told) - set(schema["properties"])
        assert not unknown, unknown
        for name, inner in told.items():
            _known_only(inner, schema["properties"][name])
    if isinstance(value, list):
        for inner in cast("list[Any]", value):
            _known_only(inner, schema["items"])


@pytest.fixture
async def api(simulator: Simulator, ours: Account):
    auth = (ours.sid, ours.token)
    async with httpx.AsyncClient(base_url=simulator.url, auth=auth, trust_env=False) as client:
        yield client


async def test_every_answer_follows_the_document(api: httpx.AsyncClient, ours: Account):
    root = ROOT.replace("{AccountSid}", ours.sid)
    e164 = ""
    for country, kind in (("US", "Local"), ("GB", "Mobile"), ("US", "TollFree")):
        path = f"/AvailablePhoneNumbers/{{CountryCode}}/{kind}.json"
        answer = await api.get(root + path.replace("{CountryCode}", country))
        listed = validate(API, ROOT + path, "get", answer)["available_phone_numbers"]
        e164 = e164 or listed[0]["phone_number"]
    path = "/IncomingPhoneNumbers.json"
    answer = await api.post(
        root + path,
        data={"PhoneNumber": e164, "FriendlyName": "x", "SmsUrl": "http://127.0.0.1:1/"},
    )
    sid = validate(API, ROOT + path, "post", answer)["sid"]
    validate(API, ROOT + path, "get", await api.get(root + path))
    one = "/IncomingPhoneNumbers/{Sid}.json"
    there = root + one.replace("{Sid}", sid)
    validate(API, ROOT + one, "get", await api.get(there))
    validate(API, ROOT + one, "post", await api.post(there, data={"VoiceUrl": "http://x/"}))
    await _messages(api, root, e164)
    await _calls(api, root, e164)
    validate(API, ROOT + one, "delete", await api.delete(there))
    prices = "/v1/PhoneNumbers/Countries/{IsoCountry}"
    validate("pricing_v1.json", prices, "get", await api.get(prices.format(IsoCountry="US")))


async def _messages(api: httpx.AsyncClient, root: str, e164: str) -> None:
    path, one = "/Messages.json", "/Messages/{Sid}.json"
    for body in ("Hello", "😀" * 36):
        form = {"From": e164, "To": "+12025550142", "Body": body}
        sent = validate(API, ROOT + path, "post", await api.post(root + path, data=form))
    validate(API, ROOT + path, "get", await api.get(root + path, params={"PageSize": 1}))
    dates = {"DateSent>": "2026-01-01", "DateSent<": "2999-01-01T00:00:00Z"}
    listed = validate(API, ROOT + path, "get", await api.get(root + path, params=dates))
    assert len(listed["messages"]) == 2
    validate(API, ROOT + one, "get", await api.get(root + one.replace("{Sid}", sent["sid"])))


async def _calls(api: httpx.AsyncClient, root: str, e164: str) -> None:
    path, one = "/Calls.json", "/Calls/{Sid}.json"
    form = {"From": e164, "To": "+12025550142", "Twiml": "<Response><Hangup/></Response>"}
    made = validate(API, ROOT + path, "post", await api.post(root + path, data=form))
    validate(API, ROOT + path, "get", await api.get(root + path))
    await _priced_call(api, made["sid"])
    dates = {"StartTime>": "2026-01-01", "StartTime<": "2999-01-01T00:00:00Z"}
    listed = validate(API, ROOT + path, "get", await api.get(root + path, params=dates))
    assert [each["price"] for each in listed["calls"]] == ["-0.01400"]
    validate(API, ROOT + one, "get", await api.get(root + one.replace("{Sid}", made["sid"])))


async def _priced_call(api: httpx.AsyncClient, sid: str) -> None:
    """A test may rewrite the carrier's memory of a call; it stays in the carrier's format."""
    fields = {"status": "completed", "duration": "59", "price": "-0.01400"}
    changes = [{"kind": "call", "sid": sid, "fields": fields}]
    assert (await api.post("/simulator/records", json=changes)).json() == {"sids": [sid]}


async def test_errors_have_twilios_form(api: httpx.AsyncClient, ours: Account):
    root = ROOT.replace("{AccountSid}", ours.sid)
    answers = [
        await api.post(f"{root}/Messages.json", data={"To": "x", "From": "y", "Body": "z"}),
        await api.get(f"{root}/Messages/SM0.json"),
        await api.get(f"{root}/Messages.json", auth=("a", "b")),
        await api.get(f"{root}/Messages.json", params={"DateSent>": "never"}),
    ]
    for answer in answers:
        error = answer.json()
        assert set(error) == {"code", "message", "more_info", "status"}
        assert error["status"] == answer.status_code >= 400
        assert re.fullmatch(r"https://www.twilio.com/docs/errors/\d{5}", error["more_info"])
