"""A stand-in for Stripe: its API as the official library speaks it, its script, its banks.

    async with running() as stripe:                  # stripe.url, stripe.gateway()
        token = await stripe.give_card(secret, "4242…")     # what the Payment Element does
        stripe.answer(secret, approve=True)                 # what the card's owner says to the bank
        stripe.fail(Fault("POST /v1/payment_intents", status=500, after=True))
        body, signature = stripe.event("payment_intent.succeeded", intent)

Form-encoded requests with brackets, parameters checked against the library's own types, idempotency
keys that replay (docs.stripe.com/api/idempotent_requests), the states of SetupIntents and
PaymentIntents, test cards (docs.stripe.com/testing), refunds, signed events, failures on demand.
localstripe 1.15.10 was tried: it refuses `allowed_payment_method_types`, `use_stripe_sdk` and the
list of a customer's payments, and knows no idempotency keys.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from stripe import Webhook, WebhookSignature, params

from offhook.billing.stripe_gateway import StripeGateway

SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET = "sk_test_stand_in", "pk_test_stand_in", "whsec_x"
HERE = Path(__file__).parent
Json = dict[str, Any]
assert Webhook.DEFAULT_TOLERANCE == 300


@dataclass(frozen=True)
class Behaviour:
    brand: str = "visa"
    refused_at_setup: tuple[str, str] | None = None  # code, decline_code
    refused: tuple[str, str] | None = None
    asks_at_setup: bool = False
    asks_buyer: bool = False
    asks_off_session: bool = False


DECLINED = ("card_declined", "generic_decline")
POOR = ("card_declined", "insufficient_funds")
CARDS = {
    "4242424242424242": Behaviour(),
    "5555555555554444": Behaviour("mastercard"),
    "378282246310005": Behaviour("amex"),
    "4000000000000002": Behaviour(refused_at_setup=DECLINED),
    "4000000000009995": Behaviour(refused_at_setup=POOR),
    "4000000000000069": Behaviour(refused_at_setup=("expired_card", "expired_card")),
    "4000000000000127": Behaviour(refused_at_setup=("incorrect_cvc", "incorrect_cvc")),
    "4000000000000341": Behaviour(refused=DECLINED),
    "4000002500003155": Behaviour(asks_at_setup=True, asks_buyer=True),
    "4000008260003178": Behaviour(asks_at_setup=True, asks_buyer=True, refused=POOR),
    "4000000000003220": Behaviour(asks_at_setup=True, asks_buyer=True, asks_off_session=True),
    "4000002760003184": Behaviour(asks_at_setup=True, asks_buyer=True, asks_off_session=True),
    "4000008400001629": Behaviour(
        refused=DECLINED, asks_at_setup=True, asks_buyer=True, asks_off_session=True
    ),
}
AUTHENTICATION_FAILED = "payment_intent_authentication_failure"
MINIMUM = {"usd": 50}


@dataclass
class Fault:
    """A failure of the next request whose method and path begin with `path`.

    `after`: the effect happens and only its answer is this one. `hangs`: no answer at all.
    """

    path: str
    status: int = 500
    after: bool = False
    hangs: bool = False
    times: int = 1


class ApiError(Exception):
    def __init__(self, status: int, kind: str, code: str = "", **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": f"{kind}: {code}", **more}}


def missing(name: str) -> ApiError:
    return ApiError(404, "invalid_request_error", "resource_missing", param=name)


def unexpected_state() -> ApiError:
    return ApiError(400, "invalid_request_error", "payment_intent_unexpected_state")


def unflatten(pairs: list[tuple[str, str]]) -> Json:
    """`a[b][0]=c` as {"a": {"b": {"0": "c"}}}."""
    tree: Json = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        node, last = tree, head
        for part in rest:
            node, last = node.setdefault(last, {}), part
        node[last] = value
    return tree


def check(given: Json, known: Any) -> None:
    """Refuse what this version of the API does not know, as Stripe does."""
    if unknown := set(given) - set(known.__annotations__):
        raise ApiError(400, "invalid_request_error", "parameter_unknown", param=unknown.pop())


@dataclass
class StandIn:
    """One Stripe account."""

    url: str = ""
    objects: dict[str, Json] = field(default_factory=dict[str, Json])
    numbers: dict[str, str] = field(default_factory=dict[str, str])
    answers: dict[str, tuple[str, int, Json] | None] = field(
        default_factory=dict[str, tuple[str, int, Json] | None]
    )
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[str] = field(default_factory=list[str])
    ids: "count[int]" = field(default_factory=lambda: count(1))
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def gateway(self, *, retries: int = 0, timeout_s: float = 10) -> StripeGateway:
        return StripeGateway(
            SECRET_KEY, self.url, retries=retries, timeout=httpx.Timeout(timeout_s)
        )

    def settings(self) -> dict[str, str]:
        """The settings of an installation with this account."""
        return {
            "stripe_secret_key": SECRET_KEY,
            "stripe_publishable_key": PUBLISHABLE_KEY,
            "stripe_webhook_secret": WEBHOOK_SECRET,
            "stripe_api_url": self.url,
        }

    def environment(self) -> dict[str, str]:
        return {f"OFFHOOK_{name.upper()}": value for name, value in self.settings().items()}

    def fail(self, fault: Fault) -> None:
        self.faults.append(fault)

    def of_kind(self, kind: str) -> list[Json]:
        return [each for each in self.objects.values() if each["object"] == kind]

    def intent_of(self, key: str) -> Json:
        """The payment with our key; there must be exactly one."""
        (found,) = [
            each
            for each in self.of_kind("payment_intent")
            if each["metadata"].get("offhook_key") == key
        ]
        return found

    # ---- what the browser does ----

    def give_card(self, secret: str, number: str) -> Json:
        """The Payment Element: confirms a SetupIntent with a typed card; the SetupIntent after."""
        setup = self._by_secret(secret)
        kind = CARDS[number]
        card = self._make(
            "pm",
            "payment_method",
            type="card",
            customer=None,
            card={
                "brand": kind.brand,
                "display_brand": kind.brand,
                "last4": number[-4:],
                "exp_month": 12,
                "exp_year": 2099,
            },
        )
        self.numbers[card["id"]] = number
        if kind.refused_at_setup:
            code, decline_code = kind.refused_at_setup
            setup["last_setup_error"] = _error(code, decline_code, card)
            return setup
        setup["payment_method"], setup["last_setup_error"] = card["id"], None
        setup["status"] = "requires_action"
        if not kind.asks_at_setup:
            self.answer(secret, approve=True)
        return setup

    def answer(self, secret: str, *, approve: bool) -> Json:
        """The card's owner says yes or no to the bank; the intent after."""
        intent = self._by_secret(secret)
        if intent["status"] != "requires_action":
            return intent
        if intent["object"] == "setup_intent":
            card = self.objects[intent["payment_method"]]
            if approve:
                intent["status"], card["customer"] = "succeeded", intent["customer"]
            else:
                intent["status"], intent["payment_method"] = "requires_payment_method", None
                intent["last_setup_error"] = _error("setup_intent_authentication_failure", "", card)
            return intent
        card = self.objects[intent["payment_method"]]
        if approve:
            self._pay(intent, CARDS[self.numbers[card["id"]]])
        else:
            self._fail(intent, AUTHENTICATION_FAILED, "")
        return intent

    def confirm_card_payment(self, secret: str, card: str) -> Json:
        """Stripe.js confirmCardPayment: the owner is there now; the bank then asks."""
        intent = self._by_secret(secret)
        if intent["status"] == "requires_payment_method":
            intent["payment_method"] = card
            intent["status"] = "requires_action"
        return intent

    # ---- events ----

    def event(self, kind: str, about: Json, *, event_id: str = "", at: int = 0) -> tuple[str, str]:
        """A signed event: its body, and the header Stripe-Signature."""
        body = json.dumps(
            {
                "id": event_id or f"evt_{next(self.ids)}",
                "object": "event",
                "api_version": "2026-10-28.endive",
                "created": int(time.time()),
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
                "data": {"object": about},
            }
        )
        return body, self.sign(body, at)

    def sign(self, body: str, at: int = 0) -> str:
        """The header Stripe-Signature of a body."""
        sign: Callable[..., str] = getattr(WebhookSignature, "generate_signature_header")  # noqa: B009 - half typed
        return sign(body, WEBHOOK_SECRET, timestamp=at or None)

    def dispute(self, key: str, status: str = "needs_response") -> Json:
        """The card's owner disputes a payment at the bank."""
        return self._make("dp", "dispute", payment_intent=self.intent_of(key)["id"], status=status)

    # ---- the API ----

    def create_customer(self, given: Json) -> Json:
        check(given, params.CustomerCreateParams)
        return self._make("cus", "customer", metadata=given.get("metadata", {}))

    def create_setup(self, given: Json) -> Json:
        check(given, params.SetupIntentCreateParams)
        self._get("customer", given["customer"])
        return self._make(
            "seti",
            "setup_intent",
            customer=given["customer"],
            payment_method=None,
            status="requires_payment_method",
            last_setup_error=None,
            usage=given["usage"],
        )

    def create_intent(self, given: Json) -> Json:
        check(given, params.PaymentIntentCreateParams)
        card = self._get("payment_method", given["payment_method"])
        if card["customer"] != given["customer"]:
            raise ApiError(400, "invalid_request_error", "resource_missing")
        if int(given["amount"]) < MINIMUM.get(given["currency"], 1):
            raise ApiError(400, "invalid_request_error", "amount_too_small")
        intent = self._make(
            "pi",
            "payment_intent",
            amount=int(given["amount"]),
            currency=given["currency"],
            customer=given["customer"],
            payment_method=card["id"],
            capture_method=given["capture_method"],
            description=given.get("description"),
            metadata=given.get("metadata", {}),
            status="requires_confirmation",
            last_payment_error=None,
            latest_charge=None,
        )
        kind = CARDS[self.numbers[card["id"]]]
        off_session = given.get("off_session") == "true"
        if off_session and kind.asks_off_session:
            raise self._fail(intent, "authentication_required", "authentication_required")
        if not off_session and kind.asks_buyer:
            intent["status"] = "requires_action"
            intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
            return intent
        if refused := self._pay(intent, kind):
            raise refused
        return intent

    def capture(self, given: Json, intent_id: str) -> Json:
        intent = self._get("payment_intent", intent_id)
        if intent["status"] != "requires_capture":
            raise unexpected_state()
        intent["status"] = "succeeded"
        self.objects[intent["latest_charge"]]["captured"] = True
        return intent

    def cancel(self, given: Json, intent_id: str) -> Json:
        intent = self._get("payment_intent", intent_id)
        if intent["status"] in {"succeeded", "canceled"}:
            raise unexpected_state()
        intent["status"] = "canceled"
        return intent

    def refund(self, given: Json) -> Json:
        check(given, params.RefundCreateParams)
        intent = self._get("payment_intent", given["payment_intent"])
        charge = self.objects[intent["latest_charge"]]
        if charge["refunded"]:
            raise ApiError(400, "invalid_request_error", "charge_already_refunded")
        charge["refunded"] = True
        return self._make("re", "refund", payment_intent=intent["id"], amount=intent["amount"])

    def detach(self, given: Json, card_id: str) -> Json:
        card = self._get("payment_method", card_id)
        if card["customer"] is None:
            raise ApiError(
                400, "invalid_request_error", "", message="This card is not attached to a customer."
            )
        card["customer"] = None
        return card

    def list_intents(self, given: Json) -> Json:
        found = [
            each
            for each in reversed(self.of_kind("payment_intent"))
            if each["customer"] == given["customer"]
        ]
        if after := given.get("starting_after"):
            found = found[[each["id"] for each in found].index(after) + 1 :]
        limit = int(given.get("limit", 10))
        return {
            "object": "list",
            "url": "/v1/payment_intents",
            "has_more": len(found) > limit,
            "data": [self._shown(each, expand=True) for each in found[:limit]],
        }

    def retrieve(self, given: Json, kind: str, object_id: str) -> Json:
        return self._shown(self._get(kind, object_id), expand="expand" in given)

    def _shown(self, found: Json, *, expand: bool) -> Json:
        """An object with what was asked to be expanded."""
        shown = dict(found)
        for name in ("latest_charge", "payment_method"):
            inner = shown.get(name)
            wanted = name == "latest_charge" or found["object"] == "setup_intent"
            if expand and wanted and isinstance(inner, str):
                shown[name] = self.objects[inner]
        return shown

    def _pay(self, intent: Json, kind: Behaviour) -> ApiError | None:
        if kind.refused:
            return self._fail(intent, *kind.refused)
        at_once = intent["capture_method"] != "manual"
        charge = self._make(
            "ch", "charge", payment_intent=intent["id"], captured=at_once, refunded=False
        )
        intent["latest_charge"], intent["last_payment_error"] = charge["id"], None
        intent["status"] = "succeeded" if at_once else "requires_capture"
        return None

    def _fail(self, intent: Json, code: str, decline_code: str) -> ApiError:
        card = self.objects[intent["payment_method"]]
        intent["last_payment_error"] = _error(code, decline_code, card)
        intent["status"], intent["payment_method"] = "requires_payment_method", None
        more = {"decline_code": decline_code} if decline_code else {}
        return ApiError(402, "card_error", code, payment_intent=dict(intent), **more)

    def _make(self, prefix: str, kind: str, **values: Any) -> Json:
        made_id = f"{prefix}_{next(self.ids)}"
        made = {"id": made_id, "object": kind, "created": int(time.time()), "livemode": False}
        if prefix in {"pi", "seti"}:
            made["client_secret"] = f"{made_id}_secret_{next(self.ids)}"
        self.objects[made_id] = made | values
        return self.objects[made_id]

    def _get(self, kind: str, object_id: str) -> Json:
        found = self.objects.get(object_id)
        if found is None or found["object"] != kind:
            raise missing(kind)
        return found

    def _by_secret(self, secret: str) -> Json:
        return self.objects[secret.partition("_secret_")[0]]


