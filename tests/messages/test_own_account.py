"""Texts of a number from a team's own account (A7): its token signs (SEC1), its API sends."""

from collections.abc import AsyncIterator
from urllib.parse import quote_plus

import httpx
import pytest
from sqlalchemy import update

from message_fixtures import ANN, Shop
from number_fixtures import bring, make_number, make_team
from offhook import numbers, web
from offhook.carriers import Account, Network, SmsOut, sign
from offhook.carriers.simulator.accounts import Accounts
from offhook.messages import routes
from offhook.messages.jobs import reconcile
from offhook.phone import E164
from offhook.vault import Key, Vault, open_vault

SID = "SM" + "0" * 31 + "1"
SMS = "/carriers/twilio/sms"


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    app = web.create_app(shop.settings, csrf_exempt=("/carriers/",))
    app.state.database = shop.database
    app.state.carriers = shop.carriers
    for router in routes.routers:
        app.include_router(router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=shop.settings.web_url) as client:
        yield client


async def made(accounts: Accounts, **wish: object) -> tuple[Account, list[str]]:
    told = await accounts.make(wish)
    return Account(told["sid"], told["token"], Network.SIMULATOR), told["numbers"]


@pytest.fixture
async def own(shop: Shop) -> Account:
    """The shop's number is one of its own account's."""
    account, (e164, *_) = await made(shop.simulator.accounts)
    vault = open_vault(shop.settings)
    await bring(shop.database, vault, shop.team, shop.number, account)
    async with shop.database.team(shop.team) as session:
        await session.execute(
            update(numbers.Number).where(numbers.Number.id == shop.number).values(e164=e164)
        )
    shop.e164 = e164
    return account


def form(to: str, sid: str = SID, **more: str) -> list[tuple[str, str]]:
    pairs = {"MessageSid": sid, "From": ANN, "To": to, "Body": "hello", "NumSegments": "1"} | more
    return list(pairs.items())


async def post(
    client: httpx.AsyncClient, fields: list[tuple[str, str]], token: str, path: str = SMS
) -> int:
    url = str(client.base_url).rstrip("/") + path
    content = "&".join(f"{name}={quote_plus(value)}" for name, value in fields)
    headers = {
        "X-Twilio-Signature": sign(token, url, fields),
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    return (await client.post(path, content=content, headers=headers)).status_code


async def test_only_the_numbers_own_account_signs_for_it_whatever_is_claimed(
    client: httpx.AsyncClient, shop: Shop, own: Account
) -> None:
    """Neither the operator's token nor another team's; bought numbers are the operator's."""
    stranger = Account("AC" + "5" * 32, "5" * 32, Network.SIMULATOR)
    other = await make_team(shop.database, "Garage")
    theirs = await make_number(shop.database, other, e164="+14155550166")
    vault = open_vault(shop.settings)
    await bring(shop.database, vault, other, theirs, stranger)
    bought = await make_number(shop.database, other, e164="+14155550167")
    assert bought
    for token in (shop.account.token, stranger.token, ""):
        claim = form(shop.e164, AccountSid=stranger.sid)
        assert await post(client, claim, token) == 403
    for token in (own.token, stranger.token):
        assert await post(client, form("+14155550167"), token) == 403
        assert await post(client, form("+14155550111"), token) == 403  # nobody's number
    assert await shop.messages() == []
    assert await post(client, form(shop.e164), own.token) == 200
    assert await post(client, form("+14155550167"), shop.account.token) == 200
    assert [each.carrier_account for each in await shop.messages()] == [own.sid]


async def test_a_removed_accounts_signature_is_a_strangers(
    client: httpx.AsyncClient, shop: Shop, own: Account
) -> None:
    async with shop.database.team(shop.team) as session:
        number = await session.get_one(numbers.Number, shop.number)
        row = (await numbers.accounts_in_use(session))[0]
        assert number.account_id == row
        await session.execute(
            update(type(number).metadata.tables["carrier_accounts"]).values(token=None)
        )
    assert await post(client, form(shop.e164), own.token) == 403


async def test_a_reply_goes_out_through_the_account_and_its_news_are_signed_by_it(
    client: httpx.AsyncClient, shop: Shop, own: Account
) -> None:
    await post(client, form(shop.e164), own.token)
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello"]
    reply = (await shop.messages())[-1]
    assert (reply.carrier_account, reply.carrier_id is None) == (own.sid, False)
    found = await shop.carriers.at(own).find_sent(
        sender=E164(shop.e164), to=E164(ANN), body="Re: hello", after=reply.created_at
    )
    assert found is not None
    assert found.carrier_id == reply.carrier_id
    news = [("MessageSid", reply.carrier_id or ""), ("MessageStatus", "delivered")]
    path = f"/carriers/twilio/sms-status?message={reply.id}"
    assert await post(client, news, shop.account.token, path) == 403
    assert await post(client, news, own.token, path) == 200
    assert (await shop.messages())[-1].state == "delivered"


async def test_a_lost_text_is_fetched_from_the_account_but_not_those_of_its_other_numbers(
    shop: Shop, own: Account
) -> None:
    """Faults a1: what is not imported is none of our business."""
    others = [h.e164 for h in await shop.carriers.at(own).list_numbers() if h.e164 != shop.e164]
    await shop.simulator.messages.receive(sender=ANN, to=shop.e164, body="lost")
    await shop.simulator.messages.receive(sender=ANN, to=others[0], body="private")
    await reconcile(shop.settings, shop.database, shop.carriers)
    assert [(each.body, each.carrier_account) for each in await shop.messages()] == [
        ("lost", own.sid)
    ]


async def test_the_operators_account_cannot_send_from_a_teams_own_number(
    shop: Shop, own: Account
) -> None:
    with pytest.raises(Exception, match="not a number of your account"):
        await shop.carrier.send(SmsOut(E164(shop.e164), E164(ANN), "Hello"))


async def test_an_account_whose_token_cannot_be_read_keeps_no_other_from_its_texts(
    shop: Shop, own: Account
) -> None:
    others = [await make_team(shop.database, name) for name in ("Garage", "Bakery")]
    lost = Vault((Key("lost", bytes(32)),))
    for place, team in enumerate(others):
        number = await make_number(shop.database, team, e164=f"+1415555016{place}")
        stranger = Account("AC" + str(place) * 32, "5" * 32, Network.SIMULATOR)
        await bring(shop.database, lost, team, number, stranger)
    await shop.simulator.messages.receive(sender=ANN, to=shop.e164, body="lost")
    await reconcile(shop.settings, shop.database, shop.carriers)
    assert [each.body for each in await shop.messages()] == ["lost"]
