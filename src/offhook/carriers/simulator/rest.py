"""Twilio's REST API over the simulated carrier: routes, authentication, pages and errors."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from offhook.carriers.simulator import (
    caller_names,
    documents,
    inventory,
    media,
    numbers,
    resources,
    store,
)
from offhook.carriers.simulator.accounts import NOT_ACTIVE, Accounts
from offhook.carriers.simulator.calls import Listening, Switchboard
from offhook.carriers.simulator.documents import Verb
from offhook.carriers.simulator.faults import Faults
from offhook.carriers.simulator.live import RING_S, LiveCall
from offhook.carriers.simulator.messages import Messages
from offhook.carriers.simulator.resources import API, ApiError, not_found
from offhook.carriers.simulator.store import Store
from offhook.carriers.twilio.forms import read_form, readable

MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 50
DAY_S = 86_400
MAX_RING_S = 600

Endpoint = Callable[[Request], Awaitable[Response]]
Form = dict[str, str]


class _Lost(Response):
    """The request was carried out; its answer is lost on the way: a head without its body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


class RestApi:
    """The API of every account; each sees what is its own."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        database: Store,
        messages: Messages,
        switchboard: Switchboard,
        faults: Faults,
    ) -> None:
        self._accounts = accounts
        self._store = database
        self._messages = messages
        self._switchboard = switchboard
        self._faults = faults

    def routes(self) -> list[Route]:
        account = f"/{API}/Accounts/{{account}}"
        available = f"{account}/AvailablePhoneNumbers/{{country}}/{{kind}}.json"
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", f"{account}.json", self._fetch_account),
            ("GET", available, self._search),
            ("GET", f"{account}/IncomingPhoneNumbers.json", self._list_numbers),
            ("POST", f"{account}/IncomingPhoneNumbers.json", self._buy),
            ("GET", f"{account}/IncomingPhoneNumbers/{{sid}}.json", self._fetch_number),
            ("POST", f"{account}/IncomingPhoneNumbers/{{sid}}.json", self._configure),
            ("DELETE", f"{account}/IncomingPhoneNumbers/{{sid}}.json", self._release),
            ("GET", f"{account}/Messages.json", self._list_messages),
            ("POST", f"{account}/Messages.json", self._send),
            ("GET", f"{account}/Messages/{{sid}}.json", self._fetch_message),
            ("GET", f"{account}/Messages/{{message}}/Media.json", self._list_media),
            ("GET", f"{account}/Messages/{{message}}/Media/{{sid}}", self._media),
            ("GET", f"{account}/Calls.json", self._list_calls),
            ("POST", f"{account}/Calls.json", self._call),
            ("GET", f"{account}/Calls/{{sid}}.json", self._fetch_call),
            ("POST", f"{account}/Calls/{{sid}}.json", self._update_call),
            ("GET", "/v1/PhoneNumbers/Countries/{country}", self._prices),
            ("GET", "/v2/PhoneNumbers/{number}", self._look_up),
        ]
        return [
            *(
                Route(path, self._guarded(endpoint), methods=[method])
                for method, path, endpoint in table
            ),
            Route("/media/{sid}", self._stored, methods=["GET"]),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                await self._check(request)
                fault = self._faults.of_request(request.method, request.url.path)
                if fault and not fault.lose_answer:
                    refused = ApiError(fault.status, fault.code, "A fault was asked for.")
                    return JSONResponse(refused.body(), refused.status)
                answer = await endpoint(request)
            except ApiError as error:
                return JSONResponse(error.body(), error.status)
            return _Lost() if fault else answer

        return guarded

    async def _check(self, request: Request) -> None:
        account = await self._accounts.signed_in(request.headers.get("authorization", ""))
        if account is None:
            raise ApiError(401, 20003, "Authenticate")
        if request.path_params.get("account", account.sid) != account.sid:
            raise not_found(request.url.path)
        if account.data["status"] != "active" and not request.url.path.endswith(
            f"/{account.sid}.json"
        ):
            raise NOT_ACTIVE

    async def _fetch_account(self, request: Request) -> Response:
        row = await self._store.do(lambda db: store.fetch(db, "account", _account(request)))
        if row is None:
            raise not_found(request.url.path)
        return JSONResponse(row.data)

    async def _search(self, request: Request) -> Response:
        query = dict(request.query_params)
        country, kind = request.path_params["country"], request.path_params["kind"]
        if not inventory.sold_here(country, kind):
            raise not_found(request.url.path)
        wanted = inventory.Wanted(
            country=country,
            type=kind,
            area_code=query.get("AreaCode", ""),
            contains=query.get("Contains", ""),
            voice=query.get("VoiceEnabled") == "true",
            sms=query.get("SmsEnabled") == "true",
            mms=query.get("MmsEnabled") == "true",
        )
        taken = await self._store.do(numbers.taken)
        _, size = _paging(query)
        path = request.url.path
        found = inventory.search(wanted, taken=taken)[:size]
        listed = [inventory.listed(block, number) for block, number in found]
        return JSONResponse({"available_phone_numbers": listed, "uri": path})

    async def _list_numbers(self, request: Request) -> Response:
        query = dict(request.query_params)
        where = _where(query, {"FriendlyName": "friendly_name", "PhoneNumber": "phone_number"})
        where["account_sid"] = _account(request)
        rows = await self._store.do(lambda db: store.select(db, "number", where))
        return _page("incoming_phone_numbers", rows, request)

    async def _buy(self, request: Request) -> Response:
        form = await _form(request)
        row = await self._store.do(lambda db: numbers.buy(db, _account(request), form))
        return JSONResponse(row.data, 201)

    async def _fetch_number(self, request: Request) -> Response:
        sid, account = request.path_params["sid"], _account(request)
        return JSONResponse((await self._store.do(lambda db: numbers.fetch(db, account, sid))).data)

    async def _configure(self, request: Request) -> Response:
        sid, form = request.path_params["sid"], await _form(request)
        row = await self._store.do(lambda db: numbers.configure(db, _account(request), sid, form))
        return JSONResponse(row.data)

    async def _release(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        await self._store.do(lambda db: numbers.release(db, _account(request), sid))
        return Response(status_code=204)

    async def _send(self, request: Request) -> Response:
        form = await _form(request)
        row = await self._messages.create(
            account=_account(request),
            to=form.get("To", ""),
            sender=form.get("From", ""),
            body=form.get("Body", ""),
            status_url=form.get("StatusCallback", ""),
        )
        return JSONResponse(row.data, 201)

    async def _list_messages(self, request: Request) -> Response:
        query = dict(request.query_params)
        where = _where(query, {"To": "to", "From": "from"})
        where["account_sid"] = _account(request)
        rows = await self._store.do(lambda db: store.select(db, "message", where))
        return _page("messages", _within(rows, query, "DateSent", "date_sent"), request)

    async def _fetch_message(self, request: Request) -> Response:
        return await self._fetch(request, "message")

    async def _list_media(self, request: Request) -> Response:
        where = {"account_sid": _account(request), "parent_sid": request.path_params["message"]}
        rows = await self._store.do(lambda db: store.select(db, "media", where))
        return _page("media_list", rows, request)

    async def _media(self, request: Request) -> Response:
        sid, message = request.path_params["sid"], request.path_params["message"]
        row = await self._store.do(lambda db: store.fetch(db, "media", sid))
        if row is None or row.data["account_sid"] != _account(request):
            raise not_found(request.url.path)
        if row.data["parent_sid"] != message:
            raise not_found(request.url.path)
        return RedirectResponse(str(request.url.replace(path=f"/media/{sid}", query="")), 307)

    async def _stored(self, request: Request) -> Response:
        """The store of files: whoever has the address gets it."""
        sid = request.path_params["sid"]
        row = await self._store.do(lambda db: store.fetch(db, "media", sid))
        if row is None:
            return Response(status_code=404)
        return Response(media.content(row), media_type=row.data["content_type"])

    async def _fetch_call(self, request: Request) -> Response:
        return await self._fetch(request, "call")

    async def _fetch(self, request: Request, kind: str) -> Response:
        sid = request.path_params["sid"]
        row = await self._store.do(lambda db: store.fetch(db, kind, sid))
        if row is None or row.data["account_sid"] != _account(request):
            raise not_found(request.url.path)
        return JSONResponse(row.data)

    async def _list_calls(self, request: Request) -> Response:
        query = dict(request.query_params)
        where = _where(query, {"To": "to", "From": "from", "Status": "status"})
        where["account_sid"] = _account(request)
        rows = await self._store.do(lambda db: store.select(db, "call", where))
        return _page("calls", _within(rows, query, "StartTime", "start_time"), request)

    async def _call(self, request: Request) -> Response:
        form = await _form(request)
        verbs = _verbs(form)
        url = form.get("Url", "")
        if verbs is None and not url:
            raise ApiError(400, 21205, "Url parameter is required.")

        async def first(_: LiveCall) -> list[Verb] | None:
            return verbs if verbs is not None else [documents.Redirect(url)]

        row = await self._switchboard.call_out(
            account=_account(request),
            sender=form.get("From", ""),
            to=form.get("To", ""),
            first=first,
            status_url=form.get("StatusCallback", ""),
            ring_s=_ring_s(form),
            listening=_listening(form),
        )
        return JSONResponse(row.data, 201)

    async def _update_call(self, request: Request) -> Response:
        form = await _form(request)
        limit = form.get("TimeLimit")
        if limit is not None and not (limit.isascii() and limit.isdigit()):
            raise ApiError(400, 21218, f"TimeLimit {limit[:20]} is not valid")
        await self._fetch(request, "call")
        row = await self._switchboard.update(
            request.path_params["sid"],
            verbs=_verbs(form),
            url=form.get("Url", ""),
            status=form.get("Status", ""),
            time_limit_s=int(limit) if limit is not None else None,
        )
        return JSONResponse(row.data)

    async def _look_up(self, request: Request) -> Response:
        number = request.path_params["number"]
        with_name = "caller_name" in request.query_params.get("Fields", "").split(",")
        found = caller_names.look_up(number, with_name=with_name)
        if found is None:
            raise not_found(request.url.path)
        await self._store.do(lambda db: store.log(db, "looked_up", number=number))
        return JSONResponse(found)

    async def _prices(self, request: Request) -> Response:
        country = request.path_params["country"]
        prices = inventory.PRICES.get(country)
        if prices is None:
            raise not_found(request.url.path)
        listed = [
            {"number_type": name, "base_price": price, "current_price": price}
            for name, price in zip(inventory.PRICE_NAMES, prices, strict=True)
            if price is not None
        ]
        return JSONResponse(
            {
                "country": inventory.COUNTRIES[country],
                "iso_country": country,
                "phone_number_prices": listed,
                "price_unit": "USD",
                "url": f"https://pricing.twilio.com{request.url.path}",
            }
        )


def _account(request: Request) -> str:
    """Whose resources the request is about; checked against its credentials before."""
    return str(request.path_params["account"])


async def _form(request: Request) -> Form:
    return {name: readable(value) for name, value in read_form(await request.body())}


def _verbs(form: Form) -> list[Verb] | None:
    document = form.get("Twiml")
    if document is None:
        return None
    try:
        return documents.parse(document)
    except documents.DocumentError as error:
        raise ApiError(400, 12100, f"Document parse failure: {error}") from None


def _ring_s(form: Form) -> float:
    text = form.get("Timeout", "")
    if text and not (text.isascii() and text.isdigit() and int(text) <= MAX_RING_S):
        raise ApiError(400, 21221, f"Timeout {text[:20]} is not valid")
    return float(text or RING_S)


def _listening(form: Form) -> Listening | None:
    """Asynchronous detection alone: the other kind keeps who answers waiting in silence."""
    url, mode = form.get("AsyncAmdStatusCallback", ""), form.get("MachineDetection", "")
    if mode not in {"", "Enable", "DetectMessageEnd"}:
        raise ApiError(400, 21224, f"MachineDetection {mode[:20]} is not valid")
    if not mode or not url or form.get("AsyncAmd") != "true":
        return None
    return Listening(url, message_end=mode == "DetectMessageEnd")


def _where(query: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {names[name]: value for name, value in query.items() if name in names and value}


def _paging(query: Mapping[str, str]) -> tuple[int, int]:
    def number(name: str, default: int) -> int:
        text = query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default

    size = min(max(1, number("PageSize", DEFAULT_PAGE_SIZE)), MAX_PAGE_SIZE)
    return number("Page", 0), size


def _within(
    rows: list[store.Row], query: Mapping[str, str], name: str, field: str
) -> list[store.Row]:
    """Those whose `field` lies between the query's dates; without one, by when they were made."""
    from_s, until_s = _dates(query, name)
    return [row for row in rows if from_s <= _time_of(row, field) <= until_s]


def _time_of(row: store.Row, field: str) -> float:
    told = row.data[field]
    return parsedate_to_datetime(told).timestamp() if told else row.created_s


def _dates(query: Mapping[str, str], name: str) -> tuple[float, float]:
    """Twilio's date filters: `DateSent=` a day, `DateSent>=` from, `DateSent<=` until."""
    from_s, until_s = 0.0, 1e12
    if after := query.get(f"{name}>"):
        from_s = _moment(after)
    if before := query.get(f"{name}<"):
        until_s = _moment(before)
    if day := query.get(name):
        from_s = _moment(day)
        until_s = from_s + DAY_S
    return from_s, until_s


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiError(400, 20001, f"The date {text[:40]} is not valid") from None


def _page(key: str, rows: list[store.Row], request: Request) -> Response:
    query: dict[str, Any] = dict(request.query_params)
    number, size = _paging(query)
    others = {name: value for name, value in query.items() if name not in {"Page", "PageSize"}}
    items = [row.data for row in rows]
    path = request.url.path
    return JSONResponse(
        resources.page(key, items, path=path, query=others, number=number, size=size)
    )