def _error(code: str, decline_code: str, card: Json) -> Json:
    more = {"decline_code": decline_code} if decline_code else {}
    return {"type": "card_error", "code": code, "message": code, "payment_method": card, **more}


Operation = Callable[..., Json]


def _routes(account: StandIn) -> list[tuple[str, str, Operation]]:
    def retrieving(kind: str) -> Operation:
        def retrieve(given: Json, object_id: str) -> Json:
            return account.retrieve(given, kind, object_id)

        return retrieve

    return [
        ("POST", "/v1/customers", account.create_customer),
        ("POST", "/v1/setup_intents", account.create_setup),
        ("GET", "/v1/setup_intents/{id}", retrieving("setup_intent")),
        ("POST", "/v1/payment_intents", account.create_intent),
        ("GET", "/v1/payment_intents", account.list_intents),
        ("GET", "/v1/payment_intents/{id}", retrieving("payment_intent")),
        ("POST", "/v1/payment_intents/{id}/capture", account.capture),
        ("POST", "/v1/payment_intents/{id}/cancel", account.cancel),
        ("GET", "/v1/payment_methods/{id}", retrieving("payment_method")),
        ("POST", "/v1/payment_methods/{id}/detach", account.detach),
        ("GET", "/v1/charges/{id}", retrieving("charge")),
        ("GET", "/v1/disputes/{id}", retrieving("dispute")),
        ("POST", "/v1/refunds", account.refund),
    ]


