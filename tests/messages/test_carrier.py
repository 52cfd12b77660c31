"""The carrier's callbacks: genuine ones kept and answered 2xx, forged ones 403, none 5xx."""

import itertools
from collections.abc import AsyncIterator
from urllib.parse import quote_from_bytes, quote_plus

import httpx
import pytest
from fastapi import FastAPI

from message_fixtures import ANN, Shop
from offhook import inbox, web
from offhook.carriers import callbacks, sign
from offhook.db import Database
from offhook.messages import routes
from offhook.messages.rules import Outcome, State, Why

SID = "SM" + "0" * 31 + "1"
SMS = "/carriers/twilio/sms"
STATUS = "/carriers/twilio/sms-status"
Fields = list[tuple[str, str]]


@pytest.fixture
def app(shop: Shop) -> FastAPI:
    app = web.create_app(shop.settings, csrf_exempt=("/carriers/",))
    app.state.database = shop.database
    app.state.carriers = shop.carriers
    for router in routes.routers:
        app.include_router(router)
    return app


@pytest.fixture
async def client(app: FastAPI, shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=shop.settings.web_url) as client:
        yield client


def fields(shop: Shop, body: str = "hello", sid: str = SID, remote: str = ANN) -> Fields:
    return [
        ("MessageSid", sid),
        ("AccountSid", shop.account.sid),
        ("From", remote),
        ("To", shop.e164),
        ("Body", body),
        ("NumSegments", "1"),
        ("NumMedia", "0"),
    ]


