"""Tables of numbers: the numbers themselves, own accounts and imports, quotes, purchases, and who
changed what.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.carriers import Network
from offhook.db import Base, Sealed, TeamKeyed, TeamOwned, one_of, primary_key
from offhook.numbers.own.rules import OWN, Health, ImportState
from offhook.numbers.rules import Configuration, NumberStatus
from offhook.numbers.saga import PurchaseState
from offhook.usage import Service

IMPORT_PROGRESS = (
    "state",
    "batch_id",
    "before",
    "ours",
    "left",
    "failure_code",
    "failure",
    "by_id",
    "by_label",
)
PURCHASE_PROGRESS = (
    "state",
    "waits_since",
    "idempotency_key",
    "quote_id",
    "charge_id",
    "carrier_id",
    "number_id",
    "buyer",
)


class Number(TeamOwned, Base):
    """A number that a team holds, or held: released ones stay for their history (N10).

    While a purchase is under way the row reserves the number but is nobody's yet: `held_since` is
    empty until the money was taken (A5).
    """

    __tablename__ = "numbers"
    __audit__ = Marks(
        "number",
        label="name",
        otherwise="e164",
        without=("held_since", "enabled_at", "released_at"),
        page="/numbers/{}",
    )
    __table_args__ = (
        # One holder at a time, over all teams; a later holder is another row (UN6).
        Index(
            "uq_numbers_current_holder",
            "e164",
            unique=True,
            postgresql_where=f"status <> '{NumberStatus.RELEASED}'",
        ),
    )
    id: Mapped[str] = primary_key("num")
    e164: Mapped[str] = mapped_column(String(16), index=True)
    country: Mapped[str] = mapped_column(String(2))
    type: Mapped[str] = mapped_column(String(12))
    locality: Mapped[str] = mapped_column(String(80), default="")
    status: Mapped[str] = mapped_column(String(12), default=NumberStatus.DISABLED)

    name: Mapped[str] = mapped_column(String(80), default="")
    agent_id: Mapped[str | None] = mapped_column(String(40), index=True)
    calls_enabled: Mapped[bool] = mapped_column(default=False)
    sms_enabled: Mapped[bool] = mapped_column(default=False)
    record_calls: Mapped[bool] = mapped_column(default=True)
    recording_notice: Mapped[bool] = mapped_column(default=True)

    carrier: Mapped[str] = mapped_column(String(20))
    carrier_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("carrier_accounts.id"), index=True)
    """The team's own account at the carrier (A7); empty: the operator's, where it was bought."""
    has_voice: Mapped[bool]
    has_sms: Mapped[bool]
    has_mms: Mapped[bool] = mapped_column(default=False)
    registrations: Mapped[list[str]] = mapped_column(JSONB, default=list)

    rent_micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    purchase_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    held_since: Mapped[datetime | None]
    enabled_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def configuration(self) -> Configuration:
        return Configuration(
            name=self.name,
            agent_id=self.agent_id,
            calls_enabled=self.calls_enabled,
            sms_enabled=self.sms_enabled,
            record_calls=self.record_calls,
            recording_notice=self.recording_notice,
        )

    @property
    def price_kind(self) -> str:
        """Whose price list holds: the carrier's, or that of numbers which teams brought."""
        return OWN if self.account_id else self.carrier

    @property
    def supports(self) -> tuple[Service, ...]:
        voice = (Service.CALLS,) if self.has_voice else ()
        return (*voice, Service.SMS) if self.has_sms else voice


