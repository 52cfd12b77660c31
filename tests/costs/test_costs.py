"""What conversations cost: exact sums, one rate for each time, and who sees them (UC8, UP5)."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import hypothesis.strategies as st
import pytest
from httpx import AsyncClient
from hypothesis import given

from offhook import costs, usage
from offhook.costs import Kind, Used, rates, reading, rules
from offhook.db import Database
from offhook.prices import Money
from web_fixtures import Person, Site, new_owner

NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
MODEL = ("openai", "gpt-4.1-mini")


class Clock(Protocol):
    instant: datetime

    def advance(self, **amount: float) -> datetime: ...


def rate(price: str, kind: Kind = Kind.TOKENS_IN, at: datetime = NOON) -> rules.Rate:
    return rules.Rate("rate_1", *MODEL, kind, Money.of(price), at)


# --- Rules ---


@pytest.mark.parametrize(
    ("kind", "price", "amount", "cost"),
    [
        (Kind.TOKENS_IN, "0.40", 1_000_000, 400_000),
        (Kind.TOKENS_IN, "0.40", 1, 0),
        (Kind.TOKENS_IN, "0.40", 2, 1),
        (Kind.LISTENED_MS, "0.006", 90_000, 9_000),
        (Kind.SPOKEN_CHARACTERS, "15", 200, 3_000),
        (Kind.REPLIES, "0.01", 3, 30_000),
    ],
)
def test_a_cost_is_rounded_to_a_millionth(kind: Kind, price: str, amount: int, cost: int) -> None:
    assert rate(price, kind).cost(amount) == Money(cost)


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 1000))))
def test_uses_are_added_and_none_is_lost(used: list[tuple[Kind, int]]) -> None:
    found = rules.added(Used(kind, *MODEL, amount) for kind, amount in used)
    assert len({each.kind for each in found}) == len(found)
    assert sum(each.amount for each in found) == sum(amount for _, amount in used)
    assert all(each.amount for each in found)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("vendor", "", "vendor's name"),
        ("model", "x" * 121, "model's name"),
        ("kind", "calls", "no kind of use"),
        ("price", "-1", "negative"),
        ("valid_from", "2026-05-14T11:59Z", "has passed"),
        ("valid_from", "soon", "no time"),
    ],
)
def test_what_a_rate_cannot_be(field: str, value: str, said: str) -> None:
    fields = {"vendor": "openai", "model": "m", "kind": "tokens_in", "price": "0.4", field: value}
    with pytest.raises(rates.RateInvalid, match=said) as refused:
        rates.read(fields, zone="UTC", present=NOON)
    assert [fault["field"] for fault in refused.value.details["errors"]] == [field]


# --- Recorded ---


async def set_rate(database: Database, price: str, kind: Kind, at: datetime) -> rules.Rate:
    async with database.system() as session:
        return await rates.add(session, rate(price, kind, at), by="usr_op")


async def use(database: Database, person: Person, *used: Used, thread: str = "conv_1") -> None:
    async with database.team(person.team_id) as session:
        await costs.record(
            session, person.team_id, conversation_id=thread, number_id="num_1", used=used
        )


async def test_a_thread_keeps_the_rate_of_each_reply_and_its_months_add_up(
    clocked: Database, clock: Clock
) -> None:
    ada = await new_owner(clocked)
    tokens = Used(Kind.TOKENS_IN, *MODEL, 1_000_000)
    await use(clocked, ada, tokens, Used(Kind.REPLIES, "offline", "answerer", 1))  # no rate yet
    await set_rate(clocked, "0.40", Kind.TOKENS_IN, NOON)
    clock.advance(days=1)
    await use(clocked, ada, tokens, tokens)
    later = await set_rate(clocked, "0.80", Kind.TOKENS_IN, NOON + timedelta(days=30))
    clock.advance(days=31)  # in June, by the new rate
    await use(clocked, ada, tokens)
    async with clocked.team(ada.team_id) as session:
        found = await costs.of_conversation(session, ada.team_id, "conv_1")
    assert found.total == Money.of("1.60")
    assert [(c.vendor, c.money.amount, c.is_rated) for c in found.lines if not c.is_rated] == [
        ("openai", "0.00", False)
    ]
    async with clocked.system() as session:
        with pytest.raises(rates.RateStands):
            await rates.withdraw(session, later.id, by="usr_op")
        assert await rates.unrated(session, NOON - timedelta(days=9)) == [(*MODEL, Kind.TOKENS_IN)]
        may, june = [await costs.months(session, name) for name in ("2026-05", "2026-06")]
    assert [m.vendors.amount for m in (*may, *june)] == ["0.80", "0.80"]


async def test_what_a_carrier_charged_counts_once_with_its_newest_price(
    clocked: Database,
) -> None:
    ada, other = await new_owner(clocked), await new_owner(clocked, "Other")
    for price in ("0", "0.0085", "0.0085"):
        async with clocked.team(ada.team_id) as session:
            await costs.record_carrier(
                session,
                ada.team_id,
                carrier_id="CA1",
                number_id="num_1",
                money=Money.of(price),
                at=NOON,
                conversation_id="conv_1",
            )
    async with clocked.system() as session:
        [mine, theirs] = await costs.months(session)
        assert (mine.team_id, theirs.team_id) == (ada.team_id, other.team_id)
        assert (mine.carriers.amount, theirs.carriers.amount) == ("0.0085", "0.00")
        assert (mine.margin.amount, mine.percent) == ("-0.0085", None)
    async with clocked.team(other.team_id) as session:
        hidden = await costs.of_conversation(session, other.team_id, "conv_1")
    assert hidden.lines == ()


async def test_the_margin_is_charges_and_rents_less_both_costs(
    clocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.usage.rules.FREE_MINUTES", 0)
    monkeypatch.setattr(reading, "_rents", [])
    ada = await new_owner(clocked)

    async def rents(*_: object) -> list[Money]:
        return [Money.of("2.00"), Money.of("3.00")]

    reading.rents_from(rents)
    async with clocked.team(ada.team_id) as session:
        kind = {"carrier": "simulator", "country": "US", "number_type": "local"}
        await usage.open_meter(session, ada.team_id, number_id="num_1", **kind)
        await usage.reserve_minute(session, ada.team_id, number_id="num_1", call_id="c", index=0)
        await usage.settle_call(session, ada.team_id, call_id="c", seconds=40)
    await set_rate(clocked, "0.006", Kind.LISTENED_MS, NOON)
    await use(clocked, ada, Used(Kind.LISTENED_MS, *MODEL, 60_000))
    async with clocked.system() as session:
        [month] = await costs.months(session)
    assert (month.charges.amount, month.rents.amount) == ("0.02", "5.00")
    assert (month.cost.amount, month.margin.amount, month.percent) == ("0.006", "5.014", 100)


# --- Seen ---


async def test_cost_lines_are_for_operators_and_for_admins_where_billing_is_off(
    site: Site, client: AsyncClient, owner: Person, operator: Person
) -> None:
    """What a vendor charges would show the margin beside the price."""
    for person in (owner, operator):
        await use(site.database, person, Used(Kind.REPLIES, "offline", "answerer", 2))
    page, rest = "/costs/conv_1/lines", "/api/v1/costs/conv_1"
    assert (await client.get(page)).text == ""
    assert (await client.get(rest)).status_code == 403
    async with site.client(operator) as theirs:
        assert "2 replies" in (await theirs.get(page)).text
        assert (await theirs.get(rest)).json()["lines"][0]["used"] == "2 replies"
    site.app.state.settings = site.app.state.settings.model_copy(update={"billing": False})
    assert "2 replies" in (await client.get(page)).text


async def test_the_operators_pages_and_rest(
    site: Site, client: AsyncClient, owner: Person, operator: Person
) -> None:
    await use(site.database, owner, Used(Kind.TOKENS_IN, *MODEL, 5))
    for path in ("/operator", "/operator/margin", "/operator/rates", "/operator/teams/x"):
        assert (await client.get(path)).status_code == 403
    async with site.client(operator) as theirs:
        overview = (await theirs.get("/operator")).text
        assert "No rate is set for openai gpt-4.1-mini" in overview
        assert f"/operator/teams/{owner.team_id}" in overview
        fields = {"vendor": "openai", "model": "gpt-4.1-mini", "kind": "tokens_in", "price": "0.4"}
        made = await theirs.post("/operator/rates", data=fields)
        assert (made.status_code, made.headers["location"]) == (303, "/operator/rates")
        assert operator.email in (await theirs.get("/operator/rates")).text
        made = await theirs.post("/api/v1/operator/rates", json=fields | {"kind": "tokens_out"})
        assert (made.status_code, made.json()["per"]) == (201, 1_000_000)
        gone = await theirs.post(f"/api/v1/operator/rates/{made.json()['id']}/withdraw")
        assert (gone.status_code, gone.json()["code"]) == (409, "rate_in_force")
        listed = (await theirs.get("/api/v1/operator/rates")).json()["items"]
        assert len(listed) == 2
        team = f"/operator/teams/{owner.team_id}"
        saved = await theirs.post(f"{team}/cap", data={"amount": "50"})
        assert saved.status_code == 303
        assert "$50.00" in (await theirs.get(team)).text
        assert (await theirs.get("/operator/teams/team_none")).status_code == 404
        assert "Daily Bread" in (await theirs.get("/operator/margin")).text
        assert "No team had this month" in (await theirs.get("/operator/margin?month=x")).text
        listed = (await theirs.get("/api/v1/operator/teams")).json()["items"]
        assert {(t["name"], t["owner"]) for t in listed} >= {("Daily Bread", owner.email)}
        margin = (await theirs.get("/api/v1/operator/margin")).json()["items"]
        assert {each["team_name"] for each in margin} == {"Daily Bread", "Operations"}
