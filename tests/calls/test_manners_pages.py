"""A number's manners over REST and on its page (SEC7: another team finds nothing)."""

import httpx

from number_fixtures import make_number
from offhook.calls.manners.models import CallManners
from web_fixtures import Person, Site, new_owner

HOURS = {
    "mon": [{"opens": "09:00", "closes": "17:00"}],
    "special": [{"first": "2026-12-24", "last": "2026-12-26"}],
}


async def test_manners_over_rest(site: Site, owner: Person) -> None:
    number_id = await make_number(site.database, owner.team_id)
    api = site.program(await site.key(owner))
    path = f"/api/v1/numbers/{number_id}/call-manners"
    unset = (await api.get(path)).json()
    assert (unset["hours"], unset["caller_lines"], unset["refuse_hidden"]) == (None, 2, None)
    changed = await api.patch(path, json={"hours": HOURS, "when_closed": "message"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["hours"]["special"][0]["last"] == "2026-12-26"
    more = (await api.patch(path, json={"number_lines": 4, "refuse_hidden": False})).json()
    assert (more["number_lines"], more["refuse_hidden"], more["when_closed"]) == (
        4, False, "message",
    )  # fmt: skip
    assert (await api.get(path)).json() == more
    assert (await api.patch(path, json={"hours": None})).json()["hours"] is None
    activity = (await api.get(f"/api/v1/numbers/{number_id}/activity")).json()["items"]
    assert activity[0]["after"] == {"hours": "always open"}

    for wrong in (
        {"caller_lines": 0}, {"caller_lines": None}, {"number_lines": 1_001}, {"hurry": True},
        {"hours": {"mon": [{"opens": "09:00", "closes": "12:00"}] * 7}},
        {"when_closed": "forward", "hours": HOURS}, {"fallback_target_id": "ttg_none"},
        {"closed_sentence": "x" * 401},
    ):  # fmt: skip
        refused = await api.patch(path, json=wrong)
        assert refused.status_code == 422, wrong

    stranger = site.program(await site.key(await new_owner(site.database, "Others")))
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.patch(path, json={"says_ai": True})).status_code == 404


async def test_manners_on_the_page(site: Site, owner: Person, client: httpx.AsyncClient) -> None:
    number_id = await make_number(site.database, owner.team_id)
    at = f"/numbers/{number_id}"
    for slug, says in (
        ("calls", "AI assistant"), ("hours", "Answer during these hours only"),
        ("screening", "Nobody is blocked"), ("check", "Check now"),
    ):  # fmt: skip
        page = await client.get(f"{at}/{slug}")
        assert page.status_code == 200
        assert says in page.text

    form = {
        "limited": "true", "mon": "9-12, 14:00-18:00", "special": "2026-12-24 to 2026-12-26 closed",
        "when_closed": "say", "closed_sentence": " We open  at nine. ",
    }  # fmt: skip
    saved = await client.post(f"{at}/hours", data=form)
    assert saved.status_code in {200, 303}, saved.text
    page = await client.get(f"{at}/hours")
    for kept in ("09:00–12:00, 14:00–18:00", "2026-12-24 to 2026-12-26 closed", "We open at nine."):
        assert kept in page.text
    wrong = await client.post(f"{at}/hours", data=form | {"mon": "whenever"})
    assert wrong.status_code == 422

    await client.post("/contacts/blocked", data={"number": "+14155550123"})
    screen = {"hidden": "refuse", "refuse_failed": "true", "max_calls_an_hour": "6",
              "caller_lines": "1", "number_lines": ""}  # fmt: skip
    assert (await client.post(f"{at}/screening", data=screen)).status_code in {200, 303}
    assert "+14155550123" in (await client.get(f"{at}/screening")).text
    assert (await client.post(f"{at}/screening", data=screen | {"caller_lines": "many"})).is_error
    await client.post(f"{at}/opening-words", data={"says_ai": "true"})
    async with site.database.team(owner.team_id) as session:
        row = await session.get(CallManners, number_id)
    assert row is not None
    assert (row.refuse_hidden, row.refuse_failed, row.max_calls_an_hour) == (True, True, 6)
    assert (row.caller_lines, row.number_lines, row.says_ai) == (1, None, True)
    desk = {"name": "Night desk", "number": "+12025550177"}
    target = (await client.post("/api/v1/transfer-targets", json=desk)).json()["id"]
    forward = form | {"when_closed": "forward", "fallback_target_id": target}
    assert (await client.post(f"{at}/hours", data=forward)).status_code in {200, 303}
    activity = (await client.get(f"{at}/activity")).text
    assert "Says that an AI speaks" in activity
    assert "Outside the hours" in activity
    assert "Forward to a person" in activity
    assert "Night desk" in activity
    assert target not in activity
