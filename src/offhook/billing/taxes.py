"""Who pays which tax (operator's rates), and what a VAT number must look like. Pure.

The rate is that of the team's country; no rate there, no tax. Between two countries of the EU a
business with a VAT number owes the tax itself (reverse charge, Article 196 of Directive
2006/112/EC). Prices are net.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stdnum.eu import vat
from stdnum.exceptions import ValidationError

from offhook.billing.totals import TaxRate
from offhook.errors import Invalid

# Northern Ireland (XI) is of the EU for goods only.
EU = frozenset(code.upper().replace("EL", "GR") for code in vat.MEMBER_STATES) - {"XI"}
REVERSE_CHARGE = (
    "Reverse charge: the recipient is liable for VAT (Art. 196, Directive 2006/112/EC)."
)
MAX_PERCENT_THOUSANDTHS = 100_000
PERCENT = re.compile(r"[0-9]{1,3}([.,][0-9]{1,3})?")


class TaxInvalid(Invalid):
    code = "tax_invalid"


@dataclass(frozen=True, slots=True)
class CountryRate:
    """The operator's rate for customers of one country."""

    country: str
    rate: TaxRate


@dataclass(frozen=True, slots=True)
class Party:
    """What decides tax of the seller and of the buyer: country and tax number."""

    country: str
    tax_id: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The rate to put on, or none; `note` is the sentence that the invoice must bear."""

    rate: TaxRate | None
    note: str = ""


def decide(seller: Party, buyer: Party, rates: Sequence[CountryRate]) -> Decision:
    """The tax on what `seller` sells to `buyer`."""
    in_eu = seller.country in EU and buyer.country in EU
    if in_eu and seller.country != buyer.country and buyer.tax_id:
        return Decision(None, REVERSE_CHARGE)
    for each in rates:
        if each.country == buyer.country:
            return Decision(each.rate)
    return Decision(None)


def clean_tax_id(text: str, country: str) -> str:
    """A tax number as it is kept. In the EU it must be a VAT number of that country, with its
    prefix: it decides about tax. Elsewhere any short text. Raises TaxInvalid.
    """
    given = " ".join(text.split())
    if not given or country not in EU:
        return given
    prefix = "EL" if country == "GR" else country
    number = given if given.upper().startswith(prefix) else prefix + given
    try:
        return vat.validate(number)
    except ValidationError:
        sentence = f"“{given[:30]}” is not a VAT number of this country."
        raise TaxInvalid(
            sentence,
            remedy=f"It begins with {prefix}; leave it empty if there is none.",
            errors=[{"field": "tax_id", "sentence": sentence}],
        ) from None


def thousandths(percent: str) -> int:
    """`19`, `8.875` or `5,5` (percent) in thousandths of a percent. Raises TaxInvalid."""
    given = percent.strip().removesuffix("%").strip()
    if PERCENT.fullmatch(given):
        whole, _, fraction = given.replace(",", ".").partition(".")
        value = int(whole) * 1000 + int(fraction.ljust(3, "0"))
        if value <= MAX_PERCENT_THOUSANDTHS:
            return value
    sentence = f"“{percent[:20]}” is not a percentage."
    raise TaxInvalid(
        sentence,
        remedy="Write it as 19 or 8.875.",
        errors=[{"field": "percent", "sentence": sentence}],
    )
