"""A number's manners on calls: hours, screening, lines (C1, P5, SEC10, SEC12), and what is met
outside the hours.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from office import CALLER, Clock, Office, beat_nodes, open_office, voice_form
from sounds import speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from number_fixtures import BY
from offhook import inbox, media
from offhook.bookings import Hours, Span, Special
from offhook.bookings import hours as opening
from offhook.calls.admission import Admitted, Refused, Verdict
from offhook.calls.manners import service
from offhook.calls.manners.closing import as_answered
from offhook.calls.manners.rules import Answers, Manners, MannersInvalid, WhenClosed, answers, check
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import End, Refusal
from offhook.calls.transfers import targets
from offhook.carriers import parse_inbound_call
from offhook.contacts import screening
from offhook.db import Database
from offhook.inbox import looks

OFFICE_HOURS = Hours(
    week=((Span(time(9), time(17)),),) * 5 + ((Span(time(22), time(2)),), ()),
    special=(Special(date(2026, 12, 24), date(2026, 12, 26)),),
)
SENTENCE = Manners(hours=OFFICE_HOURS)


@pytest.mark.parametrize(
    ("instant", "zone", "open_then"),
    [
        ("2026-05-14T08:59", "UTC", False),
        ("2026-05-14T09:00", "UTC", True),
        ("2026-05-14T16:59", "UTC", True),
        ("2026-05-14T17:00", "UTC", False),
        ("2026-05-14T07:30", "Europe/Berlin", True),
        ("2026-05-16T23:00", "UTC", True),
        ("2026-05-17T01:59", "UTC", True),  # the span began the evening before
        ("2026-05-17T02:00", "UTC", False),
        ("2026-12-24T10:00", "UTC", False),
        ("2026-12-28T10:00", "UTC", True),
    ],
)
def test_hours_are_of_the_teams_wall_clock(instant: str, zone: str, open_then: bool) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    found = answers(SENTENCE, at, ZoneInfo(zone))
    assert found is (Answers.AGENT if open_then else Answers.SENTENCE)
    assert answers(Manners(), at, ZoneInfo(zone)) is Answers.AGENT


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"caller_lines": 0}, {"caller_lines"}),
        ({"caller_lines": 21, "number_lines": 0}, {"caller_lines", "number_lines"}),
        ({"max_calls_an_hour": 1_001}, {"max_calls_an_hour"}),
        ({"closed_sentence": "x" * 401}, {"closed_sentence"}),
        ({"when_closed": WhenClosed.FORWARD, "hours": OFFICE_HOURS}, {"fallback_target_id"}),
    ],
)
def test_what_cannot_be_is_named_at_once(changes: Mapping[str, Any], fields: set[str]) -> None:
    with pytest.raises(MannersInvalid) as refused:
        check(Manners(**changes))
    assert {each["field"] for each in refused.value.details["errors"]} == fields


def test_special_days_are_read_as_they_are_written() -> None:
    text = "2026-12-24 to 2026-12-26 closed\n2026-12-31 09:00–12:00"
    special = opening.parse_special(text)
    assert special == (
        Special(date(2026, 12, 24), date(2026, 12, 26)),
        Special(date(2026, 12, 31), date(2026, 12, 31), (Span(time(9), time(12)),)),
    )
    assert opening.written_special(special) == text
    for wrong in ("Christmas closed", "2026-02-30 closed", "2026-12-24 whenever"):
        with pytest.raises(opening.HoursInvalid):
            opening.parse_special(wrong)


def test_the_greeting_is_what_the_caller_meets() -> None:
    agent = snapshot(greeting="Bakery, good morning.")
    says = replace(SENTENCE, closed_sentence="We open at nine.")
    assert as_answered(agent, Manners(), Answers.AGENT) == agent
    ai = as_answered(agent, Manners(says_ai=True), Answers.AGENT).greeting
    assert ai == "You are speaking with an AI assistant. Bakery, good morning."
    assert as_answered(agent, says, Answers.SENTENCE).greeting == "We open at nine."
    message = as_answered(agent, says, Answers.MESSAGE)
    assert message.greeting == "We open at nine. Please leave a message after the tone."
    assert message.options.max_call_minutes == 3
    german = as_answered(replace(agent, language="de-DE"), SENTENCE, Answers.SENTENCE)
    assert german.greeting.startswith("Vielen Dank")


# --- admission ---


async def _set(office: Office, **changes: Any) -> Manners:
    async with office.database.team(office.team_id) as session:
        return await service.change(session, office.team_id, office.number_id, BY, **changes)


async def _rings(office: Office, caller: str = CALLER, verstat: str = "") -> Verdict:
    form = voice_form(office.e164, caller)
    if verstat:
        form.append(("StirVerstat", verstat))
    return await office.admit(parse_inbound_call(form))


def test_the_inbox_has_words_for_why_a_call_was_not_answered() -> None:
    """C1; a call for nobody's number is in nobody's inbox."""
    assert set(Refusal) - set(looks.REASONS) == {Refusal.UNKNOWN_NUMBER}


async def test_each_manner_refuses_with_its_reason_and_signal(
    clocked: Database, clock: Clock
) -> None:
    """One office, one manner after the other; 2026-05-14 12:00 UTC is a Thursday."""
    office = await open_office(clocked, lines=50)
    await _set(office, hours=OFFICE_HOURS, when_closed=WhenClosed.REFUSE)
    assert isinstance(await _rings(office, "+12025550101"), Admitted)
    clock.advance(hours=5)
    await beat_nodes(clocked)
    assert await _rings(office) == Refused(Refusal.CLOSED, "rejected")
    await _set(office, hours=None)

    async with office.database.team(office.team_id) as session:
        await screening.refuse_hidden(session, office.team_id, refuse=True, by="usr_1")
    assert await _rings(office, "anonymous") == Refused(Refusal.HIDDEN, "rejected")
    await _set(office, refuse_hidden=False)
    assert isinstance(await _rings(office, "anonymous"), Admitted)
    await _set(office, refuse_hidden=True)
    assert await _rings(office, "") == Refused(Refusal.HIDDEN, "rejected")

    false = "TN-Validation-Failed-A"
    assert isinstance(await _rings(office, "+12025550102", false), Admitted)
    await _set(office, refuse_failed=True)
    refused = await _rings(office, "+12025550103", false)
    assert refused == Refused(Refusal.FALSE_NUMBER, "rejected")
    assert isinstance(await _rings(office, "+12025550103", "TN-Validation-Passed-A"), Admitted)

    await _set(office, max_calls_an_hour=2, caller_lines=5)
    found = [await _rings(office, "+12025550104") for _ in range(3)]
    assert [isinstance(each, Admitted) for each in found] == [True, True, False]
    assert found[2] == Refused(Refusal.TOO_MANY_CALLS, "rejected")
    clock.advance(minutes=61)
    await beat_nodes(clocked)
    assert isinstance(await _rings(office, "+12025550104"), Admitted)

    await _set(office, max_calls_an_hour=None, caller_lines=3)
    found = [await _rings(office, "+12025550105") for _ in range(4)]
    assert found[3] == Refused(Refusal.CALLER_LINES_FULL, "busy")
    await _set(office, number_lines=4)
    assert await _rings(office, "+12025550106") == Refused(Refusal.LINES_FULL, "busy")
    assert await _rings(office, "+12025550105") == Refused(Refusal.CALLER_LINES_FULL, "busy")


async def test_the_manners_met_are_kept_with_the_call(clocked: Database, clock: Clock) -> None:
    office = await open_office(clocked)
    async with office.database.team(office.team_id) as session:
        person = await targets.add(
            session, office.team_id, name="Anna", number="+12025550177", ring_s=20, announced=True
        )
    clock.advance(hours=6)
    await beat_nodes(clocked)
    for number, (when, met) in enumerate(
        ((WhenClosed.SAY, Answers.SENTENCE), (WhenClosed.MESSAGE, Answers.MESSAGE),
         (WhenClosed.FORWARD, Answers.FORWARD))
    ):  # fmt: skip
        await _set(
            office, hours=OFFICE_HOURS, when_closed=when, fallback_target_id=person.id,
            closed_sentence="We open at nine.",
        )  # fmt: skip
        verdict = await _rings(office, f"+1202555012{number}")
        assert isinstance(verdict, Admitted)
        call = await office.connect(verdict)
        assert call.answers is met
        assert call.snapshot.greeting.startswith("We open at nine.")
    with pytest.raises(MannersInvalid):
        await _set(office, fallback_target_id="ttg_of_others")


# --- what is met ---


async def test_outside_the_hours_a_sentence_is_said_and_the_call_ends(
    database: Database, tmp_path: Path
) -> None:
    call = await connected(database, snapshot(greeting="We are closed at the moment."))
    brain = ScriptedBrain()
    stage = Stage(
        database, replace(call, answers=Answers.SENTENCE), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser("Hello?"),
    )  # fmt: skip
    await stage.until(lambda: stage.of(media.PieceStarted))
    await stage.run(speech("Hello, is anybody there?"))
    stage.conversation.pressed("0")
    await stage.until(stage.task.done)
    assert await stage.ended() is End.CLOSED
    assert not brain.briefings
    turns = await stage.turns()
    assert turns == [
        ("agent", "We are closed at the moment."),
        ("notice", "It was outside the number's hours."),
    ]
    assert stage.carrier.hung_up


async def test_outside_the_hours_a_message_is_taken_and_a_person_called_for(
    database: Database, tmp_path: Path
) -> None:
    """Who pauses to think is not cut short."""
    call = await connected(database, snapshot(greeting="Please leave a message after the tone."))
    brain = ScriptedBrain()
    stage = Stage(
        database, replace(call, answers=Answers.MESSAGE), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser("Ann here, please call me back."),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech("Ann here."))
    await stage.quiet(1_500)
    assert not stage.of(media.TurnEnded)
    await stage.run(speech("Please call me back."))
    await stage.until(stage.task.done)
    assert await stage.ended() is End.AGENT_HUNG_UP
    assert not brain.briefings
    turns = await stage.turns()
    assert turns[1] == ("caller", "Ann here, please call me back.")
    assert ("agent", "Thank you, your message has been taken. Goodbye.") in turns
    async with database.team(call.team_id) as session:
        kept = await inbox.get(session, call.team_id, call.conversation_id)
    assert kept.person_needed
    tone = [frame for _, frame in stage.far.played if len(set(frame)) > 20]
    assert tone


async def test_outside_the_hours_the_caller_is_forwarded(
    database: Database, tmp_path: Path
) -> None:
    call = await connected(database, snapshot(greeting="One moment, I'll put you through."))
    async with database.team(call.team_id) as session:
        person = await targets.add(
            session, call.team_id, name="Anna", number="+12025550177", ring_s=20, announced=True
        )
    stage = Stage(
        database, replace(call, answers=Answers.FORWARD), tmp_path,
        brain=ScriptedBrain(), recogniser=ScriptedRecogniser(), forward_to=person.id,
    )  # fmt: skip
    await stage.until(stage.task.done)
    assert await stage.ended() is None  # it has left, to be put through
    assert ("notice", "The call is put through to Anna.") in await stage.turns()


async def test_a_forward_that_cannot_begin_takes_a_message(
    database: Database, tmp_path: Path
) -> None:
    """C6: the person is no longer on the owner's list; nobody is asked how else to help."""
    call = await connected(database, snapshot(greeting="One moment, I'll put you through."))
    stage = Stage(
        database, replace(call, answers=Answers.FORWARD), tmp_path, brain=ScriptedBrain(),
        recogniser=ScriptedRecogniser("Ann here, please call me back."), forward_to="ttg_gone",
    )  # fmt: skip
    nobody = ("agent", f"One moment, I'll put you through. {ENGLISH.nobody_there}")
    for _ in range(2):  # that they are put through; why not, and the tone
        await stage.agent_is_silent()
    await stage.run(speech("Ann here, please call me back."))
    await stage.until(stage.task.done)
    assert await stage.ended() is End.AGENT_HUNG_UP
    turns = await stage.turns()
    assert nobody in turns
    assert ("caller", "Ann here, please call me back.") in turns
    assert ("agent", ENGLISH.message_taken) in turns
    async with database.team(call.team_id) as session:
        kept = await inbox.get(session, call.team_id, call.conversation_id)
    assert kept.person_needed
