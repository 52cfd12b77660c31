"""Which customer of the payment gateway a team is: made there once, found again by both sides.

A gateway's customer stands for the team there; a change of gateway leaves the old rows alone.
Knows no card and no charge.
"""

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from offhook.billing.gateway import Gateway
from offhook.db import Base, Session, TeamKeyed, new_id, primary_key


class Customer(TeamKeyed, Base):
    """A team as `gateway` knows it."""

    __tablename__ = "gateway_customers"
    __table_args__ = (UniqueConstraint("team_id", "gateway"), UniqueConstraint("customer"))
    id: Mapped[str] = primary_key("cus")
    gateway: Mapped[str] = mapped_column(String(10))
    customer: Mapped[str] = mapped_column(String(80))


async def of_team(session: Session, gateway: Gateway, team_id: str) -> str:
    """The team's customer, opened at the gateway when there is none. Raises Unreachable."""
    query = select(Customer.customer).where(
        Customer.team_id == team_id, Customer.gateway == gateway.name
    )
    if known := await session.scalar(query):
        return known
    opened = await gateway.open_customer(team_id)
    # Two at once have asked the gateway with one idempotency key: it is the same customer.
    await session.execute(
        insert(Customer)
        .values(id=new_id("cus"), team_id=team_id, gateway=gateway.name, customer=opened)
        .on_conflict_do_nothing()
    )
    return (await session.scalars(query)).one()


async def team_of(session: Session, customer: str) -> str | None:
    """The team behind a gateway's customer. Asks over all teams: for a system session."""
    return await session.scalar(select(Customer.team_id).where(Customer.customer == customer))
