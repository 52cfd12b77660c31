"""Opt-outs: by keyword and by the carrier's refusal, of the pair, outliving its records (SM1)."""

import asyncio

import pytest
from sqlalchemy import delete, select, update

from message_fixtures import ANN, BOB, Shop
from offhook import calls, contacts, inbox, messages
from offhook.calls import Order
from offhook.calls.outbound.rules import Against, CallNotStarted
from offhook.contacts import Contact, ContactNumber
from offhook.db import EventRow
from offhook.inbox import Conversation
from offhook.messages import Message, wording
from offhook.messages.rules import State
from offhook.messages.sending import RecipientOptedOut
from offhook.phone import E164

STOPPED_AT_CARRIER = "+15005550004"


async def opted_out(shop: Shop, remote: str, ours: str = "") -> bool:
    async with shop.database.team(shop.team) as session:
        return await messages.is_opted_out(
            session, shop.team, ours=ours or shop.e164, remote=remote
        )


async def by_hand(shop: Shop, number: str, to: str) -> None:
    async with shop.database.team(shop.team) as session:
        await messages.send_by_hand(
            session,
            shop.team,
            number_id=number,
            to=to,
            body="Hello",
            country="US",
            account_id=shop.account.sid,
            author="ana@example.com",
        )


async def test_stop_belongs_to_one_of_two_numbers(shop: Shop) -> None:
    """SM1 (a): B answers on, A is silent; one confirmation, uncounted."""
    other, other_e164 = await shop.second_number()
    await shop.text(ANN, "STOP")
    await shop.text(ANN, "hello B", to=other_e164)
    await shop.text(ANN, "hello A")
    await shop.work()
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped]
    assert await shop.sent_to(ANN, ours=other_e164) == ["Re: hello B"]
    assert (await shop.said(ANN))[-1][2] == "Not answered: this sender has opted out"
    assert await shop.used() == (2, 0)  # the two texts; neither a reply nor the confirmation
    with pytest.raises(RecipientOptedOut):
        await by_hand(shop, shop.number, ANN)
    await by_hand(shop, other, ANN)


async def test_a_second_stop_gets_no_second_confirmation(shop: Shop) -> None:
    """SM1, UT9"""
    for _ in range(2):
        await shop.text(ANN, "STOP")
        await shop.work()
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped]


async def test_no_confirmation_where_the_carrier_sends_its_own(shop: Shop) -> None:
    """SM1, UT9"""
    await shop.take(shop.sms(ANN, "arret", opt_out="STOP"))
    await shop.work()
    assert await opted_out(shop, ANN)
    assert await shop.sent_to(ANN) == []


async def test_the_carriers_refusal_is_learnt_and_not_retried(shop: Shop) -> None:
    """SM1 (b): the unit is given back, later texts are not even tried."""
    await shop.text(STOPPED_AT_CARRIER, "hello")
    await shop.work()
    assert await opted_out(shop, STOPPED_AT_CARRIER)
    reply = (await shop.messages())[-1]
    assert (reply.state, reply.error_code, reply.attempts) == (State.FAILED, 21610, 1)
    assert await shop.used() == (1, 0)
    await shop.text(STOPPED_AT_CARRIER, "again")
    await shop.work()
    assert len(shop.model.briefings) == 1
    assert await shop.used() == (2, 0)


async def test_an_opt_out_outlives_the_contact(shop: Shop) -> None:
    """SM1 (c): it stops our calls too, and only from the number that they wrote it to."""
    await shop.text(ANN, "STOP")
    await shop.work()
    async with shop.database.team(shop.team) as session:
        await session.execute(update(Conversation).values(contact_id=None))
        await session.execute(update(Message).values(contact_id=None))
        await session.execute(delete(ContactNumber).where(ContactNumber.team_id == shop.team))
        await session.execute(delete(Contact).where(Contact.team_id == shop.team))
    await shop.text(ANN, "hello again")
    await shop.work()
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped]
    with pytest.raises(RecipientOptedOut):
        await by_hand(shop, shop.number, ANN)
    assert Against.OPTED_OUT in await against_calling(shop, shop.number)
    other, other_e164 = await shop.second_number()
    await shop.text(ANN, "hello B", to=other_e164)
    await shop.work()
    assert await shop.sent_to(ANN, ours=other_e164) == ["Re: hello B"]
    assert Against.OPTED_OUT not in await against_calling(shop, other)
    await shop.text(ANN, "START")
    assert Against.OPTED_OUT not in await against_calling(shop, shop.number)


async def against_calling(shop: Shop, number: str) -> list[str]:
    """All that speaks against the number's calling Ann, the hour of the day included."""
    calls.opt_outs_from(messages.is_opted_out)
    order = Order(number, E164(ANN), asked_by="usr_1")
    try:
        async with shop.database.team(shop.team) as session:
            await calls.start_call(session, shop.team, order)
    except CallNotStarted as refusal:
        return [each["code"] for each in refusal.details["errors"]]
    return []


