"""Tax and the two parties of an invoice, as tables and on a real database."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from invoice_desk import audit, close, invoices, price_list, use, utc
from usage_desk import Clock, hire

from offhook.billing import parties, taxes, totals
from offhook.billing.parties import Details, DetailsInvalid, RateIn, SellerDetails
from offhook.billing.taxes import CountryRate, Party, TaxInvalid
from offhook.billing.totals import TaxRate
from offhook.db import Database
from offhook.prices import Money

GERMAN, FRENCH = TaxRate("VAT", 19_000), TaxRate("TVA", 20_000)
RATES = [CountryRate("DE", GERMAN), CountryRate("FR", FRENCH)]


@pytest.mark.parametrize(
    ("seller", "country", "tax_id", "rate", "reverse"),
    [
        ("DE", "DE", "", GERMAN, False),
        ("DE", "DE", "DE136695976", GERMAN, False),  # at home the number changes nothing
        ("DE", "FR", "", FRENCH, False),
        ("DE", "FR", "FR40303265045", None, True),
        ("US", "FR", "FR40303265045", FRENCH, False),  # the seller is not in the EU
        ("DE", "US", "12-345", None, False),
        ("DE", "GB", "GB980780684", None, False),
        ("DE", "AT", "", None, False),
    ],
)
def test_the_rate_is_that_of_the_buyers_country_unless_he_owes_it_himself(
    seller: str, country: str, tax_id: str, rate: TaxRate | None, reverse: bool
) -> None:
    decision = taxes.decide(Party(seller, ""), Party(country, tax_id), RATES)
    assert (decision.rate, bool(decision.note)) == (rate, reverse)


@pytest.mark.parametrize(
    ("text", "country", "kept"),
    [
        ("", "DE", ""),
        ("DE136695976", "DE", "DE136695976"),
        (" 136 695 976 ", "DE", "DE136695976"),
        ("094259216", "GR", "EL094259216"),
        ("12-345 6", "US", "12-345 6"),
        ("DE136695975", "DE", None),  # its check digit is wrong
        ("FR40303265045", "DE", None),
        ("none", "AT", None),
    ],
)
def test_a_vat_number_of_the_eu_is_checked(text: str, country: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(TaxInvalid):
            taxes.clean_tax_id(text, country)
    else:
        assert taxes.clean_tax_id(text, country) == kept


@pytest.mark.parametrize(
    ("text", "value"),
    [("19", 19_000), ("8.875", 8875), ("5,5 %", 5500), ("0", 0), ("100", 100_000)],
)
def test_a_percentage_is_exact(text: str, value: int) -> None:
    assert taxes.thousandths(text) == value
    assert taxes.thousandths(TaxRate("", value).percent) == value


@pytest.mark.parametrize("text", ["", "x", "-1", "101", "8.8755", "1e1", "１９"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(TaxInvalid):
        taxes.thousandths(text)


def least(currency: str) -> Money:
    return Money.of("0.50", currency)


cents = st.integers(-(10**7), 10**7).map(lambda n: Money(n * 10_000))


@given(
    st.lists(cents, max_size=8),
    st.one_of(st.none(), st.builds(TaxRate, st.just("VAT"), st.integers(0, 100_000))),
    cents,
)
def test_nothing_is_lost_between_lines_tax_and_balance_uc8(
    amounts: list[Money], tax: TaxRate | None, balance: Money
) -> None:
    made = totals.sums(amounts, tax, balance, least)
    assert made.net == sum(amounts, Money(0))
    assert made.total + made.balance_before == made.due + made.balance_after
    assert made.tax == made.tax.rounded()
    assert made.due == Money(0) or made.due >= Money.of("0.50")
    # A credit is never charged, and a debt that a card can be charged is never carried.
    assert made.balance_after < Money.of("0.50")


def test_tax_is_rounded_half_even_once_per_rate() -> None:
    lines = [Money.of("0.13"), Money.of("0.12")]  # 19 % of 0.25 is 0.0475; by line 0.02 + 0.02
    one = TaxRate("", 1000)
    for amounts, rate, tax in [
        (lines, GERMAN, "0.05"),
        ([Money.of("0.50")], one, "0.00"),  # 0.005
        ([Money.of("1.50")], one, "0.02"),  # 0.015
    ]:
        assert totals.sums(amounts, rate, Money(0), least).tax == Money.of(tax)


def test_amounts_of_two_currencies_are_refused() -> None:
    with pytest.raises(totals.CurrenciesDiffer):
        totals.sums([Money.of("1", "EUR"), Money.of("1", "USD")], None, Money(0), least)
    made = totals.sums([Money.of("1", "EUR"), Money(0, "USD")], None, Money(0), least)
    assert made.total == Money.of("1", "EUR")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Details(name=" "), "name"),
        (Details(name="x" * 121), "name"),
        (Details(name="A", country="XX"), "country"),
        (Details(name="A", email="nobody"), "email"),
        (Details(name="A", address="\n".join("abcdefg")), "address"),
        (Details(name="A\u2028B\u0007"), "name"),
        (Details(name="A", country="DE", tax_id="7"), "tax_id"),
        (SellerDetails(name="A", prefix="a b"), "prefix"),
        (SellerDetails(name="A", rates=[RateIn(country="DE", percent="x")]), "rates"),
        (SellerDetails(name="A", rates=[RateIn(country="DE", percent="1")] * 2), "rates"),
    ],
)
async def test_details_that_cannot_stand_on_an_invoice_are_refused_with_their_field(
    database: Database, team: str, given: Details, field: str
) -> None:
    with pytest.raises((DetailsInvalid, TaxInvalid)) as refused:
        async with database.team(team) as session:
            if isinstance(given, SellerDetails):
                await parties.change_seller(session, given)
            else:
                await parties.change_buyer(session, team, given)
    assert refused.value.details["errors"][0]["field"] == field


async def test_an_invoice_keeps_both_parties_and_the_tax_as_they_were(
    clocked: Database, clock: Clock
) -> None:
    clock.instant = utc("2026-01-10")
    desk = await hire(clocked)
    await price_list(clocked, minute="0.02", message="0.01")
    seller = SellerDetails(
        name="Offhook GmbH",
        address=" Hauptstraße 1 \n\n 10115  Berlin",
        country="DE",
        tax_id="136695976",
        prefix="oh-26",
        rates=[RateIn(country="DE", percent="19")],
    )
    async with clocked.system() as session:
        assert (
            await parties.change_seller(session, seller)
        ).address == "Hauptstraße 1\n10115 Berlin"
    async with clocked.team(desk.team) as session:
        first = await parties.buyer(session, desk.team)
        assert (first.name, first.country) == ("Daily Bread", "US")
        await parties.change_buyer(
            session, desk.team, Details(name="Bäckerei Łódź, 東京", country="DE")
        )
    await use(desk, await desk.number("num_a"), minutes=100, tag="january")
    clock.instant = utc("2026-02-04")
    await close(desk)
    async with clocked.system() as session:
        await parties.change_seller(session, SellerDetails(name="Another"))
    [invoice] = await invoices(desk)
    assert (invoice.number, invoice.seller["name"]) == ("OH-26-000001", "Offhook GmbH")
    assert invoice.seller["tax_id"] == "DE136695976"
    assert (invoice.buyer["name"], invoice.buyer["country_name"]) == (
        "Bäckerei Łódź, 東京",
        "Germany",
    )
    assert invoice.tax["label"] == "VAT 19 %"
    assert [invoice.net, invoice.tax_money, invoice.due] == [
        Money.of(each) for each in ("0.80", "0.15", "0.95")
    ]
    assert await audit(desk) == []
