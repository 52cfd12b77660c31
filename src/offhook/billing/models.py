"""Tables of billing: the subscription, cards on file, what was held and taken, invoices.

No card number is stored, only the gateway's token and what may be shown.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.billing.gateway import AUTHENTICATION_FAILED, AUTHENTICATION_REQUIRED, HoldState
from offhook.billing.rules import CardStatus, Step, SubscriptionState
from offhook.billing.totals import InvoiceState, LineKind
from offhook.db import Base, TeamKeyed, TeamOwned, one_of, primary_key
from offhook.prices import Money
from offhook.usage.periods import Period

MAX_FAILURE = 300


class Subscription(TeamKeyed, Base):
    """One per team. `since` is when the present state began (past_due lasts 14 days)."""

    __tablename__ = "subscriptions"
    __audit__ = Marks("subscription", without=("since",))
    __table_args__ = (UniqueConstraint("team_id"),)
    id: Mapped[str] = primary_key("sub")
    state: Mapped[str] = mapped_column(String(12), default=SubscriptionState.TRIAL)
    since: Mapped[datetime]


class SubscriptionChange(TeamOwned, Base):
    """One step of a subscription, kept for ever: since when what was so."""

    __tablename__ = "subscription_changes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    step: Mapped[Step] = mapped_column(one_of(Step))
    before: Mapped[SubscriptionState] = mapped_column(one_of(SubscriptionState, length=12))
    after: Mapped[SubscriptionState] = mapped_column(one_of(SubscriptionState, length=12))
    at: Mapped[datetime]


class ReleaseNotice(TeamKeyed, Base):
    """A suspended team was told that its numbers go back in so many days (UN11)."""

    __tablename__ = "release_notices"
    __table_args__ = (UniqueConstraint("team_id", "suspended_since", "days"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    suspended_since: Mapped[datetime]
    days: Mapped[int]
    told_at: Mapped[datetime]


class PaymentMethod(TeamOwned, Base):
    """A card on file; `token` is the gateway's name for it. Removed ones stay for old charges."""

    __tablename__ = "payment_methods"
    __audit__ = Marks("card", label="last4", secret=("token",))
    __table_args__ = (
        Index(
            "uq_payment_methods_default",
            "team_id",
            unique=True,
            postgresql_where="is_default AND removed_at IS NULL",
        ),
        UniqueConstraint("token"),
    )
    id: Mapped[str] = primary_key("card")
    gateway: Mapped[str] = mapped_column(String(10), default="test")
    token: Mapped[str] = mapped_column(String(80))
    brand: Mapped[str] = mapped_column(String(20))
    last4: Mapped[str] = mapped_column(String(4))
    expiry_month: Mapped[int]
    expiry_year: Mapped[int]
    status: Mapped[str] = mapped_column(String(10), default=CardStatus.VALID)
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Charge(TeamOwned, Base):
    """Money held on a card, and what became of it. `key` is the gateway's idempotency key.

    `dispute` is the gateway's word for how far a dispute of its owner has come, empty without one.
    """

    __tablename__ = "charges"
    id: Mapped[str] = primary_key("chg")
    key: Mapped[str] = mapped_column(String(80), unique=True)
    reference: Mapped[str] = mapped_column(String(40), index=True)
    description: Mapped[str] = mapped_column(String(200))
    micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(16), default=HoldState.HELD)
    decline_code: Mapped[str] = mapped_column(String(40), default="")
    dispute: Mapped[str] = mapped_column(String(30), default="")
    payment_method_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def money(self) -> Money:
        return Money(self.micros, self.currency)

    @property
    def confirmable(self) -> bool:
        """Whether the card's owner may still authenticate it with the bank."""
        return self.state == HoldState.AUTHENTICATING or (
            self.state == HoldState.DECLINED
            and self.decline_code in {AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED}
        )


class GatewayEvent(Base):
    """A signed event of the payment gateway, by its id: told twice it is handled once.

    It belongs to no team: whose object it is about is known only once the gateway was asked.
    """

    __tablename__ = "gateway_events"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    type: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime]


