"""Tables of numbers: the numbers themselves, quotes, purchases, and who changed what."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamOwned, primary_key
from offhook.numbers.rules import Configuration, NumberStatus
from offhook.numbers.saga import PurchaseState
from offhook.usage import Service


class Number(TeamOwned, Base):
    """A number that a team holds, or held: released ones stay for their history (N10).

    While a purchase is under way the row reserves the number but is nobody's yet: `held_since` is
    empty until the money was taken (A5).
    """

    __tablename__ = "numbers"
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
    def supports(self) -> tuple[Service, ...]:
        voice = (Service.CALLS,) if self.has_voice else ()
        return (*voice, Service.SMS) if self.has_sms else voice


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


class Purchase(TeamOwned, Base):
    """One order and how far it has come (A5); its id is the order tag at the carrier.

    `waits_since` is what the saga's patience is counted from; `charge_id` is the payment's row.
    """

    __tablename__ = "number_purchases"
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
