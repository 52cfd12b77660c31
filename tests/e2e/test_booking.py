"""A table is booked by voice and by text, without any key: seen in the calendar and in webhooks.

The caller is flite's voice on a simulated handset; what the agent heard, asked and did is what any
caller would meet. A receiver on this machine verifies each delivery as customers do.
"""

import asyncio
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from installation import needs, until
from owner import Bought, Json, Owner
from receiver import Receiver
from standardwebhooks import Webhook

from offhook.carriers.simulator import handset

VOICE = "slt"
SPOKEN = (
    "I would like to book a table.",
    "Tomorrow.",
    "At seven P M.",
    "There will be six people.",
    "John Smith.",
    "Yes, please.",
)
CALLER_BY_VOICE = "+12025550177"
CALLER_BY_TEXT = "+12025550178"
TALK_S = 240.0


class Restaurant:
    """A team with a calendar, an agent that books into it, a number, and an endpoint."""

    def __init__(self, owner: Owner, receiver: Receiver) -> None:
        self.owner = owner
        self.receiver = receiver
        self.number: Bought = owner.ready_number("Tables")
        owner.configure(self.number, recording_notice=False)
        every_day = {day: [{"opens": "08:00", "closes": "23:00"}] for day in DAYS}
        calendar = {
            "name": "Tables",
            "hours": every_day,
            "slot_minutes": 120,
            "places": 20,
            "counts_people": True,
        }
        self.calendar: str = owner.post("/calendars", calendar)["id"]
        config = {"calendar_id": self.calendar, "action": "book", "party": True}
        phrases = ["book a table", "make a reservation"]
        wanted = {"kind": "booking", "title": "Book a table", "config": config, "phrases": phrases}
        self.task: str = owner.post("/tasks", wanted)["id"]
        self.books_on(["call", "sms"])
        endpoint = {"url": f"{receiver.url}/hook", "events": ["task.completed"]}
        self.secret: str = owner.post("/webhooks/endpoints", endpoint)["secret"]

    def books_on(self, channels: list[str]) -> None:
        """Where the sample agent takes bookings from now on."""
        agent = self.owner.sample_agent()
        self.owner.put(f"/tasks/{self.task}/agents/{agent}", {"channels": channels})

    def appointment(self, phone: str) -> Json | None:
        """What is in the calendar for this number."""
        booked = self.owner.get("/appointments", calendar_id=self.calendar)["items"]
        return next((each for each in booked if each["phone"] == phone), None)

    def delivered(self, appointment: Json) -> Json | None:
        """The event that tells of it, its signature verified as a customer would."""
        for headers, body in self.receiver.deliveries:
            if headers[":path"] != "/hook":
                continue
            event = Webhook(self.secret).verify(body, headers)
            if event["data"]["references"].get("appointment_id") == appointment["id"]:
                return event
        return None

    def says(self, text: str) -> str:
        """A texter's message, and the reply to it."""
        before = len(self.owner.replies(self.number, CALLER_BY_TEXT))
        self.owner.text(self.number, text, sender=CALLER_BY_TEXT)
        replies = until(
            lambda: self.owner.replies(self.number, CALLER_BY_TEXT)[before:],
            f"a reply to “{text}”",
            60,
        )
        return replies[-1]


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(scope="module")
def restaurant(owner: Owner, receiver: Receiver) -> Iterator[Restaurant]:
    restaurant = Restaurant(owner, receiver)
    yield restaurant
    restaurant.books_on([])


def tomorrow_at_seven() -> str:
    day = datetime.now(UTC).date() + timedelta(days=1)
    return f"{day}T19:00:00Z"


def check(restaurant: Restaurant, phone: str, name: str, channel: str, began: str) -> None:
    """It is in the calendar, in the conversation's record, on the page, and in a delivery.

    `began`: what `tomorrow` was before the talk, should midnight have come while it went on.
    """
    booked = until(lambda: restaurant.appointment(phone), "the appointment", 30)
    assert (booked["state"], booked["party_size"]) == ("booked", 6)
    assert booked["starts_at"] in {began, tomorrow_at_seven()}
    assert booked["name"].casefold() == name.casefold()
    event = until(lambda: restaurant.delivered(booked), "the delivery", 30)
    assert event["type"] == "task.completed"
    [run] = restaurant.owner.get("/task-runs", conversation_id=booked["conversation_id"])["items"]
    assert (run["state"], run["channel"]) == ("completed", channel)
    day = booked["starts_at"][:10]
    page = restaurant.owner.browser.get(f"/calendars/{restaurant.calendar}?view=day&day={day}")
    assert booked["name"] in page.text


def test_a_table_is_booked_by_text(restaurant: Restaurant) -> None:
    began = tomorrow_at_seven()
    assert "day" in restaurant.says("I would like to book a table")
    assert "time" in restaurant.says("tomorrow")
    assert "people" in restaurant.says("at 7 pm")
    assert "name" in restaurant.says("six")
    assert restaurant.says("Ann Lee").endswith("Is that right?")
    assert restaurant.appointment(CALLER_BY_TEXT) is None
    assert "You are booked for 6 people on" in restaurant.says("Yes please")
    check(restaurant, CALLER_BY_TEXT, "Ann Lee", "sms", began)


def test_a_table_is_booked_by_voice(restaurant: Restaurant) -> None:
    needs("flite")
    told: list[str] = []
    began = tomorrow_at_seven()
    talk = handset.place_call(
        restaurant.owner.settings,
        restaurant.number.e164,
        say=SPOKEN,
        sender=CALLER_BY_VOICE,
        synthesise=flite,
        show=told.append,
    )
    asyncio.run(asyncio.wait_for(talk, TALK_S))
    assert "Answered" in told
    call = until(lambda: restaurant.owner.calls(restaurant.number), "the call")[0]
    turns = restaurant.owner.transcript(call)
    said = "\n".join(f"{turn['speaker']}: {turn['text']}" for turn in turns)
    assert "You are booked for 6 people on" in said, said
    check(restaurant, CALLER_BY_VOICE, "John Smith", "call", began)


async def flite(words: str) -> tuple[bytes, int]:
    """Somebody else's voice, as 16-bit mono PCM and its rate."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "said.wav"
        spoken = ["flite", "-voice", VOICE, "-t", words, "-o", str(path)]
        subprocess.run(spoken, check=True, capture_output=True)  # noqa: ASYNC221 - milliseconds
        with wave.open(str(path)) as file:
            return file.readframes(file.getnframes()), file.getframerate()
    finally:
        shutil.rmtree(folder)
