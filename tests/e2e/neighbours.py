"""One of each thing that a team can have, and every operation that the API offers on them.

`furnish` makes the things by REST; `harvest` gives their ids by the name of the path's parameter;
`operations` lists what the API's document describes, each with a request that fits it (SEC7).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from installation import until
from owner import Bought, Owner
from receiver import Receiver

Json = dict[str, Any]
CANARY = "canary-of-the-first-team"
ID = re.compile(r"\b[a-z]{2,4}_[0-9a-z]{26}\b")


@dataclass(frozen=True, slots=True)
class Furnished:
    """An owner whose team has one of everything; `made`: ids by the address they were posted to."""

    owner: Owner
    number: Bought
    made: Mapping[str, str]
    receiver: Receiver


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API with everything but the ids of its path filled in."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def above(self, name: str) -> str:
        """The path of the list in which the parameter's thing stands."""
        return self.path.partition(f"/{{{name}}}")[0]

    def address(self, ids: Mapping[str, str]) -> str:
        return fill(self.path, ids)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def fill(path: str, ids: Mapping[str, str]) -> str:
    """The path with the ids that are known."""
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1], found[0]), path)


@cache
def offered_by(url: str) -> Sequence[Operation]:
    """What the API of an installation offers; to make a request that fits each takes seconds."""
    document = httpx.get(f"{url}/api/v1/openapi.json", trust_env=False, timeout=90)
    return list(operations(document.json()))


def operations(document: Json) -> Iterator[Operation]:
    """Every operation of an OpenAPI document, with a body and a query that it describes."""
    import schemathesis

    positive = schemathesis.GenerationMode.POSITIVE
    schema: Any = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation = result.ok()
        case = _one(operation.as_strategy(generation_mode=positive))
        sent: Any = case.body
        body = cast("Any", sent) if isinstance(sent, dict | list) else None  # no forms
        yield Operation(operation.method.upper(), operation.path, body, dict(case.query or {}))


def _one(strategy: Any) -> Any:
    """The first thing that a strategy makes: its simplest."""
    made: list[Any] = []

    @settings(
        max_examples=1,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(strategy)
    def draw(case: Any) -> None:
        made.append(case)

    draw()
    return made[0]


def furnish(owner: Owner, number: Bought) -> None:
    """Whatever a team can make by REST, once each, beside a call and a text."""
    with ThreadPoolExecutor(1) as telephone:
        calling = telephone.submit(owner.call, number, "Are you open on Sunday?")
        owner.text(number, "Are you open on Sunday?")
        _make(owner)
        until(lambda: owner.replies(number), "a reply", 60)
        calling.result()


def _make(owner: Owner) -> None:
    agent = owner.sample_agent()
    owner.post("/invitations", {"email": "invited@bakery.example"})
    owner.post("/knowledge/sources", {"kind": "text", "title": "Parking", "content": CANARY})
    owner.put("/secrets", {"name": "SHOP", "value": CANARY})
    task = owner.post(
        "/tasks",
        {
            "kind": "http",
            "title": "Order",
            "config": {"method": "POST", "url": "https://shop.example/orders"},
            "inputs": [{"name": "words", "type": "text"}],
        },
    )
    owner.put(f"/tasks/{task['id']}/agents/{agent}", {"channels": ["sms"]})
    hours = {"mon": [{"opens": "09:00", "closes": "17:00"}]}
    calendar = owner.post("/calendars", {"name": "Tables", "hours": hours})
    owner.post(
        "/appointments",
        {
            "calendar_id": calendar["id"],
            "starts_at": "2031-05-12T10:00:00Z",
            "name": CANARY,
            "by_hand": True,
        },
    )
    hook = {"url": "https://hooks.example/offhook", "name": CANARY}
    endpoint = owner.post("/webhooks/endpoints", hook)
    owner.post(f"/webhooks/endpoints/{endpoint['id']}/test")
    owner.post("/carrier-accounts/simulated")
    owner.post("/billing/cards/setups")
    contact = until(lambda: owner.get("/contacts")["items"], "whoever called or texted")[0]["id"]
    owner.post(f"/contacts/{contact}/notes", {"text": CANARY})
    owner.post("/transfer-targets", {"name": CANARY, "number": "+12025550177"})


def harvest(owner: Owner, offered: Sequence[Operation], made: Mapping[str, str]) -> dict[str, str]:
    """An id for each parameter of a path: of a thing that was made, the first in a list of that
    name, or one that another thing names.

    Lists below other things (the lines of an invoice) are read once their own ids are known.
    """
    ids = {
        name: made[each.above(name)] for each, name in _named(offered) if each.above(name) in made
    }
    lists = [each for each in offered if each.method == "GET" and not each.path.endswith("}")]
    for _depth in range(3):
        for each, name in _named(offered):
            posted = fill(each.above(name), ids)
            if posted in made:
                ids.setdefault(name, made[posted])
        for source in lists:
            if set(source.parameters) <= ids.keys():
                address = source.address(ids).removeprefix("/api/v1")
                answer = owner.rest.get(address, params=dict(source.query))
                kind = answer.headers.get("content-type", "")
                if answer.is_success and kind == "application/json":
                    _take(source, items(answer.json()), offered, ids)
    return ids


def _named(offered: Sequence[Operation]) -> Iterator[tuple[Operation, str]]:
    return ((each, name) for each in offered for name in each.parameters)


def _take(
    source: Operation, found: Sequence[Json], offered: Sequence[Operation], ids: dict[str, str]
) -> None:
    last = source.path.rpartition("/")[2]
    for each, name in _named(offered):
        for item in found:
            if each.above(name).rpartition("/")[2] == last and "id" in item:
                ids.setdefault(name, str(item["id"]))
            if isinstance(item.get(name), str):
                ids.setdefault(name, item[name])


def remember(owner: Owner) -> dict[str, str]:
    """The ids of what the owner makes from now on, by the address that it was posted to."""
    made: dict[str, str] = {}

    def look(answer: httpx.Response) -> None:
        if answer.request.method == "POST" and answer.is_success:
            answer.read()
            kind = answer.headers.get("content-type", "")
            told = answer.json() if kind.startswith("application/json") else None
            if isinstance(told, dict) and "id" in told:
                made.setdefault(answer.request.url.path, cast("Json", told)["id"])

    owner.rest.event_hooks["response"].append(look)
    return made


def with_ids(body: Any, ids: Mapping[str, str]) -> Any:
    """A body that names the other team's things wherever it names some."""
    if not isinstance(body, dict):
        return body
    given = cast("Json", body)
    return {key: ids.get(key, value) for key, value in given.items()}


def ids_in(value: Any) -> set[str]:
    """Every id in a JSON value."""
    return set(ID.findall(json.dumps(value)))


def items(answer: Any) -> list[Json]:
    """The things of a list's answer, with or without pages."""
    found: Any = answer
    if isinstance(answer, dict):
        lists: list[Any] = [
            each for each in cast("Json", answer).values() if isinstance(each, list)
        ]
        found = lists[0] if lists else []
    things = cast("list[Any]", found)
    return [cast("Json", each) for each in things if isinstance(each, dict)]
