"""A text that we begin keeps the number's hours; who wrote lately is answered (SEC19)."""

import pytest

from message_fixtures import ANN, BOB, Shop
from offhook import messages, numbers
from offhook.db import Session
from offhook.messages import hours
from offhook.messages.hours import QuietHours
from offhook.phone import E164


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the rules of the number were asked about; it is night for all of them."""
    found: list[str] = []

    async def night(session: Session, number: numbers.Number, to: E164) -> tuple[bool, str]:
        found.append(to)
        return True, "2026-01-02 13:00 UTC"

    monkeypatch.setattr(hours, "_asked", [night])
    return found


async def send(shop: Shop, to: str) -> None:
    async with shop.database.team(shop.team) as session:
        await messages.send_by_hand(
            session, shop.team, number_id=shop.number, to=to, body="Your bread is ready.",
            country="US", account_id=shop.account.sid,
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
