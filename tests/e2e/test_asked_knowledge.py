"""Files as people have them, asked on a call and by text: umlauts, euros, tables (KN1, KN2)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from installation import Installation, until
from owner import Bought, Owner

from documents.made import PRICES, table, text_box, word
from offhook.speech import speakable

GERMAN = "Öffnungszeiten Müllerstraße: 9–17 Uhr.\r\n\r\nEin Krapfen kostet 2,80 €.\r\n"
DRINKS = "Getränk;Preis\r\nKaffee;2,40 €\r\nEspresso;1,90 €\r\n"
UNKNOWN = "Nobody here knows that."


def price_list(file: Any) -> None:
    text_box(file, "Opening hours", "Monday to Friday: 7:00 to 18:00")
    made = table(file, (("Product", "Sold by us", ""), ("", "Weight", "Price"), *PRICES))
    made.cell(0, 1).merge(made.cell(0, 2))
    made.cell(0, 0).merge(made.cell(1, 0))


FILES = (
    ("preise.txt", GERMAN.encode("windows-1252")),
    ("drinks.csv", DRINKS.encode("utf-16")),
    ("menu.docx", word(price_list)),
)
ASKED = (
    ("What does a Krapfen cost?", "2,80 €"),
    ("How much is an espresso?", "1,90 €"),
    ("What does the carrot cake cost?", "4.10"),
    ("When are you open on Tuesday?", "7:00 to 18:00"),
    ("Do you sell garden furniture?", UNKNOWN),
)
SPOKEN = (
    ("How much is an espresso?", "1 euro 90"),
    ("What does the carrot cake cost?", "costs 4.10."),
    ("Do you sell garden furniture?", UNKNOWN),
)


@pytest.fixture(scope="module")
def number(owner: Owner) -> Bought:
    """A number whose agent has nothing but these files."""
    number = owner.ready_number("Files")
    agent = owner.post(
        "/agents",
        {
            "name": "Baker",
            "instructions": "Tell prices.",
            "greeting": "Hello!",
            "fallback": UNKNOWN,
        },
    )
    for name, data in FILES:
        sent = owner.rest.post(
            "/knowledge/files", files={"file": (name, data)}, data={"agent_ids": [agent["id"]]}
        )
        assert sent.status_code == 201, sent.text
    until(lambda: _ready(owner), "the files to be read", 60)
    owner.post(f"/agents/{agent['id']}/live")
    owner.configure(number, agent_id=agent["id"], recording_notice=False)
    return number


def _ready(owner: Owner) -> bool:
    names = {name for name, _ in FILES}
    found = [each for each in owner.get("/knowledge/sources")["items"] if each["title"] in names]
    assert all(each["state"] != "failed" for each in found), found
    return len(found) == len(names) and all(each["state"] == "ready" for each in found)


def test_by_text_each_answer_is_right_to_the_cent_and_the_umlaut(
    owner: Owner, number: Bought
) -> None:
    senders = [f"+1202555016{at}" for at in range(len(ASKED))]
    for sender, (question, _) in zip(senders, ASKED, strict=True):
        owner.text(number, question, sender=sender)
    for sender, (question, answer) in zip(senders, ASKED, strict=True):
        (reply,) = until(lambda sender=sender: owner.replies(number, sender), question, 60)
        assert answer in reply, question


def test_on_a_call_the_same_is_said_as_people_say_it(
    installation: Installation, owner: Owner, number: Bought
) -> None:
    def place(at: int) -> str:
        done = installation.run(
            "call", number.e164, "--say", SPOKEN[at][0], "--from", f"+1202555017{at}", seconds=90
        )
        return done.stdout + done.stderr

    with ThreadPoolExecutor(2) as pool:
        printed = list(pool.map(place, range(len(SPOKEN))))
    assert all("Answered" in each for each in printed), printed
    by_caller = {call["caller"]: call for call in owner.calls(number)}
    for at, (question, answer) in enumerate(SPOKEN):
        turns = owner.transcript(by_caller[f"+1202555017{at}"])
        assert answer in _spoken(turns), (question, turns)


def _spoken(turns: Sequence[dict[str, Any]]) -> str:
    """What the voice was given of the agent's turns."""
    said = [turn["text"] for turn in turns if turn["speaker"] == "agent"]
    return " ".join(speakable(each, "en") or "" for each in said)
