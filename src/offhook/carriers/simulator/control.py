"""What may be asked of the simulated carrier besides Twilio's API: faults, people who answer,
opt-outs, records, accounts, and its log. For tests, and for trying the product; Twilio has
nothing like it.
"""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from offhook.carriers.simulator.accounts import Accounts
from offhook.carriers.simulator.faults import Fault, Faults
from offhook.carriers.simulator.messages import Messages
from offhook.carriers.simulator.people import Manner, People, Person
from offhook.carriers.simulator.records import Change, apply
from offhook.carriers.simulator.store import Store, read_log

Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    """The endpoints; the operator's credentials, as for the API."""

    def __init__(
        self,
        accounts: Accounts,
        messages: Messages,
        database: Store,
        faults: Faults,
        people: People,
    ) -> None:
        self._accounts = accounts
        self._messages = messages
        self._store = database
        self._faults = faults
        self._people = people

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self._health),
            Route("/simulator/log", self._guarded(self._log)),
            self._post("/simulator/faults", self._ask_faults),
            self._post("/simulator/people", self._ask_people),
            self._post("/simulator/opt-outs", self._opt_out),
            self._post("/simulator/records", self._change_records),
            self._post("/simulator/accounts", self._make_account),
            self._post("/simulator/accounts/{sid}", self._change_account),
        ]

    def _post(self, path: str, endpoint: Endpoint) -> Route:
        return Route(path, self._guarded(endpoint), methods=["POST"])

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            if not await self._accounts.is_operator(request.headers.get("authorization", "")):
                return Response(status_code=401)
            return await endpoint(request)

        return guarded

    async def _health(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def _log(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        number = int(after) if after.isdigit() else 0
        entries = await self._store.do(lambda db: read_log(db, number))
        shown = [
            {"id": e.id, "at_us": e.at_us, "event": e.event, "sid": e.sid, "data": e.data}
            for e in entries
        ]
        return JSONResponse({"log": shown})

    async def _ask_faults(self, request: Request) -> Response:
        try:
            for each in json.loads(await request.body()):
                self._faults.ask(Fault(**each))
        except (ValueError, TypeError):
            return JSONResponse({"sentence": "A list of faults is wanted."}, 400)
        return Response(status_code=204)

    async def _ask_people(self, request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
            people = [Person(manner=Manner(each.pop("manner")), **each) for each in asked]
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"sentence": "A list of people is wanted."}, 400)
        for person in people:
            self._people.ask(person)
        return Response(status_code=204)

    async def _change_records(self, request: Request) -> Response:
        try:
            changes = [Change(**each) for each in json.loads(await request.body())]
            sids = [
                await self._store.do(
                    lambda db, each=each: apply(db, self._accounts.operator.sid, each)
                )
                for each in changes
            ]
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"sentence": "A list of changes to records is wanted."}, 400)
        return JSONResponse({"sids": sids})

    async def _opt_out(self, request: Request) -> Response:
        try:
            data = json.loads(await request.body())
            number, contact = str(data["number"]), str(data["contact"])
            stopped = bool(data.get("stopped", True))
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"sentence": "number and contact are wanted."}, 400)
        await self._messages.opt_out(number=number, contact=contact, stopped=stopped)
        return Response(status_code=204)

    async def _make_account(self, request: Request) -> Response:
        try:
            made = await self._accounts.make(json.loads(await request.body() or b"{}"))
        except (ValueError, TypeError, AttributeError):
            return JSONResponse({"sentence": "name, type, numbers or callbacks are wanted."}, 400)
        return JSONResponse(made, 201)

    async def _change_account(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        try:
            token = await self._accounts.change(sid, json.loads(await request.body()))
        except (ValueError, TypeError, AttributeError):
            return JSONResponse({"sentence": "status, type or new_token are wanted."}, 400)
        if token is None:
            return JSONResponse({"sentence": "There is no such account."}, 404)
        return JSONResponse({"sid": sid, "token": token})
