"""Every operation of the API that changes something leaves an entry (SEC21).

The list of operations is the OpenAPI document's. Each is done here once, or stands below with the
reason why not; a new operation must be put into one of the two.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import func, select, update

import contact_fixtures
from number_fixtures import make_agent, make_number
from offhook import agents, inbox, tasks
from offhook.audit import Entry
from offhook.billing import TestGateway
from offhook.calls.models import Call
from offhook.calls.rules import CallState, End
from offhook.carriers import Carriers
from offhook.db import new_id, now
from web_fixtures import Person, Site, new_member

NO_CHANGE = "it changes nothing"
RECORD = "what it does is a record of its own, which nobody can change"
SERVER = "it needs a calendar server; what it changes is the calendar's row, told as by PATCH"
HANDLED = "how a conversation is handled is no setting; it stands on the conversation"
SILENT = {
    "POST /agents/{agent_id}/rehearsals": NO_CHANGE,
    "POST /agents/{agent_id}/tests/run": NO_CHANGE,
    "POST /agents/{agent_id}/tests/{test_id}/run": NO_CHANGE,
    "POST /agents/{agent_id}/try": NO_CHANGE,
    "POST /billing/cards/setups": "the card is told once it is on file",
    "POST /billing/cards/setups/{setup_id}": "as above; the owner's bank decides",
    "POST /billing/charges/{charge_id}/confirmation": RECORD,
    "POST /billing/invoices/{invoice_id}/pay": RECORD,
    "DELETE /calendars/{calendar_id}/server": SERVER,
    "PUT /calendars/{calendar_id}/server": SERVER,
    "POST /calendars/{calendar_id}/server/read": NO_CHANGE,
    "POST /calls": RECORD,
    "POST /calls/{call_id}/end": RECORD,
    "POST /carrier-accounts/simulated": "an account at the simulated carrier is not ours",
    "POST /carrier-accounts/{account_id}/test": NO_CHANGE,
    "POST /conversations/acts": HANDLED,
    "DELETE /conversations/labels": HANDLED,
    "POST /conversations/read": "who has read what is no setting",
    "POST /conversations/{conversation_id}/close": RECORD,
    "POST /conversations/{conversation_id}/reopen": RECORD,
    "POST /conversations/{conversation_id}/take-over": "the thread says who, in its own turn",
    "POST /conversations/{conversation_id}/hand-back": "as above",
    "DELETE /conversations/{conversation_id}/read": "who has read what is no setting",
    "PUT /conversations/{conversation_id}/assignee": HANDLED,
    "PUT /conversations/{conversation_id}/labels": HANDLED,
    "PUT /conversations/{conversation_id}/snooze": HANDLED,
    "DELETE /conversations/{conversation_id}/snooze": HANDLED,
    "PUT /contact-imports/{import_id}/reading": "how a file is read is no change yet",
    "DELETE /conversations/{conversation_id}/person": RECORD,
    "POST /conversations/{conversation_id}/person": RECORD,
    "POST /conversations/{conversation_id}/read": "who has read what is no setting",
    "POST /knowledge/sources/{source_id}/accept": "which reading holds is kept with the source",
    "POST /knowledge/sources/{source_id}/keep": "as above",
    "POST /knowledge/sources/{source_id}/sync": "reading again changes no setting",
    "POST /messages": RECORD,
    "POST /numbers/imports/{import_id}/give-up": "the steps of an import are kept with it",
    "POST /numbers/purchases/{purchase_id}/give-up": "the steps of a purchase are kept with it",
    "POST /numbers/quotes": NO_CHANGE,
    "POST /numbers/{number_id}/check": NO_CHANGE,
    "POST /operator/corrections": RECORD,
    "POST /operator/prices/preview": NO_CHANGE,
    "POST /operator/reconciliation/days/{day}/check": NO_CHANGE,
    "POST /operator/reconciliation/differences/{difference_id}/correct": RECORD,
    "POST /tasks/{task_id}/renewal": "it needs an MCP server; the task's row is told as by PATCH",
    "POST /tasks/{task_id}/try": NO_CHANGE,
    "POST /webhooks/deliveries/{delivery_id}/replay": RECORD,
    "POST /webhooks/endpoints/{endpoint_id}/replay": RECORD,
    "POST /webhooks/endpoints/{endpoint_id}/test": RECORD,
    "POST /webhooks/events/{event_id}/replay": RECORD,
    "POST /webhooks/listeners/{endpoint_id}/next": RECORD,
    "POST /webhooks/listeners/{endpoint_id}/results": RECORD,
}
FILES = {
    "prices.txt": b"Rye bread costs 4 euros.",
    "new.txt": b"Rye bread costs 5 euros.",
    "people.csv": b"Name,Phone\nBo,+14155550123\n",
}
Json = dict[str, Any]
SOON = (datetime.now(UTC) + timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)


class Walk:
    """Does operations one after the other, and looks for the entry that each must leave."""

    def __init__(self, site: Site, client: httpx.AsyncClient) -> None:
        self.site, self.client = site, client
        self.done: set[str] = set()

    async def entries(self) -> int:
        async with self.site.database.system() as session:
            return await session.scalar(select(func.count()).select_from(Entry)) or 0

    async def __call__(self, operation: str, body: Any = None, **ids: str) -> Any:
        method, _, path = operation.partition(" ")
        before = await self.entries()
        given: Json = {"content": body} if isinstance(body, bytes) else {"json": body}
        if "file" in ids:
            given = {"files": {"file": (ids["file"], FILES[ids["file"]])}}
        url = "/api/v1" + path.format(**ids)
        answer = await self.client.request(method, url, **given)
        assert answer.is_success, f"{operation}: {answer.text}"
        assert await self.entries() > before, f"{operation} leaves no entry"
        self.done.add(operation)
        return answer.json() if answer.content else None


def mutating(document: Json) -> set[str]:
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in document["paths"].items()
        for method in operations
        if method != "get"
    }


async def _team(do: Walk, owner: Person) -> None:
    member = await new_member(do.site.database, owner.team_id)
    await do("PATCH /team", {"name": "Night Bread"})
    await do("PATCH /members/{user_id}", {"role": "admin"}, user_id=member.user_id)
    await do("DELETE /members/{user_id}", user_id=member.user_id)
    invited = await do("POST /invitations", {"email": "bo@example.com"})
    await do("DELETE /invitations/{invitation_id}", invitation_id=invited["id"])
    key = await do("POST /api-keys", {"name": "Second"})
    await do("DELETE /api-keys/{key_id}", key_id=key["id"])
    await do("PUT /notices/{kind}", {"wanted": False}, kind="person")


async def _agents(do: Walk) -> None:
    given = {"name": "Ada", "instructions": "Answer questions.", "greeting": "Hello!"}
    agent = (await do("POST /agents", given))["id"]
    await do("PATCH /agents/{agent_id}", {"name": "Ada L."}, agent_id=agent)
    await do("POST /agents/{agent_id}/live", agent_id=agent)
    restore = "POST /agents/{agent_id}/versions/{number}/restore"
    await do("PATCH /agents/{agent_id}", {"greeting": "Good day!"}, agent_id=agent)
    await do(restore, agent_id=agent, number="1")
    await do("POST /agents/{agent_id}/duplicate", agent_id=agent)
    await do("PUT /agents/business-facts", {"text": "We bake since 1911."})
    await do("POST /agents/{agent_id}/pause", agent_id=agent)
    await do("POST /agents/{agent_id}/draft", agent_id=agent)
    text = {"kind": "text", "title": "Hours", "content": "Open from nine to five."}
    source = (await do("POST /knowledge/sources", text))["id"]
    change = {"content": "Open from ten to six."}
    await do("PATCH /knowledge/sources/{source_id}", change, source_id=source)
    await do("DELETE /knowledge/sources/{source_id}", source_id=source)
    source = (await do("POST /knowledge/files", file="prices.txt"))["id"]
    await do("PUT /knowledge/sources/{source_id}/file", source_id=source, file="new.txt")
    await do("PUT /secrets", {"name": "BOOKING_KEY", "value": "s3cret"})
    secrets = (await do.client.get("/api/v1/secrets")).json()
    await do("DELETE /secrets/{secret_id}", secret_id=secrets[0]["id"])
    config = {"method": "GET", "url": "https://example.com/orders"}
    task = await do("POST /tasks", {"kind": "http", "title": "Orders", "config": config})
    await do("PATCH /tasks/{task_id}", {"title": "Order status"}, task_id=task["id"])
    allowed = {"channels": ["call", "sms"]}
    ids = {"task_id": task["id"], "agent_id": agent}
    await do("PUT /tasks/{task_id}/agents/{agent_id}", allowed, **ids)
    await do("DELETE /tasks/{task_id}", task_id=task["id"])
    await do("DELETE /agents/{agent_id}", agent_id=agent)


async def _numbers(do: Walk, owner: Person, carriers: Carriers) -> None:
    agent = await make_agent(do.site.database, owner.team_id)
    number = {"number_id": await make_number(do.site.database, owner.team_id)}
    settings = {"name": "Front desk", "agent_id": agent, "calls_enabled": True}
    await do("PATCH /numbers/{number_id}", settings, **number)
    await do("PATCH /numbers/{number_id}/call-manners", {"says_ai": True}, **number)
    limit = "PUT /numbers/{number_id}/limits/{limited}"
    await do(limit, {"limit": 300}, **number, limited="calls")
    hours = {"quiet_hours": True, "opens": "09:00", "closes": "20:00", "daily_calls": 10}
    await do("PUT /numbers/{number_id}/outbound", hours, **number)
    await do("PUT /numbers/{number_id}/texting", {"settle_ms": 5000}, **number)
    await do("POST /numbers/{number_id}/enable", **number)
    await do("POST /numbers/{number_id}/disable", **number)
    shown = (await do.client.get(f"/api/v1/numbers/{number['number_id']}")).json()
    do.client.params = {"confirmation": shown["e164"]}
    await do("DELETE /numbers/{number_id}", **number)
    do.client.params = {}
    await do("PUT /usage/spend-cap", {"amount": "50"})
    customer = await carriers.simulated_customer()
    given = {"sid": customer.sid, "token": customer.token, "network": "simulator"}
    account = {"account_id": (await do("POST /carrier-accounts", given))["id"]}
    await do("PUT /carrier-accounts/{account_id}/token", {"token": customer.token}, **account)
    path = f"/api/v1/carrier-accounts/{account['account_id']}/numbers"
    choice = (await do.client.get(path)).json()[0]
    body = {**account, "numbers": [choice["e164"]]}
    await do("POST /numbers/imports", body)
    second = await carriers.simulated_customer()
    given = {"sid": second.sid, "token": second.token, "network": "simulator"}
    unused = (await do("POST /carrier-accounts", given))["id"]
    await do("DELETE /carrier-accounts/{account_id}", account_id=unused)


async def _billing(do: Walk) -> None:
    card = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2099, "code": "123"}
    first = (await do("POST /billing/cards", card))["id"]
    second = (await do("POST /billing/cards", card))["id"]
    await do("POST /billing/cards/{card_id}/default", card_id=second)
    await do("DELETE /billing/cards/{card_id}", card_id=first)
    await do("POST /billing/subscription/activate")
    found = (await do.client.get("/api/v1/numbers/available?area_code=415&sms=true")).json()
    quote = await do.client.post("/api/v1/numbers/quotes", json={"e164": found[0]["e164"]})
    order = {"quote_id": quote.json()["id"], "accept_terms": quote.json()["terms_version"]}
    do.client.headers["Idempotency-Key"] = "buy-1"
    await do("POST /numbers/purchases", order)
    del do.client.headers["Idempotency-Key"]
    await do("PUT /billing/details", {"name": "Daily Bread", "address": "1 Road", "country": "US"})
    await do("POST /billing/subscription/cancel")


async def _around(do: Walk) -> None:
    calendar = await do("POST /calendars", {"name": "The chair", "lead_minutes": 0})
    at = {"calendar_id": calendar["id"]}
    await do("PATCH /calendars/{calendar_id}", {"slot_minutes": 15}, **at)
    await do("POST /calendars/{calendar_id}/feed", **at)
    await do("DELETE /calendars/{calendar_id}/feed", **at)
    booked = {**at, "starts_at": SOON.isoformat(), "name": "Ann", "by_hand": True}
    here = {"appointment_id": (await do("POST /appointments", booked))["id"]}
    await do("PATCH /appointments/{appointment_id}", {"notes": "By the window"}, **here)
    later = {"starts_at": (SOON + timedelta(hours=1)).isoformat(), "by_hand": True}
    await do("POST /appointments/{appointment_id}/move", later, **here)
    await do("POST /appointments/{appointment_id}/cancel", **here)
    await do("DELETE /calendars/{calendar_id}", **at)
    anna: Json = {"name": "Anna", "number": "+12025550177"}
    target = {"target_id": (await do("POST /transfer-targets", anna))["id"]}
    await do("PUT /transfer-targets/{target_id}", anna | {"ring_s": 10}, **target)
    await do("DELETE /transfer-targets/{target_id}", **target)
    given = {"url": "https://example.com/hooks", "name": "Books"}
    endpoint = {"endpoint_id": (await do("POST /webhooks/endpoints", given))["id"]}
    changed = given | {"with_text": True}
    await do("PUT /webhooks/endpoints/{endpoint_id}", changed, **endpoint)
    await do("POST /webhooks/endpoints/{endpoint_id}/disable", **endpoint)
    await do("POST /webhooks/endpoints/{endpoint_id}/enable", **endpoint)
    secrets = "/webhooks/endpoints/{endpoint_id}/secrets"
    await do("POST /webhooks/endpoints/{endpoint_id}/secrets", {}, **endpoint)
    listed = (await do.client.get("/api/v1" + secrets.format(**endpoint))).json()
    old = next(each["id"] for each in listed if each["expires_at"])
    revoke = "DELETE /webhooks/endpoints/{endpoint_id}/secrets/{secret_id}"
    await do(revoke, **endpoint, secret_id=old)
    await do("DELETE /webhooks/endpoints/{endpoint_id}", **endpoint)
    listener = (await do("POST /webhooks/listeners", {}))["id"]
    await do("DELETE /webhooks/listeners/{endpoint_id}", endpoint_id=listener)


async def _calls(do: Walk, owner: Person) -> None:
    number_id = await make_number(do.site.database, owner.team_id)
    agent_id = await make_agent(do.site.database, owner.team_id)
    async with do.site.database.team(owner.team_id) as session:
        agent = await agents.published(session, owner.team_id, agent_id)
        assert agent is not None
        instant, call_id = await now(session), new_id("call")
        chat = await inbox.open_conversation(
            session,
            owner.team_id,
            channel=inbox.Channel.CALL,
            number_id=number_id,
            sender="",
            call_id=call_id,
        )
        call = Call(
            id=call_id,
            team_id=owner.team_id,
            conversation_id=chat.id,
            number_id=number_id,
            carrier_call_id="CA1",
            caller="",
            state=CallState.LIVE,
            agent=agents.to_json(agent),
            answered_at=instant,
            heartbeat_at=instant,
        )
        session.add(call)
    await do("POST /calls/{call_id}/listen", call_id=call_id)
    await do("POST /calls/{call_id}/take-over", call_id=call_id)
    await do("POST /calls/{call_id}/whisper", {"text": "Be brief."}, call_id=call_id)
    async with do.site.database.team(owner.team_id) as session:
        for speaker in (inbox.Speaker.CALLER, inbox.Speaker.AGENT):
            await inbox.add_turn(session, owner.team_id, chat.id, speaker=speaker, text="Hello")
        ended = {"state": CallState.ENDED, "reason": End.CALLER_HUNG_UP, "ended_at": instant}
        await session.execute(update(Call).where(Call.id == call_id).values(ended))
    made = await do("POST /calls/{call_id}/test", call_id=call_id)
    test = {"agent_id": agent_id, "test_id": made["id"]}
    await do("DELETE /agents/{agent_id}/tests/{test_id}", **test)


async def _contacts(do: Walk) -> None:
    bo = {"contact_id": (await do("POST /contacts", {"number": "+14155550199"}))["id"]}
    await do("PATCH /contacts/{contact_id}", {"name": "Bo"}, **bo)
    second = "+14155550198"
    await do("POST /contacts/{contact_id}/numbers", {"number": second}, **bo)
    await do("DELETE /contacts/{contact_id}/numbers/{e164}", **bo, e164=second)
    note = await do("POST /contacts/{contact_id}/notes", {"text": "Likes rye"}, **bo)
    await do("DELETE /contacts/{contact_id}/notes/{note_id}", **bo, note_id=note["id"])
    await do("PUT /contacts/{contact_id}/blocked", {"blocked": True}, **bo)
    await do("POST /blocked-numbers", {"number": "+14155550197"})
    await do("DELETE /blocked-numbers/{e164}", e164="+14155550197")
    await do("PUT /screening", {"refuse_hidden": True})
    again = await do.client.post("/api/v1/contacts", json={"number": "+14155550196"})
    await do("POST /contacts/{contact_id}/merge", {"other_id": again.json()["id"]}, **bo)
    await do("POST /contacts/{contact_id}/erase", {"confirm": "+14155550199"}, **bo)
    table = await do("POST /contact-attributes", {"label": "Table", "type": "text"})
    await do("PATCH /contact-attributes/{key}", {"label": "Usual table"}, key=table["key"])
    await do("DELETE /contact-attributes/{key}", key=table["key"])
    file = {"import_id": (await do("POST /contact-imports", file="people.csv"))["id"]}
    await do("POST /contact-imports/{import_id}/start", {}, **file)


async def _operator(do: Walk, owner: Person) -> None:
    kind = {"carrier": "twilio", "country": "US", "number_type": "local"}
    amounts = {
        "monthly": "2",
        "minute_inbound": "0.01",
        "minute_outbound": "0.03",
        "message_inbound": "0",
        "message_outbound": "0.01",
    }
    starts = {"valid_from": (SOON + timedelta(days=30)).strftime("%Y-%m-%dT00:00")}
    price = await do("POST /operator/prices", {**kind, **amounts, **starts})
    await do("POST /operator/prices/{price_id}/withdraw", price_id=price["id"])
    row = ",".join([*kind.values(), *amounts.values(), starts["valid_from"]])
    head = ",".join([*kind, *amounts, "valid_from"])
    await do("POST /operator/prices/import", f"{head}\n{row}\n".encode())
    rate = {"vendor": "openai", "model": "gpt", "kind": "tokens_in", "price": "1", **starts}
    made = await do("POST /operator/rates", rate)
    await do("POST /operator/rates/{rate_id}/withdraw", rate_id=made["id"])
    await do("PUT /operator/billing", {"name": "Offhook GmbH", "country": "DE"})
    cap = {"amount": "500"}
    await do("PUT /operator/teams/{team_id}/spend-cap", cap, team_id=owner.team_id)


async def test_every_operation_leaves_an_entry_or_says_why_not(
    site: Site, operator: Person, carriers: Carriers, gateway: TestGateway
) -> None:
    site.app.state.carriers, site.app.state.gateway = carriers, gateway
    site.app.state.secret = b"s" * 32
    contact_fixtures.join()
    for kind in tasks.BUILT_IN:
        tasks.register(kind)
    async with site.client(operator) as client:
        do = Walk(site, client)
        await _team(do, operator)
        await _agents(do)
        await _numbers(do, operator, carriers)
        await _billing(do)
        await _around(do)
        await _calls(do, operator)
        await _contacts(do)
        await _operator(do, operator)
    assert do.done.isdisjoint(SILENT)
    document = site.app.openapi()
    assert mutating(document) == do.done | set(SILENT)
    assert not [name for name in document["components"]["schemas"] if name.startswith("offhook")]
