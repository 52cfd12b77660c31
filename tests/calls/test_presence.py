"""C5 as tables: who takes part, who is on hold, and what is no caller."""

import pytest

from offhook.calls.presence import HOLD_MS, NO_PART_MS, Presence, Silence, Turn
from offhook.calls.telltales import announces, asks_to_wait, refuses_recording, serves
from offhook.media import Character

VOICE, MUSIC, QUIET = Character.VOICE, Character.MUSIC, Character.QUIET

ANNOUNCEMENTS = (
    "Your call is important to us.",
    "All of our agents are currently busy, please hold.",
    "Please leave a message after the tone.",
    "The person you are calling is not available.",
    "For English press one.",
    "Please press 2 for billing.",
    "You have reached the voicemail of",
    "This call may be recorded for quality and training.",
    "Bitte hinterlassen Sie eine Nachricht nach dem Ton.",
    "Ihr Anruf ist uns wichtig.",
    "Laissez un message après le bip.",
    "Deje su mensaje después del tono.",
)
CALLERS = (
    "Are you open on Sunday?",
    "Should I leave a message after the beep?",
    "It says press one for English.",
    "I left a message after the tone yesterday.",
    "My number is two zero two five five five.",
    "Sie erreichen mich unter dieser Nummer.",
    "I need to press charges.",
    "Wait, what about Sunday?",
    "One moment of your time: what does the rye cost?",
    "Could you hold a table for me on Friday?",
)
WAITS = (
    "Hold on.",
    "Okay, hold on a second, please.",
    "Just a moment.",
    "One second, let me get my card.",
    "Give me a minute.",
    "I'll be right back.",
    "Bear with me.",
    "Einen Moment, bitte.",
    "Moment mal.",
    "Un instant s'il vous plaît",
    "Espere un momento, por favor",
)


@pytest.mark.parametrize("text", ANNOUNCEMENTS)
def test_recordings_are_known_by_their_words(text: str) -> None:
    assert announces(text)
    assert not asks_to_wait(text)


@pytest.mark.parametrize("text", CALLERS)
def test_what_callers_say_is_theirs(text: str) -> None:
    assert not announces(text)
    assert not serves(text)
    assert not asks_to_wait(text)


@pytest.mark.parametrize("text", WAITS)
def test_a_wish_for_a_moment_is_the_whole_turn(text: str) -> None:
    assert asks_to_wait(text)
    assert not announces(text)


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("I don't want to be recorded.", True),
        ("Please do not record this call.", True),
        ("No recording, please.", True),
        ("Stop recording me.", True),
        ("I'd rather not be recorded", True),
        ("Ich möchte nicht aufgezeichnet werden.", True),
        ("Keine Aufnahme bitte", True),
        ("Je ne veux pas être enregistré.", True),
        ("No quiero que me graben.", True),
        ("Do you sell record players?", False),
        ("Is this call recorded?", False),
        ("Can I get a recording of my last order?", False),
        ("I have no record of that order.", False),
    ],
)
def test_who_does_not_want_to_be_recorded_says_so(text: str, refuses: bool) -> None:
    """SEC17."""
    assert refuses_recording(text) is refuses


def test_three_check_ins_then_goodbye_and_a_turn_begins_them_anew() -> None:
    side = Presence()
    assert side.heard("Hello, are you there?", VOICE, 1_000, 2_000) is Turn.CALLERS
    told = [side.silent(2_000 + 6_000 * n, QUIET, ever_spoke=True) for n in range(1, 4)]
    assert told == [Silence.CHECK_IN] * 3
    assert side.heard("Yes, I am.", VOICE, 21_000, 22_000) is Turn.CALLERS
    told = [side.silent(22_000 + 6_000 * n, QUIET, ever_spoke=True) for n in range(1, 5)]
    assert told == [Silence.CHECK_IN] * 3 + [Silence.GOODBYE]


def test_who_never_spoke_is_let_go_at_once() -> None:
    assert Presence().silent(15_000, QUIET, ever_spoke=False) is Silence.GOODBYE
    assert Presence().silent(15_000, MUSIC, ever_spoke=False) is Silence.GOODBYE