class Front:
    """The HTTP side of a StandIn."""

    def __init__(self, account: StandIn) -> None:
        self.account = account
        self.in_flight: set[str] = set()

    def application(self) -> Starlette:
        routes = [
            Route(path, self._endpoint(operation), methods=[method])
            for method, path, operation in _routes(self.account)
        ]
        routes += [
            Route("/v3/{name}", _file),
            Route("/v3/", _file),
            Route("/browser/{what}", self._browser, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def _endpoint(self, operation: Operation) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = (await request.body()).decode()
            line = f"{request.method} {request.url.path}"
            self.account.requests.append(line)
            fault = self._fault(line)
            if fault and not fault.after:
                if fault.hangs:
                    await self.account.closed.wait()
                return _failure(fault.status)
            status, answer = self._run(request, operation, body)
            if fault and fault.hangs:
                await self.account.closed.wait()
            if fault:
                return _failure(fault.status)
            return JSONResponse(answer, status, headers={"request-id": "req_1"})

        return endpoint

    def _fault(self, line: str) -> Fault | None:
        for fault in self.account.faults:
            if line.startswith(fault.path):
                fault.times -= 1
                if fault.times <= 0:
                    self.account.faults.remove(fault)
                return fault
        return None

    def _run(self, request: Request, operation: Operation, body: str) -> tuple[int, Json]:
        """One operation; the same Idempotency-Key with the same body gets the same answer."""
        if request.headers.get("authorization") != f"Bearer {SECRET_KEY}":
            return 401, ApiError(401, "invalid_request_error").body
        key = request.headers.get("idempotency-key", "")
        kept = self.account.answers.get(key) if key else None
        if kept is not None:
            asked, status, answer = kept
            if asked != f"{request.url.path} {body}":
                return 400, ApiError(400, "idempotency_error", "").body
            return status, answer
        given = unflatten(parse_qsl(body, keep_blank_values=True))
        given |= unflatten(parse_qsl(request.url.query))
        named = [request.path_params["id"]] if "id" in request.path_params else []
        try:
            status, answer = 200, json.loads(json.dumps(operation(given, *named)))
        except ApiError as error:
            status, answer = error.status, json.loads(json.dumps(error.body))
        if key and (status < 400 or status == 402):
            self.account.answers[key] = (f"{request.url.path} {body}", status, answer)
        return status, answer

    async def _browser(self, request: Request) -> Response:
        """What the script in the browser asks for."""
        given = await request.json()
        match request.path_params["what"]:
            case "card":
                found = self.account.give_card(given["secret"], given["number"])
            case "confirm":
                found = self.account.confirm_card_payment(given["secret"], given["card"])
            case _:
                found = self.account.answer(given["secret"], approve=given["approve"])
        return JSONResponse(found)


def _failure(status: int) -> Response:
    headers = {"retry-after": "7"} if status == 429 else {}
    kind = "rate_limit_error" if status == 429 else "api_error"
    return JSONResponse(ApiError(status, kind).body, status, headers=headers)


async def _file(request: Request) -> Response:
    name = request.path_params.get("name", "")
    known = {"": "stripe_script.js", "element.html": "stripe_element.html"}
    return FileResponse(HERE / known.get(name, "stripe_bank.html"))


@asynccontextmanager
async def running() -> AsyncGenerator[StandIn]:
    """The stand-in on a free port of this machine."""
    account = StandIn()
    config = uvicorn.Config(Front(account).application(), log_level="warning", lifespan="off")
    listening = socket.create_server(("127.0.0.1", 0))  # connections wait until it serves
    account.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield account
    finally:
        account.closed.set()
        server.should_exit = True
        await task
