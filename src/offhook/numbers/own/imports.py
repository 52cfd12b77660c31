"""Choosing numbers of a team's own account and ordering their import (A7).

Ownership is shown by the account listing the number; who holds it here already is looked up over
all teams, and a number that somebody holds is refused without saying who. An order reserves the
number's row at once, so of two teams only one can go on; bringing.py carries it out.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook import phone, prices
from offhook.carriers import Carrier, Held
from offhook.db import Session, enqueue, new_id, now
from offhook.errors import Problem
from offhook.numbers import problems
from offhook.numbers.activity import By
from offhook.numbers.models import CarrierAccount, Number, NumberImport
from offhook.numbers.own import accounts, rules
from offhook.numbers.own.rules import OWN, Health, ImportState
from offhook.numbers.rules import NumberStatus
from offhook.phone import E164, international
from offhook.prices import NumberType, Price, PriceMissing

IMPORT_JOB = "numbers.import"
MAX_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """A number that the account has: its price with us, or why it cannot be imported."""

    held: Held
    country: str
    type: NumberType
    price: Price | None
    refusal: str = ""
    number_id: str | None = None

    @property
    def importable(self) -> bool:
        return not self.refusal

    @property
    def reports_to(self) -> list[str]:
        """The hosts that its calls and texts go to today, each once."""
        return rules.hosts(asdict(self.held.callbacks))


async def choices(session: Session, carrier: Carrier, account: CarrierAccount) -> list[Choice]:
    """What the account has, by number. Raises AccountNotUsable and the carrier's problems."""
    _check_usable(account)
    listed = sorted(await carrier.list_numbers(), key=lambda held: held.e164)
    mine = {
        each.e164: each.id
        for each in await session.scalars(
            select(Number).where(
                Number.team_id == account.team_id,
                Number.e164.in_([held.e164 for held in listed]),
                Number.status != NumberStatus.RELEASED,
            )
        )
    }
    return [await _choice(session, held, mine) for held in listed]


async def chosen(
    session: Session, carrier: Carrier, account: CarrierAccount, wanted: Sequence[str]
) -> list[Choice]:
    """Those of the account's numbers that are `wanted`, all of which can be imported.

    Raises NothingChosen, NotInAccount, NumberTaken, PriceMissing: of all of them at once.
    """
    if not 0 < len(wanted) <= MAX_AT_ONCE:
        raise problems.NothingChosen(
            "No number is chosen." if not wanted else f"{len(wanted)} numbers are chosen.",
            remedy=f"Choose 1 to {MAX_AT_ONCE} numbers.",
        )
    by_number = {each.held.e164: each for each in await choices(session, carrier, account)}
    if strangers := [each for each in wanted if each not in by_number]:
        raise problems.NotInAccount(
            f"The account does not list {_named(strangers)}.",
            remedy="Only numbers that are in the account can be imported.",
            numbers=strangers,
        )
    picked = [by_number[E164(each)] for each in dict.fromkeys(wanted)]
    for each in picked:
        if each.refusal:
            raise _refusal(each)
    return picked


async def order(
    session: Session, carrier: Carrier, account_id: str, team_id: str, by: By, wanted: Sequence[str]
) -> list[NumberImport]:
    """Reserve the numbers and begin their import: all of them, or none.

    Raises as `chosen` does, and NumberTaken where somebody was faster.
    """
    picked = await chosen(
        session, carrier, await accounts.get(session, team_id, account_id), wanted
    )
    account = await accounts.get(session, team_id, account_id, lock=True)  # it stays from here on
    batch, made = new_id("bat"), list[NumberImport]()
    for each in sorted(picked, key=lambda choice: choice.held.e164):
        made.append(await _reserve(session, account, each, batch, by))
    for row in made:
        await enqueue(session, IMPORT_JOB, lock=row.id, team_id=team_id, import_id=row.id)
    return made


async def get(session: Session, team_id: str, import_id: str) -> NumberImport:
    """Raises ImportNotFound, also for another team's (SEC7)."""
    found = await session.scalar(
        select(NumberImport).where(NumberImport.team_id == team_id, NumberImport.id == import_id)
    )
    if found is None:
        raise problems.ImportNotFound(f"There is no import {import_id[:40]}.")
    return found


