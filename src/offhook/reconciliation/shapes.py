"""How differences, totals and days look in the API; the same for a team and for the operator."""

from datetime import date, datetime

from pydantic import BaseModel, Field, computed_field

from offhook.reconciliation.models import Difference, NumberDay, ReconciledDay
from offhook.reconciliation.rules import ACTION_SENTENCES, KIND_SENTENCES, Action, Kind
from offhook.usage import Service


class DifferenceOut(BaseModel):
    id: str
    team_id: str
    day: date = Field(description="UTC day of the call or message.")
    number_id: str
    service: Service
    kind: Kind
    carrier_id: str = Field(description="The carrier's id of the call or message.")
    subject_id: str = Field(description="Our call or message; empty where we have none.")
    ours: int = Field(description="Minutes charged, or segments of a message.")
    theirs: int
    our_seconds: int
    their_seconds: int
    action: Action
    units: int = Field(description="Minutes or messages taken back (below 0) or added.")
    reason: str
    actor: str
    found_at: datetime
    acted_at: datetime | None

    @computed_field
    @property
    def sentence(self) -> str:
        """What differs, in words."""
        return KIND_SENTENCES[self.kind]

    @computed_field
    @property
    def done(self) -> str:
        """What was done, in words."""
        return ACTION_SENTENCES[self.action]


class SideOut(BaseModel):
    calls: int = Field(description="Answered ones.")
    minutes: int
    messages: int
    segments: int


class TotalOut(BaseModel):
    team_id: str
    number_id: str
    day: date
    ours: SideOut
    theirs: SideOut
    cost_micros: int = Field(description="What the carrier charges, in millionths.")
    currency: str
    unpriced: int = Field(description="Records that the carrier has not priced yet.")


class DayOut(BaseModel):
    account_id: str
    day: date
    checked_at: datetime
    final: bool = Field(description="Compared for the last time.")
    calls: int = Field(description="The carrier's records.")
    messages: int
    differences: int


def difference(row: Difference) -> DifferenceOut:
    return DifferenceOut.model_validate(row, from_attributes=True)


def total(row: NumberDay) -> TotalOut:
    return TotalOut(
        team_id=row.team_id,
        number_id=row.number_id,
        day=row.day,
        ours=SideOut(
            calls=row.our_calls,
            minutes=row.our_minutes,
            messages=row.our_messages,
            segments=row.our_segments,
        ),
        theirs=SideOut(
            calls=row.their_calls,
            minutes=row.their_minutes,
            messages=row.their_messages,
            segments=row.their_segments,
        ),
        cost_micros=row.cost_micros,
        currency=row.currency,
        unpriced=row.unpriced,
    )


def day(row: ReconciledDay) -> DayOut:
    return DayOut(
        account_id=row.account_id,
        day=row.day,
        checked_at=row.checked_at,
        final=row.final_at is not None,
        calls=row.calls,
        messages=row.messages,
        differences=row.differences,
    )
