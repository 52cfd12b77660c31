"""Slots filled by what people say in German, French and Spanish."""

from datetime import date

import pytest

from offhook.agents import filling
from offhook.agents.moves import Ask, Confirm, Drop, Propose, Situation, move
from offhook.tasks import Input, InputType, Offer, Unconfirmed

TODAY = date(2026, 5, 14)  # a Thursday
PARTY = Input("party_size", InputType.INTEGER, question="?")
DAY = Input("date", InputType.DATE, question="?")
TIME = Input("time", InputType.TIME, question="?")
NAME = Input("name", InputType.TEXT, question="?")
GARDEN = Input("garden", InputType.BOOLEAN, question="?")
TABLE = Offer(
    "tsk_1", "table", "Tisch reservieren", phrases=("mesa", "table"),
    inputs=(DAY, TIME, PARTY, NAME, GARDEN),
)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text", "told"),
    [
        ("de", "Ich möchte morgen um halb acht einen Tisch für vier Personen",
         ("2026-05-15", "19:30", 4)),
        ("de", "Am fünfzehnten Mai um neunzehn Uhr dreißig, zu zweit", ("2026-05-15", "19:30", 2)),
        ("de", "übermorgen abends um Viertel nach acht", ("2026-05-16", "20:15", None)),
        ("de", "nächsten Freitag um 20 Uhr", ("2026-05-22", "20:00", None)),
        ("de", "heute Abend um zehn vor sieben", ("2026-05-14", "18:50", None)),
        ("de", "am 3.6. mittags", ("2026-06-03", "12:00", None)),
        ("de-AT", "in einer Woche, um acht Uhr morgens", ("2026-05-21", "08:00", None)),
        ("fr", "Demain à dix-neuf heures trente pour quatre personnes",
         ("2026-05-15", "19:30", 4)),
        ("fr", "le quinze mai à sept heures et demie du soir", ("2026-05-15", "19:30", None)),
        ("fr", "vendredi prochain à huit heures moins le quart", ("2026-05-22", "19:45", None)),
        ("fr", "le premier juin à midi, pour deux personnes", ("2026-06-01", "12:00", 2)),
        ("fr", "après-demain vers 20h15", ("2026-05-16", "20:15", None)),
        ("fr", "dans trois jours, à neuf heures du matin", ("2026-05-17", "09:00", None)),
        ("es", "Mañana a las siete y media de la tarde para cuatro personas",
         ("2026-05-15", "19:30", 4)),
        ("es", "el quince de mayo a las diecinueve treinta", ("2026-05-15", "19:30", None)),
        ("es", "pasado mañana a las nueve de la mañana", ("2026-05-16", "09:00", None)),
        ("es", "el viernes que viene a las ocho menos cuarto", ("2026-05-22", "19:45", None)),
        ("es", "el 3/6 a las ocho y cuarto de la noche, una mesa para dos",
         ("2026-06-03", "20:15", 2)),
    ],
)  # fmt: skip
def test_days_times_and_counts_are_read_in_the_callers_language(
    language: str, text: str, told: tuple[str, str, int | None]
) -> None:
    found = filling.fill(TABLE, text, today=TODAY, language=language).values
    day, clock, party = told
    assert (found.get("date"), found.get("time"), found.get("party_size")) == (day, clock, party)


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("de", "Mein Name ist Jörg Müller", "Jörg Müller"),
        ("de", "auf den Namen Schäfer, bitte", "Schäfer"),
        ("fr", "Je m'appelle Zoé Lefèvre", "Zoé Lefèvre"),
        ("es", "Me llamo José Núñez", "José Núñez"),
        ("de", "Äh, Müller", "Müller"),
        ("fr", "Lefèvre", "Lefèvre"),
    ],
)
def test_a_name_stays_as_it_was_said(language: str, text: str, name: str) -> None:
    found = filling.fill(TABLE, text, today=TODAY, asked=NAME, language=language).values
    assert found.get("name") == name


@pytest.mark.parametrize(
    ("language", "yes", "no", "leave"),
    [
        ("de", "Ja, gerne", "Nein", "Vergessen Sie es"),
        ("fr", "Oui", "Non", "Laissez tomber"),
        ("es", "Sí, claro", "No", "Olvídelo"),
    ],
)
def test_yes_no_and_never_mind(language: str, yes: str, no: str, leave: str) -> None:
    for text, value in ((yes, True), (no, False)):
        told = filling.fill(TABLE, text, today=TODAY, asked=GARDEN, language=language)
        assert told.values == {"garden": value}
    values = {"date": "2026-05-15", "time": "19:30", "party_size": 4, "name": "Ann"}
    read_back = Unconfirmed(TABLE, values, "Freitag, 19:30, 4. Richtig?")
    at = Situation([TABLE], read_back, read_back.readback, TODAY, language)
    assert move(at, yes) == Confirm()
    assert move(at, no) == Ask()
    assert move(at, leave) == Drop()


def test_a_correction_in_the_callers_language_changes_one_value() -> None:
    values = {"date": "2026-05-15", "time": "19:30", "party_size": 4, "name": "Ann"}
    read_back = Unconfirmed(TABLE, values, "Freitag, 19:30, 4. Richtig?")
    at = Situation([TABLE], read_back, read_back.readback, TODAY, "de")
    assert move(at, "Nein, um acht Uhr abends") == Propose(TABLE, {"time": "20:00"})


def test_english_is_read_as_before() -> None:
    text = "Tomorrow at half past seven for four people"
    told = filling.fill(TABLE, text, today=TODAY).values
    assert told == {"date": "2026-05-15", "time": "19:30", "party_size": 4}