@pytest.mark.parametrize("how", ["asks", "music", "announcement"])
def test_on_hold_there_is_no_check_in_for_two_minutes(how: str) -> None:
    side = Presence()
    side.heard("Hello, I have a question.", VOICE, 1_000, 3_000)
    match how:
        case "asks":
            assert side.heard("Hold on a second.", VOICE, 5_000, 6_000) is Turn.HOLD
        case "music":
            assert side.heard("", MUSIC, 5_000, 9_000) is Turn.NONE
        case _:
            said = "All of our agents are busy."
            assert side.heard(said, VOICE, 5_000, 8_000) is Turn.NONE
    sound = QUIET if how == "asks" else MUSIC
    waits = range(12_000, 5_000 + HOLD_MS, 6_000)
    assert {side.silent(at, sound, ever_spoke=True) for at in waits} == {Silence.WAIT}
    after = side.silent(6_100 + HOLD_MS, sound, ever_spoke=True)
    assert after is Silence.CHECK_IN
    assert side.heard("I am back, thank you.", VOICE, 130_000, 131_000) is Turn.CALLERS
    assert side.silent(137_000, QUIET, ever_spoke=True) is Silence.CHECK_IN


def test_a_call_in_which_nobody_takes_part_is_over_after_three_minutes() -> None:
    side = Presence()
    side.heard("Hello there.", VOICE, 1_000, 2_000)
    for at in range(10_000, 180_000, 10_000):
        assert side.heard("la la la", MUSIC, at, at + 9_000) is Turn.NONE
        assert not side.is_gone(at)
    assert not side.is_gone(2_000 + NO_PART_MS)
    assert side.is_gone(2_001 + NO_PART_MS)
    side.took_part(183_000)
    assert not side.is_gone(190_000)


def test_noise_is_no_turn_and_no_hold() -> None:
    side = Presence()
    side.heard("Hello there.", VOICE, 1_000, 2_000)
    assert side.heard("", VOICE, 3_000, 3_300) is Turn.NOISE
    assert side.silent(9_400, QUIET, ever_spoke=True) is Silence.CHECK_IN


def test_a_broadcast_never_lets_the_agent_finish_and_gets_no_more_turns() -> None:
    """It is over three minutes after it began, however much it says."""
    side = Presence()
    found: list[Turn] = []
    gone_at = 0
    for at in range(0, 300_000, 8_000):
        found.append(side.heard(f"And the news at {at}, from the capital.", VOICE, at, at + 7_400))
        if side.is_gone(at + 7_400):
            gone_at = at + 7_400
            break
    assert found[0] is Turn.CALLERS
    assert found[-1] is Turn.NONE
    assert NO_PART_MS < gone_at <= NO_PART_MS + 12_000


def test_somebody_who_tells_a_long_story_and_listens_in_between_stays_a_caller() -> None:
    side = Presence()
    for at in range(0, 300_000, 10_000):
        side.agent_finished(at)
        told = side.heard(f"And then, on day {at}, it broke again.", VOICE, at + 500, at + 9_500)
        assert told is Turn.CALLERS
        assert not side.is_gone(at + 9_500)


def test_a_machine_that_repeats_itself_is_no_caller() -> None:
    side = Presence()
    said = "Welcome to the town hall, our offices are closed today."
    assert [side.heard(said, VOICE, n * 20_000, n * 20_000 + 5_000) for n in range(3)] == [
        Turn.CALLERS, Turn.CALLERS, Turn.NONE,
    ]  # fmt: skip


def test_two_voice_agents_that_serve_each_other_are_cut_off() -> None:
    side = Presence()
    lines = (
        "Thank you for calling Blue Water, I am a virtual assistant.",
        "Of course. How can I help you today?",
        "I understand. Is there anything else I can help you with?",
        "Great. How may I assist you?",
    )
    found = [side.heard(each, VOICE, n * 9_000, n * 9_000 + 4_000) for n, each in enumerate(lines)]
    assert found == [Turn.CALLERS] * 3 + [Turn.MACHINE]


def test_a_caller_who_repeats_a_question_is_answered() -> None:
    side = Presence()
    said = "What does the sourdough bread cost today?"
    assert side.heard(said, VOICE, 0, 3_000) is Turn.CALLERS
    assert side.heard(said, VOICE, 9_000, 12_000) is Turn.CALLERS
    for n in range(2, 8):
        assert side.heard("Yes please.", VOICE, n * 9_000, n * 9_000 + 900) is Turn.CALLERS
