"""The operator's rates: versions that are added and, while they are to come, withdrawn."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook.costs.models import CostLine, RateVersion
from offhook.costs.rules import Kind, Rate
from offhook.db import Session, new_id, now
from offhook.errors import Conflict, Invalid, NotFound
from offhook.prices import Money, read_amount, read_time

MAX_VENDOR, MAX_MODEL = 40, 120


class RateInvalid(Invalid):
    """A rate that cannot be used as it was written; `errors` name each field."""

    code = "rate_invalid"


class RateTaken(Conflict):
    code = "rate_taken"


class RateStands(Conflict):
    """A rate in force has valued what was used, so it stays."""

    code = "rate_in_force"


class RateUnknown(NotFound):
    code = "rate_unknown"


def read(fields: Mapping[str, Any], *, zone: str, present: datetime) -> Rate:
    """The rate that `fields` describe; an empty `valid_from` is now. Raises RateInvalid."""
    faults: list[dict[str, str]] = []

    def fault(field: str, sentence: str) -> None:
        faults.append({"field": field, "sentence": sentence})

    vendor, model = str(fields.get("vendor", "")).strip(), str(fields.get("model", "")).strip()
    if not 1 <= len(vendor) <= MAX_VENDOR or not vendor.isprintable():
        fault("vendor", f"A vendor's name has 1 to {MAX_VENDOR} characters.")
    if not 1 <= len(model) <= MAX_MODEL or not model.isprintable():
        fault("model", f"A model's name has 1 to {MAX_MODEL} characters.")
    if (kind := str(fields.get("kind", ""))) not in set(Kind):
        fault("kind", f"“{kind[:40]}” is no kind of use: {', '.join(Kind)}.")
    money, start = Money(0), present
    try:
        money = read_amount(fields.get("price", ""))
    except ValueError as wrong:
        fault("price", str(wrong))
    try:
        if str(fields.get("valid_from") or "").strip():
            start = read_time(fields["valid_from"], zone)
    except ValueError as wrong:
        fault("valid_from", str(wrong))
    if start < present:
        fault("valid_from", f"{start:%Y-%m-%d %H:%M} UTC has passed: what was used keeps its cost.")
    if faults:
        raise RateInvalid(
            " ".join(each["sentence"] for each in faults),
            remedy="Correct the fields and send it again.",
            errors=faults,
        )
    return Rate("", vendor, model, Kind(kind), money, start)


async def add(session: Session, draft: Rate, *, by: str) -> Rate:
    """Keep a checked draft. Raises RateTaken."""
    written = await session.scalar(
        insert(RateVersion)
        .values(
            id=new_id("rate"),
            vendor=draft.vendor,
            model=draft.model,
            kind=draft.kind.value,
            currency=draft.money.currency,
            micros=draft.money.micros,
            valid_from=draft.valid_from,
            created_at=await now(session),
            created_by=by,
        )
        .on_conflict_do_nothing()
        .returning(RateVersion)
    )
    if written is None:
        raise RateTaken(
            "Another rate for the same use begins at this instant.", remedy="Choose another time."
        )
    return as_rate(written)


async def withdraw(session: Session, rate_id: str, *, by: str) -> Rate:
    """A rate that is to come will not be in force; it stays listed.

    Raises RateUnknown, RateStands.
    """
    row = await session.scalar(
        select(RateVersion).where(RateVersion.id == rate_id).with_for_update(key_share=True)
    )
    if row is None:
        raise RateUnknown(f"There is no rate “{rate_id[:40]}”.")
    present = await now(session)
    if row.withdrawn_at is None:
        if row.valid_from <= present:
            raise RateStands("This rate is in force.", remedy="Add one that follows it.")
        row.withdrawn_at, row.withdrawn_by = present, by
        await session.flush()
    return as_rate(row)


async def versions(session: Session) -> list[RateVersion]:
    """Every rate, withdrawn ones too, by what it is for, the latest to begin first."""
    rows = await session.scalars(
        select(RateVersion).order_by(
            RateVersion.vendor,
            RateVersion.model,
            RateVersion.kind,
            RateVersion.valid_from.desc(),
            RateVersion.created_at.desc(),
        )
    )
    return list(rows)


async def unrated(session: Session, since: datetime) -> list[tuple[str, str, Kind]]:
    """What was used since then and has no rate (system scope); what is built in or simulated costs
    nothing.
    """
    rows = await session.execute(
        select(CostLine.vendor, CostLine.model, CostLine.kind)
        .where(
            CostLine.rate_id == "",
            CostLine.last_at >= since,
            CostLine.vendor.not_in(("offline", "simulator")),
            CostLine.kind != Kind.REPLIES,
        )
        .distinct()
        .order_by(CostLine.vendor, CostLine.model, CostLine.kind)
    )
    return [(vendor, model, Kind(kind)) for vendor, model, kind in rows]


def as_rate(row: RateVersion) -> Rate:
    return Rate(
        row.id,
        row.vendor,
        row.model,
        Kind(row.kind),
        Money(row.micros, row.currency),
        row.valid_from,
    )
