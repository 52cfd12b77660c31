"""A number's manners by text on its page and over REST: bounds, refusals at their field, teams."""

from typing import Any

import httpx

from number_fixtures import make_number
from web_fixtures import Person, Site, new_owner

DEFAULTS: dict[str, Any] = {
    "settle_ms": None,
    "replies_per_hour": 10,
    "replies_per_day": 30,
    "new_senders_per_hour": 100,
    "countries": [],
    "stops_loops": True,
}
FORM = {
    "settle_s": "2,5",
    "replies_per_hour": "20",
    "replies_per_day": "60",
    "new_senders_per_hour": "50",
    "countries": "us ca, mx",
    "stops_loops": "true",
}


async def test_the_manners_are_shown_changed_and_refused_at_their_field(
    site: Site, owner: Person
) -> None:
    """S3, SEC11, SEC7"""
    number = await make_number(site.database, owner.team_id)
    path, rest = f"/numbers/{number}/texting", f"/api/v1/numbers/{number}/texting"
    async with site.client(owner) as page, site.program(await site.key(owner)) as program:
        assert (await program.get(rest)).json() == DEFAULTS
        assert (await page.post(path, data=FORM)).status_code in {200, 204, 303}
        changed = {"settle_ms": 2_500, "replies_per_hour": 20, "replies_per_day": 60}
        changed |= {"new_senders_per_hour": 50, "countries": ["CA", "MX", "US"]}
        assert (await program.get(rest)).json() == DEFAULTS | changed
        shown = (await page.get(f"/fragments/texting/{number}")).text
        assert 'value="2.5"' in shown
        assert "CA, MX, US" in shown
        for field, wrong in (
            ("settle_s", "21"),
            ("settle_s", "soon"),
            ("settle_s", "nan"),
            ("replies_per_hour", "0"),
            ("replies_per_day", "1e3"),
            ("new_senders_per_hour", ""),
            ("countries", "US, Canada"),
        ):
            refused = await page.post(path, data=FORM | {field: wrong})
            assert refused.status_code == 422, (field, wrong)
        await everything_back(program, rest)
        for wrong in ({"settle_ms": 20_001}, {"replies_per_hour": 0}, {"countries": ["xx"]},
                      {"countries": ["XX"]}, {"unknown": 1}):  # fmt: skip
            assert (await program.put(rest, json=wrong)).status_code == 422
        assert (await program.get(rest)).json() == DEFAULTS
    other = await new_owner(site.database, "Garage")
    async with site.client(other) as page, site.program(await site.key(other)) as program:
        assert (await program.get(rest)).status_code == 404
        assert (await program.put(rest, json={})).status_code == 404
        assert (await page.get(f"/fragments/texting/{number}")).status_code == 404
        assert (await page.post(path, data=FORM)).status_code == 404


async def everything_back(program: httpx.AsyncClient, rest: str) -> None:
    """What a PUT leaves out has its default."""
    assert (await program.put(rest, json={})).json() == DEFAULTS
