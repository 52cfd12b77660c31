"""How differences, totals and days look in the API; the same for a team and for the operator."""

from datetime import date, datetime

from pydantic import BaseModel, Field

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
    sentence: str
    carrier_id: str = Field(description="The carrier's id of the call or message.")
    subject_id: str = Field(description="Our call or message; empty where we have none.")
    ours: int = Field(description="Minutes charged, or segments of a message.")
    theirs: int
    our_seconds: int
    their_seconds: int
    action: Action
    done: str = Field(description="What was done, in words.")
    units: int = Field(description="Minutes or messages taken back (below 0) or added.")
    reason: str
    actor: str
    found_at: datetime
    acted_at: datetime | None


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
    return DifferenceOut(
        id=row.id,
        team_id=row.team_id,
        day=row.day,
        number_id=row.number_id,
        service=row.service,
        kind=row.kind,
        sentence=KIND_SENTENCES[row.kind],
        carrier_id=row.carrier_id,
        subject_id=row.subject_id,
        ours=row.ours,
        theirs=row.theirs,
        our_seconds=row.our_seconds,
        their_seconds=row.their_seconds,
        action=row.action,
        done=ACTION_SENTENCES[row.action],
        units=row.units,
        reason=row.reason,
        actor=row.actor,
        found_at=row.found_at,
        acted_at=row.acted_at,
    )


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
