"""Tables of webhooks: endpoints and their secrets, deliveries, the bytes sent, every attempt.

A delivery is one event for one endpoint; it has a queue's place (`next_at`, `lease`) and the page's
facts. The bytes of an event are kept once, for all endpoints, attempts and replays (W4).
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, Sealed, TeamKeyed, TeamOwned, one_of, primary_key
from offhook.webhooks.rules import DeliveryState, EndpointKind, EndpointState

EVENT_LENGTH = 60
ID = String(40)
URL = String(2000)

SEEN = ("state_since", "failing_since", "seen_at", "created_by")


class Endpoint(TeamOwned, Base):
    """Where a team's events go. `events`: names, or "*" for all.

    `failing_since` is the first failure that no success followed (W10). `seen_at`: when a listener
    last asked. A removed endpoint's row stays as long as its deliveries.
    """

    __tablename__ = "webhook_endpoints"
    __audit__ = Marks("webhook endpoint", label="name", without=SEEN, page="/webhooks/endpoints/{}")
    id: Mapped[str] = primary_key("whe")
    kind: Mapped[EndpointKind] = mapped_column(one_of(EndpointKind))
    name: Mapped[str] = mapped_column(String(80))
    url: Mapped[str] = mapped_column(URL)
    events: Mapped[list[str]] = mapped_column(ARRAY(String(EVENT_LENGTH)))
    with_text: Mapped[bool] = mapped_column(default=False)
    state: Mapped[EndpointState] = mapped_column(one_of(EndpointState))
    state_since: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]


class Secret(TeamOwned, Base):
    """A signing secret (W5, W6). `expires_at` None: the current one; revoked ones are deleted."""

    __tablename__ = "webhook_secrets"
    __audit__ = Marks("webhook secret")
    id: Mapped[str] = primary_key("whs")
    endpoint_id: Mapped[str] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), index=True
    )
    secret: Mapped[str] = mapped_column(Sealed())
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class Delivery(TeamKeyed, Base):
    """One event on its way to one endpoint.

    `tries` counts in the present round of the schedule, `attempts` over all replays. While a
    dispatcher works on it `lease` names it, and `next_at` is when the lease ends.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "next_at",
            postgresql_where="state = 'pending'",
        ),
        Index("ix_webhook_deliveries_leased", "endpoint_id", postgresql_where="lease IS NOT NULL"),
        Index("ix_webhook_deliveries_list", "team_id", "created_at", "id"),
        Index("ix_webhook_deliveries_endpoint_list", "endpoint_id", "created_at", "id"),
        Index("ix_webhook_deliveries_age", "created_at"),
    )
    id: Mapped[str] = primary_key("whd")
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), index=True)
    event: Mapped[str] = mapped_column(String(EVENT_LENGTH))
    with_text: Mapped[bool]
    state: Mapped[DeliveryState] = mapped_column(one_of(DeliveryState))
    tries: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(ID)
    last_status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Body(TeamOwned, Base):
    """The bytes of an event, with or without what was said."""

    __tablename__ = "webhook_bodies"
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), primary_key=True)
    with_text: Mapped[bool] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Attempt(TeamOwned, Base):
    """One request and what came back: `status` None where no answer did, `error` says why.

    `answer` is the beginning of the answer's body (W11).
    """

    __tablename__ = "webhook_attempts"
    __table_args__ = (UniqueConstraint("delivery_id", "number"),)
    id: Mapped[str] = primary_key("wha")
    delivery_id: Mapped[str] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    at: Mapped[datetime]
    latency_ms: Mapped[int]
    url: Mapped[str] = mapped_column(URL)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(String(300), default="")
    answer: Mapped[str] = mapped_column(Text, default="")
