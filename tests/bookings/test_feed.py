"""The feed: what a calendar program reads, and who may read it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from httpx import AsyncClient

from web_fixtures import Person, Site

START = (datetime.now(UTC) + timedelta(days=8)).replace(hour=10, minute=0, second=0, microsecond=0)


async def a_feed(client: AsyncClient) -> tuple[str, str]:
    """A calendar, and the path of its feed."""
    made = await client.post("/api/v1/calendars", json={"name": "Größe 🥐", "zone": "UTC"})
    answer = await client.post(f"/api/v1/calendars/{made.json()['id']}/feed")
    assert answer.status_code == 200, answer.text
    return made.json()["id"], "/" + answer.json()["url"].split("/", 3)[3]


def events(body: bytes) -> list[Any]:
    whole: Any = icalendar.Calendar.from_ical(body)
    return list(whole.walk("VEVENT"))


async def test_a_program_reads_what_is_booked_moved_and_cancelled(
    site: Site, client: AsyncClient
) -> None:
    calendar_id, path = await a_feed(client)
    body = {
        "calendar_id": calendar_id,
        "starts_at": START.isoformat(),
        "name": "Zoë; “O'Néill”, 🥐",
        "party_size": 4,
        "phone": "650 253 0000",
        "notes": "Line one\nBEGIN:VEVENT\\n, two",
        "by_hand": True,
    }
    booked = (await client.post("/api/v1/appointments", json=body)).json()
    async with site.client() as anybody:
        answer = await anybody.get(path)
        assert answer.headers["content-type"].startswith("text/calendar")
        assert "Größe 🥐" in answer.text
        (event,) = events(answer.content)
        assert str(event["summary"]) == "Zoë; “O'Néill”, 🥐 (4 people)"
        assert str(event["description"]) == "+16502530000\nLine one\nBEGIN:VEVENT\\n, two"
        assert (event.start, event.end) == (START, START + timedelta(minutes=30))
        assert (event["sequence"], str(event["status"])) == (0, "CONFIRMED")
        here = f"/api/v1/appointments/{booked['id']}"
        later = (START + timedelta(hours=1)).isoformat()
        await client.post(f"{here}/move", json={"starts_at": later, "by_hand": True})
        (moved,) = events((await anybody.get(path)).content)
        assert (moved["uid"], moved["sequence"]) == (event["uid"], 1)
        assert moved.start == START + timedelta(hours=1)
        await client.post(f"{here}/cancel")
        (gone,) = events((await anybody.get(path)).content)
        assert (gone["sequence"], str(gone["status"])) == (2, "CANCELLED")


async def test_only_the_present_link_opens_it(
    site: Site, client: AsyncClient, owner: Person
) -> None:
    calendar_id, first = await a_feed(client)
    feed = f"/api/v1/calendars/{calendar_id}/feed"
    again = "/" + (await client.post(feed)).json()["url"].split("/", 3)[3]
    async with site.client() as anybody:
        for path, status in (
            (again, 200),
            (first, 404),
            (f"{again[:-5]}{'1' if again[-5] == '0' else '0'}.ics", 404),
            (f"/feeds/{calendar_id}/é.ics", 404),
            (f"/feeds/cal_other/{again.split('/')[3]}", 404),
        ):
            assert (await anybody.get(path)).status_code == status, path
        await client.delete(feed)
        assert (await anybody.get(again)).status_code == 404
        renewed = "/" + (await client.post(feed)).json()["url"].split("/", 3)[3]
        assert renewed not in {first, again}
        assert (await anybody.get(renewed)).status_code == 200
        assert (await anybody.get(again)).status_code == 404
