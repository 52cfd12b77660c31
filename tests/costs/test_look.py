"""How the operator's pages look: from 390 px, in light and dark; axe finds nothing serious."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser

from offhook import costs, prices, usage
from offhook.costs import Kind, Used, rates
from offhook.costs.overview import Standing
from offhook.db import Database, now
from offhook.prices import Money, NumberType
from web_fixtures import Person, Served, context_of, new_owner, picture, serious

PATHS = (
    "/operator",
    "/operator/teams/{team}",
    "/operator/prices",
    "/operator/prices/import",
    "/operator/prices/kinds/simulator/US/local",
    "/operator/rates",
    "/operator/margin",
    "/usage/cap",
)


async def furnish(database: Database, operator: Person) -> None:
    """Three teams with use, a price and rates to come, a cap."""
    await new_owner(database, "Daily Bread")
    await new_owner(database, "A dentist with quite a long name, Paris")
    kind = {"carrier": "simulator", "country": "US", "number_type": "local"}
    async with database.system() as session:
        present = await now(session)
        await prices.add_price(
            session,
            carrier="simulator",
            country="US",
            number_type=NumberType.LOCAL,
            monthly=Money.of("2"),
            minute=(Money.of("0.0137"), Money.of("0.03")),
            message=(Money.of("0.01"), Money.of("0.0125")),
            valid_from=present + timedelta(days=3),
            by=operator.user_id,
        )
        fields = {"vendor": "openai", "model": "gpt-4.1-mini", "kind": "tokens_in", "price": "0.4"}
        await rates.add(session, rates.read(fields, zone="UTC", present=present), by="usr_x")
        later = fields | {"price": "0.35", "valid_from": f"{present + timedelta(days=9):%Y-%m-%d}"}
        await rates.add(session, rates.read(later, zone="UTC", present=present), by="usr_x")
    async with database.team(operator.team_id) as session:
        await usage.open_meter(session, operator.team_id, number_id="num_1", **kind)
        await costs.record(
            session,
            operator.team_id,
            conversation_id="conv_1",
            number_id="num_1",
            used=[
                Used(Kind.TOKENS_IN, "openai", "gpt-4.1-mini", 48_210),
                Used(Kind.TOKENS_OUT, "openai", "gpt-4.1-mini", 1_204),
                Used(Kind.LISTENED_MS, "offline", "built in", 81_400),
            ],
        )
        await costs.record_carrier(
            session,
            operator.team_id,
            carrier_id="CA1",
            number_id="num_1",
            money=Money.of("0.0085"),
            at=datetime.now(UTC),
            conversation_id="conv_1",
        )
        await usage.set_cap(session, operator.team_id, usage.read_cap("25"), by="usr_x")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
async def test_the_operators_pages_fit_and_are_accessible(
    browser: Browser, served: Served, operator: Person, width: int, scheme: str
) -> None:
    async def standing(*_: object) -> Standing:
        return Standing("Trial", "on")

    costs.standings_from(standing)
    await furnish(served.site.database, operator)
    context = await context_of(browser, served, operator, width)
    page = await context.new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    for template in PATHS:
        path = template.format(team=operator.team_id)
        await page.goto(path)
        await page.wait_for_load_state("load")
        if "kinds" in path:
            await page.get_by_role("button", name="Preview on last month").click()
            await page.get_by_text("Would have cost").first.wait_for()
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{path} is wider than {width} px"
        name = template.strip("/").replace("/", "-").replace("{team}", "team")
        await picture(page, f"{name}-{width}-{scheme}")
        assert await serious(page) == [], path
    await context.close()
    assert errors == []
