"""A text that we begin keeps the number's hours and a person's cap (SEC12, SEC19); whoever wrote
lately is answered.
"""

import asyncio

import pytest

from message_fixtures import ANN, BOB, Shop
from offhook import contacts, messages, numbers
from offhook.contacts.merging import merge
from offhook.db import Session
from offhook.messages import begun
from offhook.messages.begun import EnoughForToday, QuietHours
from offhook.phone import E164

CARL = "+14155550197"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the rules of the number were asked about; it is night for all of them."""
    found: list[str] = []

    async def night(session: Session, number: numbers.Number, to: E164) -> tuple[str, int]:
        found.append(to)
        return "2026-01-02 13:00 UTC", 9

    monkeypatch.setattr(begun, "_rules", [night])
    return found


async def send(shop: Shop, to: str) -> None:
    async with shop.database.team(shop.team) as session:
        await messages.send_by_hand(
            session, shop.team, number_id=shop.number, to=to, body="Your bread is ready.",
            country="US", account_id=shop.account.sid, author="ana@example.com",
        )  # fmt: skip


async def test_nobody_is_woken_but_who_wrote_is_answered(shop: Shop, asked: list[str]) -> None:
    await shop.text(ANN, "Is my bread ready?")
    await send(shop, ANN)
    assert asked == []
    with pytest.raises(QuietHours) as refusal:
        await send(shop, BOB)
    assert asked == [BOB]
    assert "2026-01-02 13:00 UTC" in refusal.value.remedy
    assert {each.remote for each in await shop.messages()} == {ANN}


@pytest.fixture
def two_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number may begin two texts a day to one person."""

    async def cap(session: Session, number: numbers.Number, to: E164) -> tuple[None, int]:
        return None, 2

    monkeypatch.setattr(begun, "_rules", [cap])


@pytest.mark.usefixtures("two_a_day")
async def test_one_person_gets_so_many_texts_a_day_unasked_at_any_of_their_numbers(
    shop: Shop,
) -> None:
    """SEC12: counted over the person's numbers and spellings; a refused text took no unit; whoever
    writes back is answered, and the next day begins anew.
    """
    async with shop.database.team(shop.team) as session:
        ann = await contacts.on_contact(session, shop.team, E164(ANN))
        bob = await contacts.on_contact(session, shop.team, E164(BOB))
        await merge(session, shop.team, ann.id, bob.id)
    await send(shop, ANN)
    sending = await asyncio.gather(*(send(shop, to) for to in (BOB, ANN)), return_exceptions=True)
    (refusal,) = [each for each in sending if each is not None]
    assert isinstance(refusal, EnoughForToday)
    assert "2 texts today" in refusal.sentence
    assert await shop.used() == (0, 2)
    await send(shop, CARL)
    await shop.text(ANN, "Thanks!")
    await send(shop, ANN)
    with pytest.raises(EnoughForToday):
        await send(shop, BOB)  # another of their numbers, which has not written
    await shop.older(24 * 3600)
    await send(shop, BOB)
