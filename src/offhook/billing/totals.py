"""An invoice's sums (U10, UC8): lines, tax, what is carried from month to month, what is due. Pure.

A line is rounded once, tax once per rate; nothing else is rounded. What a month leaves over is
the next one's balance: a credit always, and a debt too small for a card to be charged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from offhook.errors import Conflict
from offhook.prices import Money


class LineKind(StrEnum):
    """As the ledger's lines (usage.closing.LineKind), rents, and second legs of transfers."""

    USAGE = "usage"
    LATE = "late"
    EXPIRED = "expired"
    CREDIT = "credit"
    RENT = "rent"
    TRANSFER = "transfer"


class InvoiceState(StrEnum):
    OPEN = "open"  # to be charged
    PAID = "paid"
    SETTLED = "settled"  # nothing was due: free, a credit, or carried to the next invoice


class CurrenciesDiffer(Conflict):
    """One invoice has one currency: no rate is ever guessed."""

    code = "currencies_differ"


@dataclass(frozen=True, slots=True)
class TaxRate:
    """`thousandths` of a percent: 19 % is 19000, 8.875 % is 8875."""

    label: str
    thousandths: int

    @property
    def percent(self) -> str:
        whole = f"{self.thousandths / 1000:.3f}".rstrip("0").rstrip(".")
        return f"{whole} %"

    def of(self, net: Money) -> Money:
        """The tax on `net`, rounded here and nowhere else."""
        return net.share(self.thousandths, 100_000).rounded()


@dataclass(frozen=True, slots=True)
class Sums:
    net: Money
    tax: Money
    balance_before: Money
    due: Money
    balance_after: Money

    @property
    def total(self) -> Money:
        return self.net + self.tax


def sums(
    amounts: Sequence[Money],
    tax: TaxRate | None,
    balance: Money,
    least: Callable[[str], Money],
) -> Sums:
    """What an invoice of these lines comes to, after a `balance` of the one before.

    `balance` is negative for a credit; `least` tells what a card is charged at least. Raises
    CurrenciesDiffer.
    """
    currencies = sorted({each.currency for each in [*amounts, balance] if each})
    if len(currencies) > 1:
        raise CurrenciesDiffer(
            f"One invoice cannot have amounts in {' and '.join(currencies)}.",
            remedy="Prices of one installation are in one currency.",
        )
    free_of_charge = amounts[0].currency if amounts else balance.currency
    net = Money(
        sum(each.micros for each in amounts), currencies[0] if currencies else free_of_charge
    )
    taxes = tax.of(net) if tax else Money(0, net.currency)
    before = Money(balance.micros, net.currency)
    owed = net + taxes + before
    nothing = Money(0, net.currency)
    due = owed if owed >= least(net.currency) and owed >= nothing else nothing
    return Sums(net, taxes, before, due, owed - due)


def describe(kind: LineKind, service: str | None, direction: str | None, month: date) -> str:
    """What a line is, in a few words."""
    named = f"{month:%B %Y}"
    if kind is LineKind.RENT:
        return f"Rent, {named}"
    if kind is LineKind.TRANSFER:
        return "Minutes of calls put through"
    unit = "minutes" if service == "calls" else "messages"
    what = f"{'Incoming' if direction == 'inbound' else 'Outgoing'} {unit}"
    return {
        LineKind.USAGE: what,
        LineKind.LATE: f"{what}, late usage, {named}",
        LineKind.EXPIRED: f"{what}, late usage, {named}, too late to be charged",
        LineKind.CREDIT: f"{what}, credit for {named}",
    }[kind]