async def post(
    client: httpx.AsyncClient,
    shop: Shop,
    form: Fields,
    *,
    path: str = SMS,
    signature: str | None = None,
    body: str | None = None,
) -> httpx.Response:
    url = f"{shop.settings.web_url}{path}"
    signed = signature if signature is not None else sign(shop.account.token, url, form)
    content = body or "&".join(f"{name}={quote_plus(value)}" for name, value in form)
    headers = {
        "X-Twilio-Signature": signed,
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    return await client.post(path, content=content, headers=headers)


async def test_a_genuine_text_is_kept_and_answered_through_the_api(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    answer = await post(client, shop, fields(shop))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert "<Message" not in answer.text
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello"]


async def test_a_text_that_finds_no_connection_is_refused_and_kept_when_told_again(
    app: FastAPI, client: httpx.AsyncClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The carrier tells again what was answered 503 (faults a1)."""
    monkeypatch.setattr(callbacks, "WAITED_FOR_S", 0.02)
    few = app.state.database = Database(shop.database.url, pool_size=1)
    async with few.system(), few.system():
        refused = await post(client, shop, fields(shop))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["code"] == "overloaded"
    assert await shop.messages() == []
    assert (await post(client, shop, fields(shop))).status_code == 200
    assert [each.body for each in await shop.messages()] == ["hello"]
    await few.close()


async def test_a_day_told_twice_changes_nothing(client: httpx.AsyncClient, shop: Shop) -> None:
    """SEC2, UC1"""
    for _ in range(3):
        assert (await post(client, shop, fields(shop))).status_code == 200
        await shop.work()
    assert await shop.used() == (2, 0)
    assert len(await shop.messages()) == 2


@pytest.mark.parametrize("signature", ["", "AAAA", "x" * 28, "='<>"])
async def test_a_forged_callback_gets_403_and_nothing_is_kept(
    client: httpx.AsyncClient, shop: Shop, signature: str
) -> None:
    """SEC1"""
    answer = await post(client, shop, fields(shop), signature=signature)
    assert answer.status_code == 403
    assert len(answer.content) < 500
    assert await shop.messages() == []


async def test_a_repeated_name_is_refused(client: httpx.AsyncClient, shop: Shop) -> None:
    """SEC1b, SM8: two `Body` fields"""
    answer = await post(client, shop, [*fields(shop), ("Body", "other")])
    assert answer.status_code in {400, 403}
    assert await shop.messages() == []


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"a\x00b", "a\ufffdb"),
        (b"\xed\xa0\xbd", None),
        (b"\xf0\x9f\x91", None),
        (b"\xff\xfe", None),
        ("\u202eabc".encode(), "abc"),
        (("\u0301" * 1_600).encode(), None),
    ],
)
async def test_broken_text_is_kept_in_a_readable_form_and_answered(
    client: httpx.AsyncClient, shop: Shop, raw: bytes, kept: str | None
) -> None:
    """SM8: 2xx, stored once, answered; twice the same id is once."""
    form = [(name, value) for name, value in fields(shop) if name != "Body"]
    form.append(("Body", raw.decode("utf-8", "surrogateescape")))
    form.append(("FromCity", "O'Fallon\x00"))
    body = "&".join(
        f"{name}={quote_from_bytes(value.encode('utf-8', 'surrogateescape'), safe='')}"
        for name, value in form
    )
    for _ in range(2):
        assert (await post(client, shop, form, body=body)).status_code == 200
    await shop.work()
    [message, reply] = await shop.messages()
    assert message.body
    assert kept is None or message.body == kept
    assert reply.state is not State.DRAFT
    assert len(await shop.sent_to(ANN)) == 1


async def test_senders_that_cannot_be_answered_are_kept_once_and_shown(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    """SM4, S9: 2xx, no contact, no reply, one unit for the text and none for a reply."""
    odd = ("68849", "SUPPORT", "AMZN Alert", "+1", "", "+15550100" + "123456789012")
    bodies = ("Your parcel is here", "839201")
    for count, (raw, body) in enumerate(itertools.product(odd, bodies)):
        changed = {"MessageSid": f"SM{count:032}", "From": raw, "Body": body}
        form = [(name, changed.get(name, value)) for name, value in fields(shop)]
        for _ in range(2):
            assert (await post(client, shop, form)).status_code == 200
    await shop.work()
    kept = await shop.messages()
    assert [each.body for each in kept] == [*bodies] * len(odd)
    assert {(each.contact_id, each.outcome, each.why) for each in kept} == {
        (None, Outcome.KEPT, Why.NO_REPLY_POSSIBLE)
    }
    assert await shop.used() == (12, 0)
    assert shop.model.briefings == []
    async with shop.database.team(shop.team) as session:
        listed = (await session.scalars(inbox.listed(shop.team, inbox.Filter()))).all()
    assert {each.preview for each in listed} == set(bodies)
    assert {each.sender for each in listed} >= {"68849", "SUPPORT", "AMZN Alert"}


async def test_an_apostrophe_in_the_address_does_not_break_the_signature(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    """SM8, SEC1"""
    path = f"{SMS}?n=O'Brien"
    assert (await post(client, shop, fields(shop), path=path)).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        [],
        [("MessageSid", "nonsense")],
        [("MessageSid", SID), ("To", "nobody")],
        [("MessageSid", SID), ("MessageStatus", "levitating")],
    ],
)
@pytest.mark.parametrize("path", [SMS, STATUS])
async def test_a_genuine_signature_over_nonsense_is_a_client_error(
    client: httpx.AsyncClient, shop: Shop, form: Fields, path: str
) -> None:
    answer = await post(client, shop, form, path=path)
    assert 400 <= answer.status_code < 500


async def news(
    client: httpx.AsyncClient, shop: Shop, state: str, *, sid: str = "", error: str = ""
) -> int:
    reply = (await shop.messages())[-1]
    form = [("MessageSid", sid or reply.carrier_id or SID), ("MessageStatus", state)]
    if error:
        form.append(("ErrorCode", error))
    path = f"{STATUS}?message={reply.id}"
    return (await post(client, shop, form, path=path)).status_code


async def answered(client: httpx.AsyncClient, shop: Shop) -> None:
    await post(client, shop, fields(shop))
    await shop.work()


async def state(shop: Shop) -> tuple[State, State | None]:
    reply = (await shop.messages())[-1]
    return reply.state, reply.contradiction


async def test_states_move_forward_and_the_first_final_one_wins(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    """S6: late and contradicting news, each told twice."""
    await answered(client, shop)
    for told in ("delivered", "sent", "failed"):
        for _ in range(2):
            assert await news(client, shop, told) == 200
    assert await state(shop) == (State.DELIVERED, State.FAILED)
    turn = (await shop.turns(ANN))[-1]
    assert (turn.status, turn.note) == ("delivered", "Later reported as failed")
    assert await shop.used() == (2, 0)


async def test_a_failed_text_is_given_back_and_an_undelivered_one_counts(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    """U8, UT6, UT7"""
    await answered(client, shop)
    assert await shop.used() == (2, 0)
    for _ in range(2):
        await news(client, shop, "failed", error="30008")
    assert await shop.used() == (1, 0)
    assert (await shop.turns(ANN))[-1].note == "Failed (carrier error 30008)"
    await shop.text(ANN, "again")
    await shop.work()
    await news(client, shop, "undelivered", error="30003")
    assert await shop.used() == (3, 0)


async def test_news_of_another_text_change_nothing(client: httpx.AsyncClient, shop: Shop) -> None:
    await answered(client, shop)
    assert await news(client, shop, "failed", sid="SM" + "f" * 32) == 200
    assert (await state(shop))[0] is not State.FAILED
    form = [("MessageSid", "SM" + "e" * 32), ("MessageStatus", "delivered")]
    assert (await post(client, shop, form, path=STATUS)).status_code == 200


async def test_the_body_limit_holds(client: httpx.AsyncClient, shop: Shop) -> None:
    """SEC26"""
    answer = await post(client, shop, [], body="a=" + "x" * 1_000_001)
    assert answer.status_code in {400, 413}