async def batch(session: Session, team_id: str, batch_id: str) -> Sequence[NumberImport]:
    """Imports that were ordered together. Raises ImportNotFound."""
    rows = await session.scalars(
        select(NumberImport)
        .where(NumberImport.team_id == team_id, NumberImport.batch_id == batch_id)
        .order_by(NumberImport.e164)
    )
    if not (found := rows.all()):
        raise problems.ImportNotFound(f"There is no import {batch_id[:40]}.")
    return found


async def of_number(session: Session, number: Number) -> NumberImport | None:
    """How a number came here; None for a bought one."""
    return await session.scalar(
        select(NumberImport).where(
            NumberImport.team_id == number.team_id, NumberImport.number_id == number.id
        )
    )


async def by_number_id(session: Session, team_id: str, number_id: str) -> NumberImport:
    """How a number of the team came here. Raises ImportNotFound, also for a bought one."""
    found = await session.scalar(
        select(NumberImport).where(
            NumberImport.team_id == team_id, NumberImport.number_id == number_id
        )
    )
    if found is None:
        raise problems.ImportNotFound(f"The number {number_id[:40]} was not imported.")
    return found


async def _choice(session: Session, held: Held, mine: dict[str, str]) -> Choice:
    country = phone.country_of(held.e164)
    kind = kind_of(held.e164)
    price, refusal = None, ""
    try:
        price = await prices.price_at(
            session, carrier=OWN, country=country, number_type=kind, at=await now(session)
        )
    except PriceMissing as missing:
        refusal = missing.sentence
    if held.e164 in mine:
        refusal = "It is your team's already."
    elif not (held.capabilities.voice or held.capabilities.sms):
        refusal = "It can neither call nor text."
    return Choice(held, country, kind, price, refusal, mine.get(held.e164))


def kind_of(e164: E164) -> NumberType:
    """The kind of number by its country's plan."""
    if phone.is_toll_free(e164):
        return NumberType.TOLL_FREE
    return NumberType.MOBILE if phone.is_mobile(e164) else NumberType.LOCAL


async def _reserve(
    session: Session, account: CarrierAccount, choice: Choice, batch_id: str, by: By
) -> NumberImport:
    held, at = choice.held, await now(session)
    assert choice.price is not None  # noqa: S101 - a choice without a price is refused before
    number_id = new_id("num")
    inserted = await session.scalar(
        insert(Number)
        .values(
            id=number_id,
            team_id=account.team_id,
            e164=held.e164,
            country=choice.country,
            type=choice.type,
            locality="",
            status=NumberStatus.DISABLED,
            name="",
            calls_enabled=False,
            sms_enabled=False,
            record_calls=True,
            recording_notice=True,
            carrier=account.network,
            carrier_id=held.carrier_id,
            account_id=account.id,
            has_voice=held.capabilities.voice,
            has_sms=held.capabilities.sms,
            has_mms=held.capabilities.mms,
            registrations=[],
            rent_micros=choice.price.monthly.micros,
            currency=choice.price.monthly.currency,
            created_at=at,
        )
        .on_conflict_do_nothing()
        .returning(Number.id)
    )
    if inserted is None:
        raise _taken(held.e164)
    row = NumberImport(
        id=new_id("imp"),
        team_id=account.team_id,
        batch_id=batch_id,
        account_id=account.id,
        number_id=number_id,
        e164=held.e164,
        carrier_id=held.carrier_id,
        state=ImportState.RESERVED,
        by_id=by.id,
        by_label=by.label,
        created_at=at,
        updated_at=at,
    )
    session.add(row)
    await session.flush()
    return row


def _check_usable(account: CarrierAccount) -> None:
    if account.health not in {Health.WORKS, Health.UNREACHABLE}:
        finding, _ = accounts.explained(account, web_url="")
        raise problems.AccountNotUsable(
            finding.sentence, remedy=finding.remedy, health=account.health
        )


def _refusal(choice: Choice) -> Problem:
    if choice.price is None:
        return PriceMissing(
            choice.refusal, remedy="The operator can add one to the price list, as carrier “own”."
        )
    return problems.NumberTaken(
        f"{international(choice.held.e164)}: {choice.refusal}", remedy="Choose another number."
    )


def _taken(e164: E164) -> problems.NumberTaken:
    return problems.NumberTaken(
        f"{international(e164)} is held here already.",
        remedy="Whoever holds it must delete it first. Choose another number.",
        numbers=[e164],
    )


def _named(numbers: Sequence[str]) -> str:
    return ", ".join(each[:20] for each in numbers[: accounts.MAX_NAMED])
