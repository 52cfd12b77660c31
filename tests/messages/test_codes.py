"""A code that proves a number: it reaches the handset, counts as a text, and stands nowhere else
(SEC10).
"""

from message_fixtures import ANN, BOB, Shop
from offhook import contacts, messages, tasks
from offhook.contacts.merging import merge
from offhook.messages import wording
from offhook.phone import E164


async def test_a_code_is_texted_counted_and_never_shown(shop: Shop) -> None:
    scope = tasks.Scope(shop.team, shop.agent, "cnv_1", tasks.CALL, shop.number, caller=ANN)
    text = messages.code_sender(lambda: shop.account.sid)
    async with shop.database.team(shop.team) as session:
        await text(session, scope, "482917")
    await shop.work()
    assert await shop.sent_to(ANN) == [wording.CODE.format(code="482917")]
    assert [message.body for message in await shop.messages()] == [wording.CODE_SENT]
    assert await shop.said(ANN) == [("notice", wording.CODE_SENT, "")]
    assert await shop.used() == (1, 0)


async def test_a_code_that_was_not_sent_is_not_shown_either(shop: Shop) -> None:
    scope = tasks.Scope(shop.team, shop.agent, "cnv_1", tasks.CALL, shop.number, caller=ANN)
    text = messages.code_sender(lambda: shop.account.sid)
    async with shop.database.team(shop.team) as session:
        await text(session, scope, "482917")
    await shop.disable()
    await shop.work()
    assert await shop.sent_to(ANN) == []
    assert [message.body for message in await shop.messages()] == [wording.CODE_SENT]


async def test_a_code_goes_to_the_number_that_calls_and_to_no_other_of_its_contact(
    shop: Shop,
) -> None:
    """SEC10: what is proven is the number in this conversation."""
    async with shop.database.team(shop.team) as session:
        ann = await contacts.on_contact(session, shop.team, E164(ANN))
        bob = await contacts.on_contact(session, shop.team, E164(BOB))
        await merge(session, shop.team, ann.id, bob.id)
        scope = tasks.Scope(
            shop.team, shop.agent, "cnv_1", tasks.CALL, shop.number, ann.id, caller=BOB
        )
        await messages.code_sender(lambda: shop.account.sid)(session, scope, "482917")
    await shop.work()
    assert await shop.sent_to(ANN) == []
    assert await shop.sent_to(BOB) == [wording.CODE.format(code="482917")]
