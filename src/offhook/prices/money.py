"""Money: whole millionths of a currency unit, so that rate times units is exact (UC8).

Nothing is rounded before an invoice line is; a line is rounded once, half to even. Knows no
prices and no database.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Self

MICROS = 1_000_000
# Digits after the point of currencies that do not have two (ISO 4217).
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "KWD": 3, "BHD": 3, "TND": 3}
DEFAULT_CURRENCY = "USD"


def _half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` as the nearest integer, a half to the even one."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        return whole + 1
    return whole


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `micros` millionths of one unit of `currency` (ISO 4217).

    Adding or comparing two currencies raises ValueError: no rate is ever guessed.
    """

    micros: int
    currency: str = DEFAULT_CURRENCY

    @classmethod
    def of(cls, amount: str | Decimal, currency: str = DEFAULT_CURRENCY) -> Self:
        """From decimal text such as "0.0137"; ValueError beyond a millionth or if no number."""
        micros = Decimal(amount) * MICROS
        if micros != micros.to_integral_value():
            raise ValueError(f"{amount} has more than six digits after the point")
        return cls(int(micros), currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micros + self._same(other).micros, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micros - self._same(other).micros, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.micros, self.currency)

    def __mul__(self, units: int) -> "Money":
        return Money(self.micros * units, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.micros < self._same(other).micros

    def __le__(self, other: "Money") -> bool:
        return self.micros <= self._same(other).micros

    def __bool__(self) -> bool:
        return self.micros != 0

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def share(self, part: int, whole: int) -> "Money":
        """`part` of `whole` equal parts, such as the days left of a month; rounded to a micro."""
        return Money(_half_even(self.micros * part, whole), self.currency)

    def rounded(self) -> "Money":
        """To the currency's smallest coin, half to even; once per invoice line."""
        coin = MICROS // 10**self._digits
        return Money(_half_even(self.micros, coin) * coin, self.currency)

    @property
    def amount(self) -> str:
        """Decimal text with at least the currency's own digits: "4.80", "0.0137"."""
        exact = Decimal(self.micros) / MICROS
        shortest = exact.quantize(Decimal(1).scaleb(-self._digits), ROUND_HALF_EVEN)
        return f"{shortest if shortest == exact else exact.normalize():f}"

    @property
    def _digits(self) -> int:
        return MINOR_DIGITS.get(self.currency, 2)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self} and {other} are of different currencies")
        return other
