"""The gateway that runs without a gateway's key: test cards, and no money.

It keeps its own tables and writes them in its own transactions, so that towards the product it
is an outside party: what it was told stays told when our process dies. Only test numbers are
taken, so that nobody types a real card into an installation that could not protect it. What each
number does stands in test_cards.py; the bank that asks a card's owner is a page of ours
(test_bank.py), which answers through `answer`.
"""

from datetime import datetime
from secrets import token_hex

from sqlalchemy import BigInteger, String, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from offhook.billing.gateway import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    Action,
    Card,
    CardInput,
    Hold,
    HoldState,
    Order,
    Setup,
    SetupState,
    declined,
)
from offhook.billing.rules import is_expired
from offhook.billing.test_cards import TEST_CARDS, TestKind, check
from offhook.db import Base, Database, Session
from offhook.prices import Money

BANK = "/billing/test-bank/"
UNKNOWN = TestKind("", charge_declines="card_unknown")
_WAITING = (HoldState.AUTHENTICATING, HoldState.DECLINED)


class TestCard(Base):
    """A card that the gateway was given; its behaviour instead of its number.

    Its row is the setup too: `state` and `action_id` say whether the bank has let it in.
    """

    __test__ = False
    __tablename__ = "test_gateway_cards"
    token: Mapped[str] = mapped_column(String(80), primary_key=True)
    customer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20), default="")
    last4: Mapped[str] = mapped_column(String(4), default="")
    expiry_month: Mapped[int] = mapped_column(default=0)
    expiry_year: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default=SetupState.DONE)
    action_id: Mapped[str | None] = mapped_column(String(40), unique=True)


class TestHold(Base):
    """An order as the gateway has it. `action_id`: its owner may still authenticate it."""

    __test__ = False
    __tablename__ = "test_gateway_holds"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    token: Mapped[str] = mapped_column(String(80))
    customer: Mapped[str] = mapped_column(String(40), default="")
    micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(16))
    decline_code: Mapped[str] = mapped_column(String(40), default="")
    takes_at_once: Mapped[bool] = mapped_column(default=False)
    action_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    made_at: Mapped[datetime]


