"""Tables of billing: the subscription, the cards on file, what was held and taken.

No card number is stored, only the gateway's token and what may be shown.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from offhook.billing.gateway import AUTHENTICATION_FAILED, AUTHENTICATION_REQUIRED, HoldState
from offhook.billing.rules import CardStatus, SubscriptionState
from offhook.db import Base, TeamOwned, primary_key
from offhook.prices import Money


class Subscription(TeamOwned, Base):
    """One per team. `since` is when the present state began (past_due lasts 14 days)."""

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("team_id"),)
    id: Mapped[str] = primary_key("sub")
    state: Mapped[str] = mapped_column(String(12), default=SubscriptionState.TRIAL)
    since: Mapped[datetime]


class PaymentMethod(TeamOwned, Base):
    """A card on file; `token` is the gateway's name for it. Removed ones stay for old charges."""

    __tablename__ = "payment_methods"
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
