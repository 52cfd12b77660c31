"""A real text, from the carrier's callback to a receiver that fails at first (WT1, W1, W3, W12)."""

from datetime import UTC, datetime, timedelta

from hook_receiver import answer, receiver
from sqlalchemy import select

from message_fixtures import ANN, Shop, carriers, settings, shop, simulator
from offhook import webhooks
from offhook.db import Database, when_published
from offhook.outgoing import Outgoing, policy_of
from offhook.vault import open_vault
from offhook.webhooks import endpoints, replaying
from offhook.webhooks.dispatcher import Dispatcher
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.models import Delivery

__all__ = ["carriers", "settings", "shop", "simulator"]
TEXT = 'Zoë "O\'Néill" 🥐 \u2028 </script> asks: open on Sunday?'
HERE = {
    "outgoing_http": True,
    "outgoing_ports": [443, *range(1024, 65536)],
    "outgoing_private_networks": ["127.0.0.0/8"],
}


async def test_a_text_is_told_in_the_same_bytes_however_often_wt1(shop: Shop) -> None:
    when_published(webhooks.fan_out)
    allowed, vault = shop.settings.model_copy(update=HERE), open_vault(shop.settings)
    refusals = [answer(500)] * 3
    async with receiver(*refusals, answer(204)) as there, Outgoing(allowed) as outgoing:
        async with shop.database.team(shop.team) as session:
            wish = Wish(there.url, ["message.received"], with_text=True)
            _, secret = await endpoints.create(
                session, vault, policy_of(allowed), shop.team, "", wish
            )
        message_id = await shop.text(ANN, TEXT)
        for hours in range(0, 12, 3):
            await deliver(shop, outgoing, timedelta(hours=hours))
        async with shop.database.team(shop.team) as session:
            delivery = await session.scalar(select(Delivery))
            assert delivery is not None
            await replaying.delivery(session, shop.team, delivery.id)
        await deliver(shop, outgoing, timedelta(0))
        requests = there.received(secret)
    assert len(requests) == 5
    assert len({(request.id, request.body) for request in requests}) == 1
    told = requests[0].json
    assert told["type"] == "message.received"
    assert told["data"]["message_id"] == message_id
    assert [turn["text"] for turn in told["data"]["turns"]] == [TEXT]


async def deliver(shop: Shop, outgoing: Outgoing, ahead: timedelta) -> None:
    """What a dispatcher does when so much time has gone by."""
    later = Database(shop.database.url, clock=lambda: datetime.now(UTC) + ahead)
    await Dispatcher(later, open_vault(shop.settings), outgoing).run_due()
    await later.close()


async def test_what_happened_in_a_thread_is_told_in_its_order_w3(shop: Shop) -> None:
    when_published(webhooks.fan_out)
    allowed, vault = shop.settings.model_copy(update=HERE), open_vault(shop.settings)
    async with receiver() as there, Outgoing(allowed) as outgoing:
        async with shop.database.team(shop.team) as session:
            _, secret = await endpoints.create(
                session, vault, policy_of(allowed), shop.team, "", Wish(there.url)
            )
        await shop.text(ANN, "Open on Sunday?")
        await shop.work()
        await deliver(shop, outgoing, timedelta(0))
        told = [request.json for request in there.received(secret)]
    of_thread = sorted(
        (each["sequence"], each["type"]) for each in told if each["data"]["conversation_id"]
    )
    assert [sequence for sequence, _ in of_thread] == list(range(1, len(of_thread) + 1))
    names = [name for _, name in of_thread]
    assert names.index("conversation.started") < names.index("message.received")
    assert names.index("message.received") < names.index("message.sent")
    (made,) = [each for each in told if each["type"] == "contact.created"]
    assert made["data"]["number"] == ""  # nobody asked for words and numbers (SEC20)
    assert all("turns" not in each["data"] for each in told)
