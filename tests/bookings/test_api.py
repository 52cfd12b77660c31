"""Bookings over REST: a calendar, its slots, an appointment's life, and who may do what."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from offhook.teams.models import Role
from web_fixtures import Person, Site, new_member, new_owner

CALENDARS = "/api/v1/calendars"
APPOINTMENTS = "/api/v1/appointments"


def next_monday() -> date:
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 - today.weekday())


async def calendar(client: AsyncClient, **given: Any) -> dict[str, Any]:
    body = {"name": "The chair", "zone": "Europe/Paris"} | given
    answer = await client.post(CALENDARS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def slots(client: AsyncClient, calendar_id: str, day: date) -> list[str]:
    asked = {"first": f"{day}", "last": f"{day}"}
    answer = await client.get(f"{CALENDARS}/{calendar_id}/slots", params=asked)
    assert answer.status_code == 200, answer.text
    return [each["starts_at"] for each in answer.json()]


async def test_the_life_of_an_appointment(client: AsyncClient) -> None:
    made = await calendar(client)
    assert made["hours"]["mon"] == [{"opens": "09:00", "closes": "17:00"}]
    first, second, *_ = await slots(client, made["id"], next_monday())
    body = {"calendar_id": made["id"], "starts_at": first, "name": "Ann Lee", "key": "one"}
    booked = (await client.post(APPOINTMENTS, json=body)).json()
    assert (booked["state"], booked["starts_at"]) == ("booked", first)
    again = await client.post(APPOINTMENTS, json=body)
    assert again.json()["id"] == booked["id"]
    full = await client.post(APPOINTMENTS, json=body | {"key": "two", "name": "Bob"})
    assert (full.status_code, full.json()["code"]) == (409, "time_not_free")
    assert datetime.fromisoformat(second) in {
        datetime.fromisoformat(each) for each in full.json()["details"]["alternatives"]
    }
    here = f"{APPOINTMENTS}/{booked['id']}"
    moved = await client.post(f"{here}/move", json={"starts_at": second})
    assert (moved.json()["state"], moved.json()["moved_from"]) == ("moved", first)
    noted = await client.patch(here, json={"notes": "A window seat", "phone": "650 253 0000"})
    assert (noted.json()["name"], noted.json()["phone"]) == ("Ann Lee", "+16502530000")
    listed = await client.get(APPOINTMENTS, params={"calendar_id": made["id"], "state": "moved"})
    assert [each["id"] for each in listed.json()["items"]] == [booked["id"]]
    assert (await client.post(f"{here}/cancel")).json()["state"] == "cancelled"
    assert (await client.post(f"{here}/cancel")).status_code == 409
    assert first in await slots(client, made["id"], next_monday())


async def test_a_change_leaves_what_it_does_not_name(client: AsyncClient) -> None:
    special = [{"first": "2030-12-25", "last": "2030-12-26", "note": "Christmas"}]
    hours = {"mon": [{"opens": "10:00", "closes": "11:00"}], "special": special}
    made = await calendar(client, hours=hours, places=3)
    changed = await client.patch(f"{CALENDARS}/{made['id']}", json={"slot_minutes": 15})
    assert changed.json() == made | {"slot_minutes": 15}
    assert changed.json()["hours"]["special"][0]["spans"] == []
    assert len(await slots(client, made["id"], next_monday())) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"zone": "Nowhere"},
        {"slot_minutes": 10**30},
        {"places": -1},
        {"name": "\x00 "},
        {"hours": {"mon": [{"opens": "25:00", "closes": "26:00"}]}},
        {"hours": {"mon": [{"opens": "09:00", "closes": "12:00"}] * 2}},
        {"hours": {"special": [{"first": "2026-02-01", "last": "2026-01-01"}]}},
        {"openings": {}},
    ],
)
async def test_an_unusable_calendar_is_refused(client: AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post(CALENDARS, json={"name": "X"} | body)
    assert answer.status_code == 422
    assert (await client.get(CALENDARS)).json() == []


@pytest.mark.parametrize(
    "body",
    [
        {"starts_at": "2026-05-15T10:00"},
        {"starts_at": "9999-12-31T23:59:59Z"},
        {"starts_at": "0001-01-01T00:00:00+14:00"},
        {"party_size": 0},
        {"phone": "call me"},
        {"name": ""},
    ],
)
async def test_an_unusable_appointment_is_refused(
    client: AsyncClient, body: dict[str, Any]
) -> None:
    made = await calendar(client)
    usual = {"calendar_id": made["id"], "starts_at": "2030-05-15T10:00Z", "name": "Ann"}
    answer = await client.post(APPOINTMENTS, json=usual | body)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(("first", "last"), [("0001-01-01", "0001-01-02"), ("9999-12-31",) * 2])
async def test_days_out_of_reason_are_refused(client: AsyncClient, first: str, last: str) -> None:
    made = await calendar(client)
    asked = {"first": first, "last": last}
    answer = await client.get(f"{CALENDARS}/{made['id']}/slots", params=asked)
    assert answer.status_code == 422


async def test_members_book_and_admins_set_up(site: Site, owner: Person) -> None:
    member = await new_member(site.database, owner.team_id, Role.MEMBER)
    async with site.client(owner) as client:
        made = await calendar(client)
    async with site.client(member) as client:
        assert (await client.post(CALENDARS, json={"name": "Mine"})).status_code == 403
        assert (await client.delete(f"{CALENDARS}/{made['id']}")).status_code == 403
        [first, *_] = await slots(client, made["id"], next_monday())
        body = {"calendar_id": made["id"], "starts_at": first, "name": "Ann"}
        booked = await client.post(APPOINTMENTS, json=body)
        assert (booked.status_code, booked.json()["booked_by"]) == (201, member.user_id)


async def test_another_team_sees_and_changes_nothing(site: Site, owner: Person) -> None:
    """SEC7: 404 for what is another team's."""
    stranger = await new_owner(site.database, "Strangers")
    async with site.client(owner) as client:
        made = await calendar(client)
        [first, *_] = await slots(client, made["id"], next_monday())
        body = {"calendar_id": made["id"], "starts_at": first, "name": "Ann"}
        booked = (await client.post(APPOINTMENTS, json=body)).json()
    here = f"{APPOINTMENTS}/{booked['id']}"
    async with site.client(stranger) as client:
        answers = [
            await client.get(f"{CALENDARS}/{made['id']}"),
            await client.patch(f"{CALENDARS}/{made['id']}", json={"name": "Ours"}),
            await client.delete(f"{CALENDARS}/{made['id']}"),
            await client.post(APPOINTMENTS, json=body),
            await client.get(here),
            await client.post(f"{here}/cancel"),
            await client.post(f"{here}/move", json={"starts_at": first}),
            await client.get(f"/calendars/{made['id']}"),
            await client.get(f"/appointments/{booked['id']}"),
        ]
        assert {each.status_code for each in answers} == {404}
        assert (await client.get(APPOINTMENTS)).json()["items"] == []


async def test_a_last_day_that_is_none_is_refused_on_the_page(client: AsyncClient) -> None:
    made = await calendar(client)
    given = {"first": "2026-12-24", "last": "Christmas", "spans": "", "note": ""}
    page = f"/calendars/{made['id']}/special"
    answer = await client.post(page, data=given, headers={"HX-Request": "true"})
    assert answer.status_code == 422, answer.text
    assert "“Christmas” is no day." in answer.text
