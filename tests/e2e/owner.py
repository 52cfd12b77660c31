"""The owner of an installation without a browser: signs up by the printed link, then works by REST.

    owner = Owner(installation)                   # signed up, with an API key
    number = owner.ready_number()                 # sample agent live, card added, bought, enabled
    owner.texts("+12025550142")                   # what the simulated carrier took from us

`owner.rest` is a program's client (API key), `owner.browser` a browser's (cookie and CSRF header).
"""

import asyncio
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx
from installation import Installation, until

from offhook.agents import sample
from offhook.carriers import account
from offhook.carriers.simulator import handset
from offhook.settings import Settings

EMAIL = "owner@bakery.example"
PASSWORD = "correct horse battery staple"
CARD = "4242424242424242"  # the test gateway's card that always works
CALLER = "+12025550142"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bought:
    """A number of the owner's team."""

    id: str
    e164: str


class Owner:
    """The first owner of an installation that has just been started for the first time."""

    def __init__(self, installation: Installation, *, timezone: str = "UTC") -> None:
        self.installation = installation
        self.browser = httpx.Client(
            base_url=installation.url, trust_env=False, timeout=30, follow_redirects=True
        )
        self._sign_up(timezone)
        made = self.browser.post("/api/v1/api-keys", json={"name": "A test"})
        assert made.status_code == 201, made.text
        self.rest = httpx.Client(
            base_url=f"{installation.url}/api/v1",
            trust_env=False,
            timeout=30,
            headers={"Authorization": f"Bearer {made.json()['key']}"},
        )

        us = account(self.settings)
        self.carrier = httpx.Client(
            base_url=installation.simulator_url,
            trust_env=False,
            auth=(us.sid, us.token),
            limits=httpx.Limits(max_keepalive_connections=0),  # it may be killed meanwhile
        )
        self._carrier_log: list[Json] = []
        self._reading = threading.Lock()

    def close(self) -> None:
        self.browser.close()
        self.rest.close()
        self.carrier.close()

    def _sign_up(self, timezone: str) -> None:
        link = self.installation.setup_link
        form = {
            "token": httpx.URL(link).params["token"],
            "team_name": "Daily Bread",
            "email": EMAIL,
            "password": PASSWORD,
            "timezone": timezone,
            "country": "US",
        }
        answer = self.browser.post(link, data=form | {"csrf_token": self._csrf_token(link)})
        assert answer.status_code == 200, answer.text
        self.browser.headers["X-CSRF-Token"] = self._csrf_token("/numbers")

    def _csrf_token(self, page: str) -> str:
        found = re.search(r'data-csrf="([^"]+)"', self.browser.get(page).text)
        assert found, f"{page} carries no token"
        return found[1]

    # --- any request ---

    def get(self, path: str, **params: str) -> Any:
        return _json(self.rest.get(path, params=params))

    def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Json:
        return _json(self.rest.post(path, json=body or {}, headers=headers))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return _json(self.rest.put(path, json=body))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return _json(self.rest.patch(path, json=body))

    # --- setting up ---

    def add_card(self, number: str = CARD) -> Json:
        card = {"number": number, "expiry_month": 12, "expiry_year": 2099, "code": "123"}
        return self.post("/billing/cards", card)

    def sample_agent(self) -> str:
        """The id of the sample agent, live and knowing its bakery; made if it isn't there."""
        if found := self._known_sample():
            return found
        answer = self.browser.post("/agents/sample")
        assert answer.status_code == 200, answer.text
        until(self._knowledge_is_ready, "the sample agent's knowledge")
        return self._known_sample()

    def _known_sample(self) -> str:
        agents = self.get("/agents")["items"]
        return next((each["id"] for each in agents if each["name"] == sample.NAME), "")

    def _knowledge_is_ready(self) -> bool:
        sources = self.get("/knowledge/sources")["items"]
        return bool(sources) and all(each["state"] == "ready" for each in sources)

    def buy_number(self, **search: str) -> Bought:
        """Search, quote, accept the terms, order, and wait until the number is there."""
        wanted = {"voice": "true", "sms": "true"} | search
        offer = self.get("/numbers/available", **wanted)[0]
        quote = self.post("/numbers/quotes", {"e164": offer["e164"], "type": offer["type"]})
        accepted = {"quote_id": quote["id"], "accept_terms": quote["terms_version"]}
        order = self.post("/numbers/purchases", accepted, **{"Idempotency-Key": uuid.uuid4().hex})
        done = until(lambda: self._ended(order["id"]), "the purchase", 60)
        assert done["state"] == "completed", done
        return Bought(done["number_id"], done["e164"])

    def _ended(self, purchase_id: str) -> Json | None:
        found = self.get(f"/numbers/purchases/{purchase_id}")
        return found if found["state"] in {"completed", "failed"} else None

    def configure(self, number: Bought, **changes: Any) -> Json:
        return _json(self.rest.patch(f"/numbers/{number.id}", json=changes))

    def enable(self, number: Bought) -> Json:
        return self.post(f"/numbers/{number.id}/enable")

    def disable(self, number: Bought) -> Json:
        return self.post(f"/numbers/{number.id}/disable")

    def limit(self, number: Bought, service: str, value: int | None) -> Json:
        """Set the monthly limit of `calls` or `sms`; None lifts it."""
        return self.put(f"/numbers/{number.id}/limits/{service}", {"limit": value})

    def ready_number(self, name: str = "Front desk") -> Bought:
        """A new number that the sample agent answers, calls and texts, enabled."""
        if not self.rest.get("/billing/cards").json():
            self.add_card()
        agent = self.sample_agent()
        number = self.buy_number()
        services = {"calls_enabled": True, "sms_enabled": True, "record_calls": True}
        self.configure(number, name=name, agent_id=agent, **services)
        assert self.enable(number)["status"] == "enabled"
        return number

    # --- looking ---

    def used(self, number: Bought, service: str) -> tuple[int, int]:
        """Units: used and held."""
        found = [
            (each["used"], each["held"])
            for month in self.usage()
            for each in month["numbers"]
            if (each["number_id"], each["service"]) == (number.id, service)
        ]
        return sum(used for used, _ in found), sum(held for _, held in found)

    def usage(self) -> list[Json]:
        """Of each month: the installation is of today, but a month may end while a test goes on."""
        months = self.get("/usage/months")["items"]
        return [self.get("/usage", month=each["period"]["month"]) for each in months]

    def calls(self, number: Bought) -> list[Json]:
        """Calls that were let in, the newest first."""
        return self.get("/calls", number_id=number.id)["items"]

    def transcript(self, call: Json) -> list[Json]:
        return self.get(f"/calls/{call['id']}/transcript")["turns"]

    def recording(self, call: Json) -> bytes:
        """The WAV file, as the page's player gets it."""
        link = self.browser.get(f"/api/v1/calls/{call['id']}/recording")
        answer = self.browser.get(_json(link)["url"])
        assert answer.status_code == 200, answer.text
        return answer.content

    def messages(self, number: Bought) -> list[Json]:
        """Texts of both directions, the newest first."""
        return self.get("/messages", number_id=number.id)["items"]

    def text(self, number: Bought, body: str, *, sender: str = CALLER) -> None:
        """A text from a handset, without waiting for the reply."""
        asyncio.run(handset.send_text(self.settings, number.e164, body, sender=sender, wait_s=0))

    def call(self, number: Bought, *says: str, sender: str = CALLER) -> None:
        """A call from a handset to its end. Where the machine is too busy to answer, again."""
        spoken = [each for words in says for each in ("--say", words)]
        command = ["call", number.e164, *spoken, "--from", sender]

        def answered() -> bool:
            done = self.installation.run(*command, seconds=180)
            assert done.returncode == 0 or "busy" in done.stderr, done.stderr
            return done.returncode == 0

        until(answered, "an answer", 180)

    # --- the simulated carrier: what really happened ---

    @property
    def settings(self) -> Settings:
        ports = {name.lower(): port for name, port in self.installation.ports.items()}
        return Settings.model_validate({"home": str(self.installation.home), **ports})

    def carrier_log(self, event: str = "") -> list[Json]:
        """The carrier's own log, oldest first; entries of one kind, or all."""
        with self._reading:
            known = self._carrier_log[-1]["id"] if self._carrier_log else 0
            told = self.carrier.get("/simulator/log", params={"after": known}).json()
            self._carrier_log += cast("list[Json]", told["log"])
        return [each for each in self._carrier_log if event in {"", each["event"]}]

    def replies(self, number: Bought, remote: str = CALLER) -> list[str]:
        """Texts that the carrier accepted from our number for a remote one."""
        return [
            each["data"]["body"]
            for each in self.carrier_log("message_accepted")
            if (each["data"]["from"], each["data"]["to"]) == (number.e164, remote)
        ]


def _json(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.url}: {answer.text}"
    return answer.json() if answer.content else None  # 204
