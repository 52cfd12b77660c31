"""Money is exact; a line is rounded once, half to even (UC8)."""

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from offhook.prices import Money


@pytest.mark.parametrize(
    ("micros", "rounded"),
    [
        (4_999, 0),
        (5_000, 0),
        (5_001, 10_000),
        (15_000, 20_000),
        (25_000, 20_000),
        (-5_000, 0),
        (-15_000, -20_000),
    ],
)
def test_a_half_cent_goes_to_the_even_cent(micros: int, rounded: int) -> None:
    assert Money(micros).rounded() == Money(rounded)


@pytest.mark.parametrize(
    ("text", "shown"), [("4.8", "4.80"), ("10", "10.00"), ("0.0137", "0.0137"), ("-3", "-3.00")]
)
def test_an_amount_shows_at_least_the_cents(text: str, shown: str) -> None:
    assert Money.of(text).amount == shown


def test_a_currency_without_cents_is_rounded_to_whole_units() -> None:
    assert Money.of("1200.5", "JPY").rounded().amount == "1200"


def test_finer_than_a_millionth_is_refused() -> None:
    with pytest.raises(ValueError, match="six digits"):
        Money.of("0.0000001")


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(ValueError, match="different currencies"):
        _ = Money(1, "USD") + Money(1, "EUR")


@given(st.integers(-(10**12), 10**12))
def test_rounding_is_pythons_own_half_even(micros: int) -> None:
    exact = Decimal(micros) / 1_000_000
    assert Decimal(Money(micros).rounded().amount) == round(exact, 2)


@given(st.integers(0, 10**9), st.integers(1, 31))
def test_the_shares_of_a_month_add_up_to_a_micro_each(micros: int, days: int) -> None:
    shares = [Money(micros).share(1, days) for _ in range(days)]
    assert abs(sum(share.micros for share in shares) - micros) <= days