class Invoice(TeamKeyed, Base):
    """A closed month. Immutable but for what says how it is paid; money in micros of `currency`.

    `period_start` and `period_end` are instants of the ledger's month, never days of a calendar.
    `number` is gapless over the installation. `balance_before` is what the invoice before left
    over (negative: the team's credit), `due` what is charged, `balance_after` what is left.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("team_id", "period_start"),
        Index("ix_invoices_open", "next_attempt_at", postgresql_where="state = 'open'"),
    )
    id: Mapped[str] = primary_key("inv")
    sequence: Mapped[int] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(String(40))
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))
    finalized_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    net_micros: Mapped[int] = mapped_column(BigInteger)
    tax_micros: Mapped[int] = mapped_column(BigInteger)
    total_micros: Mapped[int] = mapped_column(BigInteger)
    balance_before_micros: Mapped[int] = mapped_column(BigInteger)
    due_micros: Mapped[int] = mapped_column(BigInteger)
    balance_after_micros: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # addresses.TaxLine
    seller: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    buyer: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

    state: Mapped[InvoiceState] = mapped_column(one_of(InvoiceState, length=10))
    attempt: Mapped[int] = mapped_column(default=1)  # numbers the key of the charge under way
    next_attempt_at: Mapped[datetime | None]
    last_attempt_at: Mapped[datetime | None]
    failed_since: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(String(MAX_FAILURE), default="")
    paid_at: Mapped[datetime | None]

    @property
    def month(self) -> date:
        """The first day of the month that it is of, at the team's place."""
        return Period(self.period_start, self.period_end, self.zone).month

    def money(self, micros: int) -> Money:
        return Money(micros, self.currency)

    @property
    def net(self) -> Money:
        return self.money(self.net_micros)

    @property
    def tax_money(self) -> Money:
        return self.money(self.tax_micros)

    @property
    def total(self) -> Money:
        return self.money(self.total_micros)

    @property
    def balance_before(self) -> Money:
        return self.money(self.balance_before_micros)

    @property
    def due(self) -> Money:
        return self.money(self.due_micros)

    @property
    def balance_after(self) -> Money:
        return self.money(self.balance_after_micros)


class InvoiceLine(TeamOwned, Base):
    """One line; `amount` is rate times (units - free), rounded once. `usage_line_id` names the
    ledger's line whose entries it holds; a rent has none.
    """

    __tablename__ = "invoice_lines"
    __table_args__ = (UniqueConstraint("invoice_id", "position"),)
    id: Mapped[str] = primary_key("iln")
    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoices.id"))
    position: Mapped[int]
    kind: Mapped[LineKind] = mapped_column(one_of(LineKind, length=8))
    usage_line_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    number_id: Mapped[str] = mapped_column(String(80), index=True)
    number_name: Mapped[str] = mapped_column(String(80), default="")
    e164: Mapped[str] = mapped_column(String(16), default="")
    service: Mapped[str | None] = mapped_column(String(5))
    direction: Mapped[str | None] = mapped_column(String(8))
    month: Mapped[date]
    description: Mapped[str] = mapped_column(String(200))
    price_id: Mapped[str] = mapped_column(String(60), default="")
    price_micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    units: Mapped[int]
    free: Mapped[int] = mapped_column(default=0)
    entries: Mapped[int] = mapped_column(default=0)
    amount_micros: Mapped[int] = mapped_column(BigInteger)

    @property
    def amount(self) -> Money:
        return Money(self.amount_micros, self.currency)

    @property
    def price(self) -> Money:
        return Money(self.price_micros, self.currency)

    @property
    def charged(self) -> int:
        return self.units - self.free


class InvoiceNumbers(Base):
    """The last number given, in its only row: locked until its invoice is committed, so gapless."""

    __tablename__ = "invoice_numbers"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


class Seller(Base):
    """The operator's details, in the only row: what every invoice says of who sends it.

    `rates`: country, label and thousandths of a percent of each.
    """

    __tablename__ = "billing_seller"
    __audit__ = Marks("seller", label="name", team="")
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(400), default="")
    country: Mapped[str] = mapped_column(String(2), default="US")
    tax_id: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    footer: Mapped[str] = mapped_column(String(400), default="")
    prefix: Mapped[str] = mapped_column(String(12), default="INV")
    rates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)


class Buyer(TeamKeyed, Base):
    """A team's billing details; until it gives some, its name and country stand in."""

    __tablename__ = "billing_buyers"
    __audit__ = Marks("billing details", label="name")
    __table_args__ = (UniqueConstraint("team_id"),)
    id: Mapped[str] = primary_key("buy")
    name: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(400), default="")
    country: Mapped[str] = mapped_column(String(2))
    tax_id: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
