"""Reactions as telephones send them, and texts that only look like one (S9)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_fixtures import ANN, BOB, Shop
from offhook import contacts, inbox
from offhook.contacts import Person
from offhook.inbox.exporting import Format, exported
from offhook.inbox.listing import ReadBy
from offhook.messages.reactions import reaction, reacts_to
from offhook.messages.rules import Outcome
from offhook.phone import E164

OURS = "Your table is booked for six. Reply STOP to get no more messages."
QUOTING = "We call it “the long one”, it's fresh."


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (f"Loved “{OURS}”", "❤️"),
        (f"Liked “{OURS}”", "👍"),
        (f"Disliked “{OURS}”", "👎"),
        (f"Laughed at “{OURS}”", "😂"),
        (f"Emphasized “{OURS}”", "‼️"),
        (f"Questioned “{OURS}”", "❓"),
        (f'Liked "{OURS}"', "👍"),
        (f"LIKED “{OURS.replace(' ', chr(10), 1)}”", "👍"),
        ("Loved “Your table is booked for s…”", "❤️"),
        (f"Reacted 🎉 to “{OURS}”", "🎉"),
        (f"👍 to “{OURS}”", "👍"),
        (f"\u200a\u200b👍🏽\u200b to \u201c\u200a{OURS}\u200a\u201d\u200a", "👍🏽"),
        (f"Removed a heart from “{OURS}”", ""),
        (f"Removed an exclamation from “{OURS}”", ""),
        (f"Removed 👍 from “{OURS}”", ""),
        (f"Hat mit Herz markiert: “{OURS}”".replace(":", ""), "Hat mit Herz markiert"),
        (f"A aimé « {OURS} »", "A aimé"),
        (f"Le gustó «{OURS}»", "Le gustó"),
        (f"Loved “{QUOTING}”", "❤️"),
    ],
)
def test_a_reaction_is_found_by_the_message_that_it_quotes(text: str, sign: str) -> None:
    """S9"""
    found = reaction(text)
    assert found is not None
    assert found.sign == sign
    of = "b" if QUOTING in text else "a"
    assert reacts_to(found, [("x", "Another text"), ("a", OURS), ("b", QUOTING)]) == of


@pytest.mark.parametrize(
    "text",
    [
        "Loved “something that we never wrote”",
        "Loved “Your”",
        "Loved it",
        "STOP",
        OURS,
        f"“{OURS}”",
        f"Why do you write me things like “{OURS}”",
        f"Is that right: “{OURS}”",
        f"Stop texting me “{OURS}”",
        f"“{OURS}” what does that mean",
        "Gefällt mir „Your table is booked for s…“",
        "👍",
        "",
    ],
)
def test_what_quotes_nothing_of_ours_or_says_more_is_a_text(text: str) -> None:
    """S9"""
    found = reaction(text)
    assert found is None or reacts_to(found, [("a", OURS)]) == ""


@given(st.text(st.characters(codec=None)), st.text())
def test_whatever_is_sent_gets_a_verdict(text: str, ours: str) -> None:
    found = reaction(text)
    if found is not None:
        assert len(found.sign) <= 40
        found.is_of(ours)


async def test_a_reaction_stands_on_our_message_counts_one_and_gets_no_reply(shop: Shop) -> None:
    """S9: also one that quotes the word STOP, and one that is told twice."""
    shop.model.says = lambda _: "Reply STOP to get no more messages from us."
    await shop.text(ANN, "hello")
    await shop.work()
    sms = shop.sms(ANN, "Loved “Reply STOP to get no more messages from us.”")
    for _ in range(2):
        await shop.take(sms)
        await shop.work()
    assert len(await shop.sent_to(ANN)) == 1
    assert await shop.used() == (3, 0)
    [hello, ours] = await shop.turns(ANN)
    assert (hello.reaction, ours.reaction) == ("", "❤️")
    [row] = [each for each in await shop.messages() if each.outcome is Outcome.REACTION]
    assert row.turn_id is None
    assert row.counted
    pages = exported(shop.database, shop.team, inbox.Filter(), ReadBy(""), Format.JSON)
    [told] = json.loads("".join([each async for each in pages]))
    assert [turn["reaction"] for turn in told["turns"]] == ["", "❤️"]
    async with shop.database.team(shop.team) as session:
        person = Person(contact_ids=(told["contact_id"],), numbers=(ANN,))
        kept = await inbox.Conversations().told(session, shop.team, person)
    assert [turn["reaction"] for turn in kept["conversations"][0]["turns"]] == ["", "❤️"]
    await shop.text(ANN, "👍 to “Reply STOP to get no more messages from us.”")
    assert (await shop.turns(ANN))[1].reaction == "👍"
    await shop.text(ANN, "Removed 👍 from “Reply STOP to get no more messages from us.”")
    assert (await shop.turns(ANN))[1].reaction == ""


async def test_a_blocked_senders_reaction_counts_no_more_than_their_texts(shop: Shop) -> None:
    """P7"""
    await shop.text(ANN, "hello")
    await shop.work()
    async with shop.database.team(shop.team) as session:
        await contacts.block(session, shop.team, E164(ANN), by="usr_1")
    await shop.text(ANN, "Loved “Re: hello”")
    assert (await shop.turns(ANN))[1].reaction == "❤️"
    assert await shop.used() == (2, 0)


async def test_a_reaction_to_somebody_elses_message_is_a_text(shop: Shop) -> None:
    """S9: what we texted Ann is not known to Bob."""
    await shop.text(ANN, "hello")
    await shop.work()
    await shop.text(BOB, 'Loved "Re: hello"')
    await shop.work()
    assert await shop.sent_to(BOB) == ['Re: Loved "Re: hello"']
