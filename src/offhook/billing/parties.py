"""Who sells and who buys: the operator's details and rates, a team's billing details.

An invoice keeps both as they were when it was made. Each function works in the caller's
transaction.
"""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook.billing import taxes
from offhook.billing.models import Buyer, Seller
from offhook.billing.taxes import CountryRate, Decision, Party, TaxInvalid
from offhook.billing.totals import TaxRate
from offhook.db import Session, new_id
from offhook.errors import Invalid
from offhook.teams import Team
from offhook.web import countries, country_name

ONLY = 1  # the only row of the seller
MAX_NAME, MAX_ADDRESS, MAX_LINES = 120, 400, 6
PREFIX = re.compile(r"[A-Z0-9][A-Z0-9-]{0,11}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


class DetailsInvalid(Invalid):
    code = "billing_details_invalid"


class RateIn(BaseModel):
    """The tax rate of customers in one country, such as 19 (percent) labelled VAT."""

    model_config = ConfigDict(extra="forbid")
    country: str
    label: str = "VAT"
    percent: str


class Details(BaseModel):
    """Name, address in lines, country (ISO 3166), tax number, mail: of the operator or a team."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
    name: str = ""
    address: str = ""
    country: str = "US"
    tax_id: str = ""
    email: str = ""

    def snapshot(self) -> dict[str, Any]:
        """As an invoice keeps it."""
        kept = self.model_dump(exclude={"rates", "prefix"})
        return {**kept, "country_name": country_name(self.country)}


class SellerDetails(Details):
    """The operator's details; `prefix` begins the numbers of invoices, `footer` ends each one."""

    footer: str = ""
    prefix: str = "INV"
    rates: list[RateIn] = []


async def seller(session: Session) -> SellerDetails:
    """The operator's details; empty ones until they were given."""
    row = await session.get(Seller, ONLY)
    if row is None:
        return SellerDetails()
    return SellerDetails(
        name=row.name,
        address=row.address,
        country=row.country,
        tax_id=row.tax_id,
        email=row.email,
        footer=row.footer,
        prefix=row.prefix,
        rates=[
            RateIn(
                country=each["country"],
                label=each["label"],
                percent=TaxRate("", each["thousandths"]).percent.removesuffix(" %"),
            )
            for each in row.rates
        ],
    )


async def change_seller(session: Session, given: SellerDetails) -> SellerDetails:
    """Keep the operator's details, for invoices from now on. Raises DetailsInvalid, TaxInvalid."""
    values = {
        **_clean(given),
        "footer": _text("footer", given.footer, MAX_ADDRESS),
        "prefix": _prefix(given.prefix),
        "rates": _rates(given.rates),
    }
    made = insert(Seller).values(id=ONLY, **values)
    await session.execute(made.on_conflict_do_update(index_elements=["id"], set_=values))
    return await seller(session)


async def change_rates(session: Session, given: Sequence[RateIn]) -> None:
    """Keep the operator's tax rates, for invoices from now on. Raises DetailsInvalid."""
    values = {"rates": _rates(given)}
    made = insert(Seller).values(id=ONLY, **SellerDetails().model_dump(exclude={"rates"}), **values)
    await session.execute(made.on_conflict_do_update(index_elements=["id"], set_=values))


async def buyer(session: Session, team_id: str) -> Details:
    """The team's billing details; its name and country where it has given none."""
    row = await session.scalar(select(Buyer).where(Buyer.team_id == team_id))
    if row is not None:
        return Details.model_validate(row)
    team = await session.get_one(Team, team_id)
    return Details(name=team.name, country=team.country)


async def change_buyer(session: Session, team_id: str, given: Details) -> Details:
    """Keep the team's details, for invoices from now on. Raises DetailsInvalid, TaxInvalid."""
    values = _clean(given)
    made = insert(Buyer).values(id=new_id("buy"), team_id=team_id, **values)
    await session.execute(made.on_conflict_do_update(index_elements=["team_id"], set_=values))
    return await buyer(session, team_id)


def decide(seller: SellerDetails, buyer: Details) -> Decision:
    """The tax on what the operator sells to this team."""
    rates = [
        CountryRate(each.country, TaxRate(each.label, taxes.thousandths(each.percent)))
        for each in seller.rates
    ]
    return taxes.decide(
        Party(seller.country, seller.tax_id), Party(buyer.country, buyer.tax_id), rates
    )


def _clean(given: Details) -> dict[str, Any]:
    country = given.country.strip().upper()
    if country not in dict(countries()):
        raise _invalid("country", f"“{given.country[:20]}” is not a country.")
    name = _text("name", given.name, MAX_NAME)
    if not name:
        raise _invalid("name", "A name is needed.")
    email = given.email.strip()
    if email and not EMAIL.fullmatch(email):
        raise _invalid("email", f"“{email[:60]}” is not a mail address.")
    return {
        "name": name,
        "address": _address(given.address),
        "country": country,
        "tax_id": taxes.clean_tax_id(given.tax_id, country),
        "email": email,
    }


def _address(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    kept = [line for line in lines if line]
    if len(kept) > MAX_LINES:
        raise _invalid("address", f"An address has at most {MAX_LINES} lines.")
    for line in kept:
        _text("address", line, MAX_ADDRESS)
    return _text("address", "\n".join(kept), MAX_ADDRESS, breaks=True)


def _text(field: str, text: str, longest: int, *, breaks: bool = False) -> str:
    kept = text.strip() if breaks else " ".join(text.split())
    if len(kept) > longest:
        raise _invalid(field, f"This is longer than {longest} characters.")
    if not kept.replace("\n", "").isprintable():
        raise _invalid(field, "This has characters that cannot be shown.")
    return kept


def _prefix(text: str) -> str:
    kept = text.strip().upper()
    if not PREFIX.fullmatch(kept):
        raise _invalid("prefix", f"“{text[:20]}” is not 1 to 12 letters, digits or dashes.")
    return kept


def _rates(given: Sequence[RateIn]) -> list[dict[str, Any]]:
    known = dict(countries())
    kept: list[dict[str, Any]] = []
    for each in given:
        country = each.country.strip().upper()
        if country not in known:
            raise _invalid("rates", f"“{each.country[:20]}” is not a country.")
        if any(one["country"] == country for one in kept):
            raise _invalid("rates", f"{known[country]} has two rates.")
        label = _text("rates", each.label, 30)
        if not label:
            raise _invalid("rates", f"The rate of {known[country]} needs a name, such as VAT.")
        try:
            rate = taxes.thousandths(each.percent)
        except TaxInvalid as problem:
            raise _invalid("rates", f"{known[country]}: {problem.sentence}") from None
        kept.append({"country": country, "label": label, "thousandths": rate})
    return kept


def _invalid(field: str, sentence: str) -> DetailsInvalid:
    return DetailsInvalid(sentence, errors=[{"field": field, "sentence": sentence}])