@pytest.mark.parametrize("word", ["START", "yes", "Unstop"])
async def test_start_takes_it_back(shop: Shop, word: str) -> None:
    """SM1 (d)"""
    await shop.text(ANN, "STOP")
    await shop.text(ANN, word)
    await shop.work()
    assert not await opted_out(shop, ANN)
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped, wording.ENGLISH.started]
    await shop.text(ANN, "Open on Sunday?")
    await shop.work()
    assert (await shop.sent_to(ANN))[-1] == "Re: Open on Sunday?"


@pytest.mark.parametrize("body", ["Yes", "STOP 4711", "Count me in, this noise must stop"])
async def test_a_sentence_goes_to_the_agent(shop: Shop, body: str) -> None:
    """SM2"""
    await shop.text(ANN, body)
    await shop.work()
    assert await shop.sent_to(ANN) == [f"Re: {body}"]
    assert not await opted_out(shop, ANN)


@pytest.mark.parametrize(
    ("wish", "language"), [("Please stop texting me", "en"), ("Schreiben Sie mir nicht mehr", "de")]
)
@pytest.mark.parametrize("agreement", ["", "Yes.", "Oui"])
async def test_a_plain_wish_is_asked_about_in_its_language_and_then_honoured(
    shop: Shop, wish: str, language: str, agreement: str
) -> None:
    """SEC18: said once more, or agreed to, it is a STOP; "yes" to anything else is none."""
    said = wording.fixed(language)
    for text in ("Yes", wish, agreement or wish, "hello?"):
        await shop.text(ANN, text)
        await shop.work()
    assert await shop.sent_to(ANN) == ["Re: Yes", said.ask, said.stopped]
    assert await opted_out(shop, ANN)
    assert await shop.used() == (6, 0)  # four in, two replies; the confirmation is free


async def test_a_question_that_was_answered_otherwise_is_no_consent(shop: Shop) -> None:
    """SEC18"""
    for text in ("Please stop texting me", "No, I meant the others", "yes"):
        await shop.text(ANN, text)
        await shop.work()
    assert not await opted_out(shop, ANN)
    assert (await shop.sent_to(ANN))[1:] == ["Re: No, I meant the others", "Re: yes"]


async def test_a_keyword_is_confirmed_in_its_own_language(shop: Shop) -> None:
    """SEC18: the language of the message."""
    await shop.text(ANN, "Arrêt")
    await shop.work()
    assert await shop.sent_to(ANN) == [wording.fixed("fr-CA").stopped]


async def test_help_is_answered_uncounted(shop: Shop) -> None:
    """S4, UT9"""
    await shop.text(ANN, "HELP")
    await shop.work()
    assert await shop.sent_to(ANN) == [wording.ENGLISH.help]
    assert await shop.said(ANN) == [
        ("caller", "HELP", "Asked for help"),
        ("notice", wording.ENGLISH.help, "Sent automatically, not counted"),
    ]
    assert await shop.used() == (1, 0)


async def test_stop_over_the_limit(shop: Shop) -> None:
    """UX11: opted out, one confirmation, the counter stands, no charge."""
    await shop.limit(1)
    await shop.text(ANN, "hello")
    await shop.work()
    await shop.text(ANN, "STOP")
    await shop.work()
    assert await opted_out(shop, ANN)
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped]
    assert await shop.used() == (1, 0)


async def test_stop_to_a_disabled_number_is_honoured_and_not_counted(shop: Shop) -> None:
    """S4, UT8"""
    await shop.disable()
    await shop.text(ANN, "STOP")
    await shop.work()
    assert await opted_out(shop, ANN)
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped]
    assert await shop.used() == (0, 0)


async def test_nothing_is_sent_after_a_stop_that_comes_while_the_model_thinks(
    shop: Shop,
) -> None:
    """SEC18: the race of STOP and a reply in flight."""
    shop.model.gate.clear()
    await shop.text(ANN, "hello")
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    await shop.text(ANN, "STOP")
    shop.model.gate.set()
    await working
    await shop.work()
    assert await shop.sent_to(ANN) == [wording.ENGLISH.stopped]
    assert await shop.used() == (2, 0)


async def test_strangers_share_no_opt_out(shop: Shop) -> None:
    """CI2, P5"""
    await shop.text("anonymous", "STOP")
    await shop.text(BOB, "hello")
    await shop.work()
    assert await shop.sent_to(BOB) == ["Re: hello"]


async def test_opting_out_and_in_is_announced(shop: Shop) -> None:
    for word in ("STOP", "START"):
        await shop.text(ANN, word)
    async with shop.database.team(shop.team) as session:
        rows = await session.scalars(
            select(EventRow.name)
            .where(EventRow.team_id == shop.team, EventRow.name.like("contact.opted%"))
            .order_by(EventRow.position)
        )
        assert list(rows) == ["contact.opted_out", "contact.opted_in"]
        contact = await contacts.find(session, shop.team, E164(ANN))
        assert contact is not None
        assert await session.scalar(inbox.listed(shop.team, inbox.Filter())) is not None
