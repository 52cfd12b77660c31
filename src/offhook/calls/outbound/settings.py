"""The rules of one number for what it starts (SEC12, SEC19): read, changed, asked about texts."""

from dataclasses import dataclass, replace
from datetime import time
from typing import Any

import phonenumbers
from sqlalchemy import select

from offhook import numbers, phone
from offhook.calls.outbound import rules
from offhook.calls.outbound.models import OutboundRules
from offhook.calls.outbound.rules import Hours, Machine, RulesInvalid
from offhook.db import Session, now
from offhook.phone import E164


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number's rules as somebody writes them."""

    quiet_hours: bool
    opens: time
    closes: time
    countries: tuple[str, ...]
    daily_calls: int
    daily_per_contact: int
    machine: Machine
    opening: str


async def of(session: Session, team_id: str, number_id: str) -> OutboundRules:
    """The rules of a number of the team, the defaults where nobody set any. Raises NumberNotFound.

    Defaults are not in the database until they are changed.
    """
    number = await numbers.get(session, team_id, number_id)
    found = await session.scalar(
        select(OutboundRules).where(
            OutboundRules.team_id == team_id, OutboundRules.number_id == number.id
        )
    )
    return found or OutboundRules(
        team_id=team_id,
        number_id=number.id,
        quiet_hours=True,
        opens=Hours().opens,
        closes=Hours().closes,
        countries=[],
        daily_calls=rules.DAILY_CALLS,
        daily_per_contact=rules.PER_CONTACT,
        machine=Machine.HANG_UP,
        opening="",
    )


async def change(
    session: Session, team_id: str, number_id: str, by: numbers.By, wanted: Wanted
) -> OutboundRules:
    """From the next call on. Raises RulesInvalid with every fault, NumberNotFound, NumberGone."""
    kept = _checked(wanted)
    number = await numbers.locked(session, team_id, number_id)
    found = await of(session, team_id, number_id)
    before = _told(found)
    for name in Wanted.__dataclass_fields__:
        value = getattr(kept, name)
        setattr(found, name, list(value) if name == "countries" else value)
    if (after := _told(found)) != before:
        session.add(found)
        await session.flush()
        await numbers.record_activity(session, number, by, "configured", before=before, after=after)
    return found


def countries_of(found: OutboundRules, number: numbers.Number) -> frozenset[str]:
    """Where the number may call; North America's plan counts by its countries."""
    return frozenset(found.countries or [number.country])


async def of_texts(session: Session, number: numbers.Number, to: E164) -> tuple[str | None, int]:
    """Until when `to` must not be texted unasked, None where they may be now; and how many texts
    the number may begin to one person in a day.
    """
    found = await of(session, number.team_id, number.id)
    return await quiet_until(session, found, number, to), found.daily_per_contact


async def quiet_until(
    session: Session, found: OutboundRules, number: numbers.Number, to: E164
) -> str | None:
    """Until when the number's rules keep it from disturbing `to`, in words, "" where they do not
    say; None: they may be disturbed now.
    """
    if not found.quiet_hours:
        return None
    hours = Hours(found.opens, found.closes)
    zones = phone.zones(to) or phone.zones(E164(number.e164)) or ("UTC",)
    at = await now(session)
    if not rules.is_quiet(hours, zones, at):
        return None
    opens = rules.opens_at(hours, zones, at)
    return f"{opens:%Y-%m-%d %H:%M} UTC" if opens else ""


def _told(found: OutboundRules) -> dict[str, Any]:
    """As the number's activity shows it."""
    return {
        "quiet_hours": found.quiet_hours,
        "opens": f"{found.opens:%H:%M}",
        "closes": f"{found.closes:%H:%M}",
        "countries_called": ", ".join(found.countries),
        "daily_calls": found.daily_calls,
        "daily_per_contact": found.daily_per_contact,
        "machine": found.machine.value,
        "opening": found.opening,
    }


def _checked(wanted: Wanted) -> Wanted:
    faults: list[dict[str, str]] = []

    def fault(field: str, sentence: str) -> None:
        faults.append({"field": field, "sentence": sentence})

    countries = tuple(sorted({each.strip().upper() for each in wanted.countries if each.strip()}))
    for code in countries:
        if code not in phonenumbers.SUPPORTED_REGIONS:
            fault("countries", f"“{code[:10]}” is no country: use its two letters, such as US.")
    if wanted.opens >= wanted.closes:
        fault("closes", "The hours must end after they begin.")
    if not 1 <= wanted.daily_calls <= rules.MAX_DAILY:
        fault("daily_calls", f"1 to {rules.MAX_DAILY:,} calls a day, not {wanted.daily_calls:,}.")
    if not 1 <= wanted.daily_per_contact <= rules.MAX_PER_CONTACT:
        fault(
            "daily_per_contact",
            f"1 to {rules.MAX_PER_CONTACT:,} a day, not {wanted.daily_per_contact:,}.",
        )
    opening = " ".join(wanted.opening.split())
    if len(opening) > rules.MAX_OPENING_CHARACTERS:
        fault("opening", f"At most {rules.MAX_OPENING_CHARACTERS} characters.")
    if faults:
        raise RulesInvalid(
            " ".join(each["sentence"] for each in faults),
            remedy="Correct the fields and save again.",
            errors=faults,
        )
    return replace(wanted, countries=countries, opening=opening)
