"""The gateway that runs without a gateway's key: test cards, and no money.

It keeps its own tables and writes them in its own transactions, so that towards the product it
is an outside party: what it was told stays told when our process dies. Only test numbers are
taken, so that nobody types a real card into an installation that could not protect it.
"""

from datetime import datetime
from secrets import token_hex

from sqlalchemy import BigInteger, String, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from offhook.billing.gateway import (
    Card,
    CardInput,
    CardInvalid,
    Declined,
    Hold,
    HoldState,
)
from offhook.billing.rules import is_expired
from offhook.db import Base, Database, Session
from offhook.prices import Money

# The numbers, and what they do, are those of Stripe's test mode ("Test card numbers").
TEST_CARDS: dict[str, tuple[str, str]] = {
    "4242424242424242": ("Visa", ""),
    "5555555555554444": ("Mastercard", ""),
    "378282246310005": ("American Express", ""),
    "4000000000000002": ("Visa", "card_declined"),
    "4000000000000341": ("Visa", "card_declined"),
    "4000000000009995": ("Visa", "insufficient_funds"),
    "4000000000000069": ("Visa", "expired_card"),
    "4000002500003155": ("Visa", "authentication_required"),
}
DECLINED_BECAUSE = {
    "card_declined": "The card was declined by its bank.",
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "authentication_required": "The card's bank asks its owner to authenticate, which is not "
    "possible here.",
    "hold_expired": "The amount is no longer held on the card.",
}
MIN_CODE_DIGITS = 3
MAX_CODE_DIGITS = 4
MAX_MONTH = 12


class TestCard(Base):
    """A card that the gateway knows; its behaviour instead of its number."""

    __test__ = False
    __tablename__ = "test_gateway_cards"
    token: Mapped[str] = mapped_column(String(80), primary_key=True)
    customer: Mapped[str] = mapped_column(String(40))
    declines_with: Mapped[str] = mapped_column(String(40))
    expiry_month: Mapped[int]
    expiry_year: Mapped[int]


class TestHold(Base):
    """An order as the gateway has it."""

    __test__ = False
    __tablename__ = "test_gateway_holds"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    token: Mapped[str] = mapped_column(String(80))
    micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10))
    decline_code: Mapped[str] = mapped_column(String(40), default="")
    made_at: Mapped[datetime]


class TestGateway:
    """`Gateway` for test cards. Has connections of its own; close it with `aclose`."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self._database = Database(url, pool_size=2)

    async def aclose(self) -> None:
        await self._database.close()

    async def add_card(self, card: CardInput, *, customer: str, at: datetime) -> Card:
        digits = "".join(each for each in card.number if each.isdigit())
        _check(card, digits, at)
        brand, declines_with = TEST_CARDS[digits]
        token = f"tok_{token_hex(16)}"
        async with self._database.system() as session:
            session.add(
                TestCard(
                    token=token,
                    customer=customer,
                    declines_with=declines_with,
                    expiry_month=card.expiry_month,
                    expiry_year=card.expiry_year,
                )
            )
        return Card(token, brand, digits[-4:], card.expiry_month, card.expiry_year)

    async def remove_card(self, token: str) -> None:
        async with self._database.system() as session:
            await session.execute(delete(TestCard).where(TestCard.token == token))

    async def authorise(self, key: str, money: Money, *, token: str, at: datetime) -> Hold:
        async with self._database.system() as session:
            decline_code = await self._decline_code(session, token, at)
            state = HoldState.DECLINED if decline_code else HoldState.HELD
            # Two orders with one key: the first one stands, whoever comes later reads it.
            await session.execute(
                insert(TestHold)
                .values(
                    key=key,
                    token=token,
                    micros=money.micros,
                    currency=money.currency,
                    state=state,
                    decline_code=decline_code,
                    made_at=at,
                )
                .on_conflict_do_nothing()
            )
            hold = _hold(await session.get_one(TestHold, key))
        if hold.state is HoldState.DECLINED:
            raise _declined(hold.decline_code)
        return hold

    async def find(self, key: str) -> Hold | None:
        async with self._database.system() as session:
            row = await session.get(TestHold, key)
            return _hold(row) if row else None

    async def capture(self, key: str) -> Hold:
        async with self._database.system() as session:
            await session.execute(
                update(TestHold)
                .where(TestHold.key == key, TestHold.state == HoldState.HELD)
                .values(state=HoldState.CAPTURED)
            )
            row = await session.get(TestHold, key)
        if row is None or row.state != HoldState.CAPTURED:
            raise _declined("hold_expired")
        return _hold(row)

    async def void(self, key: str) -> None:
        async with self._database.system() as session:
            await session.execute(
                update(TestHold)
                .where(
                    TestHold.key == key,
                    TestHold.state.in_([HoldState.HELD, HoldState.CAPTURED]),
                )
                .values(state=HoldState.VOIDED)
            )

    async def orders(self) -> list[Hold]:
        """Every order it was ever given: the truth that fault tests compare with."""
        async with self._database.system() as session:
            rows = await session.scalars(select(TestHold).order_by(TestHold.made_at))
            return [_hold(row) for row in rows]

    async def _decline_code(self, session: Session, token: str, at: datetime) -> str:
        card = await session.get(TestCard, token)
        if card is None:
            return "card_declined"
        if is_expired(card.expiry_month, card.expiry_year, at):
            return "expired_card"
        return card.declines_with


def _check(card: CardInput, digits: str, at: datetime) -> None:
    if digits not in TEST_CARDS:
        raise CardInvalid(
            "This is not a test card.",
            field="number",
            remedy="No payment gateway is set up, so only test cards are taken: "
            "use 4242 4242 4242 4242.",
        )
    if not 1 <= card.expiry_month <= MAX_MONTH:
        raise CardInvalid(f"{card.expiry_month} is not a month.", field="expiry_month")
    if is_expired(card.expiry_month, card.expiry_year, at):
        shown = f"{card.expiry_month:02}/{card.expiry_year}"
        raise CardInvalid(f"The card expired in {shown}.", field="expiry_year")
    is_code = card.code.isascii() and card.code.isdigit()
    if not (is_code and MIN_CODE_DIGITS <= len(card.code) <= MAX_CODE_DIGITS):
        raise CardInvalid("The security code has 3 or 4 digits.", field="code")


def _declined(decline_code: str) -> Declined:
    sentence = DECLINED_BECAUSE.get(decline_code, DECLINED_BECAUSE["card_declined"])
    return Declined(sentence, decline_code=decline_code)


def _hold(row: TestHold) -> Hold:
    return Hold(
        key=row.key,
        money=Money(row.micros, row.currency),
        state=HoldState(row.state),
        made_at=row.made_at,
        decline_code=row.decline_code,
    )