class TestGateway:
    """`Gateway` for test cards. Has connections of its own; close it with `aclose`."""

    __test__ = False
    name = "test"

    def __init__(self, url: str) -> None:
        self._database = Database(url, pool_size=2)

    async def aclose(self) -> None:
        await self._database.close()

    async def open_customer(self, team_id: str) -> str:
        return team_id

    async def begin_setup(self, customer: str) -> Setup:
        async with self._database.system() as session:
            row = TestCard(token=f"tok_{token_hex(16)}", customer=customer, state=SetupState.OPEN)
            session.add(row)
            return _setup(row)

    async def find_setup(self, setup_id: str) -> Setup | None:
        async with self._database.system() as session:
            row = await session.get(TestCard, setup_id)
            return _setup(row) if row else None

    async def type_card(self, setup_id: str, card: CardInput, *, at: datetime) -> Setup:
        """What Stripe's own form does there: the card goes to the gateway. Raises CardInvalid,
        and Declined where its bank refuses it at once.
        """
        kind, last4 = check(card, at)
        if kind.setup_declines:
            raise declined(kind.setup_declines)
        async with self._database.system() as session:
            row = await session.get_one(TestCard, setup_id)
            row.kind, row.last4 = kind.name, last4
            row.expiry_month, row.expiry_year = card.expiry_month, card.expiry_year
            if kind.setup_authenticates:
                row.action_id = _new_action()
            else:
                row.state = SetupState.DONE
            return _setup(row)

    async def remove_card(self, token: str) -> None:
        async with self._database.system() as session:
            await session.execute(delete(TestCard).where(TestCard.token == token))

    async def authorise(self, order: Order, *, at: datetime) -> Hold:
        return await self._place(order, at, buyer_is_there=True)

    async def charge(self, order: Order, *, at: datetime) -> Hold:
        return await self._place(order, at, buyer_is_there=False)

    async def _place(self, order: Order, at: datetime, *, buyer_is_there: bool) -> Hold:
        async with self._database.system() as session:
            kind = await self._kind(session, order.token, at)
            state, decline_code = _outcome(kind, buyer_is_there=buyer_is_there)
            asks = decline_code == AUTHENTICATION_REQUIRED or state is HoldState.AUTHENTICATING
            # Two orders with one key: the first one stands, whoever comes later reads it.
            await session.execute(
                insert(TestHold)
                .values(
                    key=order.key,
                    token=order.token,
                    customer=order.customer,
                    micros=order.money.micros,
                    currency=order.money.currency,
                    state=state,
                    decline_code=decline_code,
                    takes_at_once=not buyer_is_there,
                    action_id=_new_action() if asks else None,
                    made_at=at,
                )
                .on_conflict_do_nothing()
            )
            hold = _hold(await session.get_one(TestHold, order.key))
        if hold.state is HoldState.DECLINED:
            raise declined(hold.decline_code)
        return hold

    async def find(self, key: str, *, customer: str) -> Hold | None:
        async with self._database.system() as session:
            row = await session.get(TestHold, key)
            return _hold(row) if row and row.customer == customer else None

    async def capture(self, key: str, *, customer: str) -> Hold:
        async with self._database.system() as session:
            await session.execute(
                update(TestHold)
                .where(
                    TestHold.key == key,
                    TestHold.customer == customer,
                    TestHold.state == HoldState.HELD,
                )
                .values(state=HoldState.CAPTURED)
            )
            row = await session.get(TestHold, key)
        if row is None or row.state != HoldState.CAPTURED:
            raise declined("hold_expired")
        return _hold(row)

    async def void(self, key: str, *, customer: str) -> None:
        of_key = (TestHold.key == key, TestHold.customer == customer)
        async with self._database.system() as session:
            await session.execute(update(TestHold).where(*of_key).values(action_id=None))
            await session.execute(
                update(TestHold)
                .where(*of_key, TestHold.state != HoldState.DECLINED)
                .values(state=HoldState.VOIDED)
            )

    async def asked(self, action_id: str) -> Hold | Setup | None:
        """What the bank asks a card's owner about: a payment, or a card to be stored."""
        async with self._database.system() as session:
            hold = await session.scalar(select(TestHold).where(TestHold.action_id == action_id))
            if hold is not None:
                return _hold(hold)
            card = await session.scalar(select(TestCard).where(TestCard.action_id == action_id))
            return _setup(card) if card else None

    async def answer(self, action_id: str, *, approve: bool) -> None:
        """The card's owner says yes or no to the bank; an action that is over changes nothing."""
        async with self._database.system() as session:
            hold = await session.scalar(
                select(TestHold)
                .where(TestHold.action_id == action_id, TestHold.state.in_(_WAITING))
                .with_for_update(key_share=True)
            )
            if hold is not None:
                card = await session.get(TestCard, hold.token)
                _answered(hold, TEST_CARDS[card.kind] if card else UNKNOWN, approve=approve)
                return
            state = SetupState.DONE if approve else SetupState.FAILED
            await session.execute(
                update(TestCard)
                .where(TestCard.action_id == action_id)
                .values(state=state, action_id=None)
            )

    async def orders(self) -> list[Hold]:
        """Every order it was ever given: the truth that fault tests compare with."""
        async with self._database.system() as session:
            rows = await session.scalars(select(TestHold).order_by(TestHold.made_at))
            return [_hold(row) for row in rows]

    async def _kind(self, session: Session, token: str, at: datetime) -> TestKind:
        card = await session.get(TestCard, token)
        if card is None or card.state != SetupState.DONE:
            return UNKNOWN
        if is_expired(card.expiry_month, card.expiry_year, at):
            return TestKind("", charge_declines="expired_card")
        return TEST_CARDS[card.kind]


def _outcome(kind: TestKind, *, buyer_is_there: bool) -> tuple[HoldState, str]:
    if buyer_is_there and kind.on_session_authenticates:
        return HoldState.AUTHENTICATING, ""
    if not buyer_is_there and kind.off_session_authenticates:
        return HoldState.DECLINED, AUTHENTICATION_REQUIRED
    if kind.charge_declines:
        return HoldState.DECLINED, kind.charge_declines
    return (HoldState.HELD if buyer_is_there else HoldState.CAPTURED), ""


def _answered(hold: TestHold, kind: TestKind, *, approve: bool) -> None:
    if not approve:
        hold.state, hold.decline_code = HoldState.DECLINED, AUTHENTICATION_FAILED
        return
    hold.action_id = None
    if kind.charge_declines:
        hold.state, hold.decline_code = HoldState.DECLINED, kind.charge_declines
        return
    hold.state = HoldState.CAPTURED if hold.takes_at_once else HoldState.HELD
    hold.decline_code = ""


def _new_action() -> str:
    return f"act_{token_hex(16)}"


def _action(action_id: str | None) -> Action | None:
    return Action(url=f"{BANK}{action_id}") if action_id else None


def _setup(row: TestCard) -> Setup:
    kind = TEST_CARDS.get(row.kind)
    done = row.state == SetupState.DONE
    failed = row.state == SetupState.FAILED
    card = (
        Card(row.token, kind.brand, row.last4, row.expiry_month, row.expiry_year)
        if kind and done
        else None
    )
    return Setup(
        id=row.token,
        customer=row.customer,
        state=SetupState(row.state),
        card=card,
        action=_action(row.action_id),
        sentence=declined(AUTHENTICATION_FAILED).sentence if failed else "",
    )


def _hold(row: TestHold) -> Hold:
    return Hold(
        key=row.key,
        money=Money(row.micros, row.currency),
        state=HoldState(row.state),
        made_at=row.made_at,
        decline_code=row.decline_code,
        customer=row.customer,
        action=_action(row.action_id),
    )