class CarrierAccount(TeamOwned, Base):
    """A carrier account that a team brought (A7). Removed ones stay for their numbers' history,
    without their token.
    """

    __tablename__ = "carrier_accounts"
    __audit__ = Marks(
        "carrier account", label="name", without=("checked_at", "health"), page="/numbers/own/{}"
    )
    __table_args__ = (
        Index(
            "uq_carrier_accounts_current",
            "team_id",
            "sid",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
    )
    id: Mapped[str] = primary_key("acc")
    network: Mapped[Network] = mapped_column(one_of(Network))
    sid: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(80))
    token: Mapped[str | None] = mapped_column(Sealed())
    token_last4: Mapped[str] = mapped_column(String(4))
    trial: Mapped[bool] = mapped_column(default=False)
    health: Mapped[Health] = mapped_column(one_of(Health))
    checked_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class NumberImport(TeamOwned, Base):
    """One number on its way from a team's own account into ours, and what it reported to before.

    `before` is sealed: callback addresses may carry passwords. `ours` is what we set, as the
    carrier told it, so that a later change by somebody else is noticed.
    """

    __tablename__ = "number_imports"
    __audit__ = Marks("number import", label="e164", without=IMPORT_PROGRESS)
    __table_args__ = (Index("ix_number_imports_open", "state", "updated_at"),)
    id: Mapped[str] = primary_key("imp")
    batch_id: Mapped[str] = mapped_column(String(40), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("carrier_accounts.id"), index=True)
    number_id: Mapped[str] = mapped_column(String(40), unique=True)
    e164: Mapped[str] = mapped_column(String(16))
    carrier_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[ImportState] = mapped_column(one_of(ImportState))
    before: Mapped[str | None] = mapped_column(Sealed())
    ours: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    left: Mapped[list[str]] = mapped_column(JSONB, default=list)
    failure_code: Mapped[str] = mapped_column(String(40), default="")
    failure: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[str] = mapped_column(String(40))
    by_label: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Quote(TeamOwned, Base):
    """What a buyer was shown (A3); good for 15 minutes and one purchase."""

    __tablename__ = "number_quotes"
    id: Mapped[str] = primary_key("quo")
    e164: Mapped[str] = mapped_column(String(16))
    country: Mapped[str] = mapped_column(String(2))
    type: Mapped[str] = mapped_column(String(12))
    locality: Mapped[str] = mapped_column(String(80), default="")
    has_voice: Mapped[bool]
    has_sms: Mapped[bool]
    has_mms: Mapped[bool] = mapped_column(default=False)
    registrations: Mapped[list[str]] = mapped_column(JSONB, default=list)
    carrier: Mapped[str] = mapped_column(String(20))
    price_id: Mapped[str] = mapped_column(String(60))
    currency: Mapped[str] = mapped_column(String(3))
    rent_micros: Mapped[int] = mapped_column(BigInteger)
    first_month_micros: Mapped[int] = mapped_column(BigInteger)
    minute_inbound_micros: Mapped[int] = mapped_column(BigInteger)
    minute_outbound_micros: Mapped[int] = mapped_column(BigInteger)
    message_inbound_micros: Mapped[int] = mapped_column(BigInteger)
    message_outbound_micros: Mapped[int] = mapped_column(BigInteger)
    terms_version: Mapped[str] = mapped_column(String(20))
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Purchase(TeamKeyed, Base):
    """One order and how far it has come (A5); its id is the order tag at the carrier.

    `waits_since` is what the saga's patience is counted from; `charge_id` is the payment's row.
    """

    __tablename__ = "number_purchases"
    __audit__ = Marks(
        "purchase", label="e164", without=PURCHASE_PROGRESS, page="/numbers/purchases/{}"
    )
    __table_args__ = (
        UniqueConstraint("team_id", "idempotency_key"),
        Index("ix_number_purchases_open", "state", "updated_at"),
    )
    id: Mapped[str] = primary_key("pur")
    idempotency_key: Mapped[str] = mapped_column(String(80))
    quote_id: Mapped[str] = mapped_column(ForeignKey("number_quotes.id"), unique=True)
    e164: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=PurchaseState.ORDERED)
    waits_since: Mapped[datetime]
    charge_id: Mapped[str | None] = mapped_column(String(40))
    micros: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    carrier: Mapped[str] = mapped_column(String(20))
    carrier_id: Mapped[str] = mapped_column(String(64), default="")
    number_id: Mapped[str | None] = mapped_column(String(40))
    failure_code: Mapped[str] = mapped_column(String(40), default="")
    failure: Mapped[str] = mapped_column(Text, default="")
    terms_version: Mapped[str] = mapped_column(String(20))
    terms_accepted_by: Mapped[str] = mapped_column(String(40))
    terms_accepted_at: Mapped[datetime]
    buyer: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Activity(TeamOwned, Base):
    """One change of a number: who, when, before and after. Only ever added to."""

    __tablename__ = "number_activity"
    id: Mapped[str] = primary_key("act")
    position: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    number_id: Mapped[str] = mapped_column(String(40), index=True)
    actor_id: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(320))
    action: Mapped[str] = mapped_column(String(40))
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    at: Mapped[datetime]
