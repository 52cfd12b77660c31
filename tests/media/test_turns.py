"""Turn-taking without audio: the table row by row, the timers, and what must hold for any order."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.media.options import LineOptions
from offhook.media.turns import Kind, Signal, State, Turns

OPTIONS = LineOptions()


def play(turns: Turns, script: str) -> list[tuple[int, str]]:
    """Act out lines of "MS WHAT", timers included; give what was decided, and when.

    WHAT: voice, hush, agent, agent-off, words TEXT, final TEXT.
    """
    decided: list[tuple[int, str]] = []
    since = 0
    for line in script.strip().splitlines():
        at, what, *rest = line.split(maxsplit=2)
        now = int(at)
        wait(turns, since, now, decided)
        note(decided, now, act(turns, what, rest[0] if rest else "", now))
        since = now
    return decided


def act(turns: Turns, what: str, text: str, now: int) -> list[Signal]:
    match what:
        case "voice":
            return turns.voice(now)
        case "hush":
            return turns.hush(now)
        case "agent" | "agent-off":
            return turns.agent(what == "agent", now)
        case "words" | "final":
            return turns.words(text, now, final=what == "final")
        case _:
            return []


def wait(turns: Turns, since: int, now: int, decided: list[tuple[int, str]]) -> None:
    while turns.deadline_ms is not None and turns.deadline_ms <= now:
        at = max(turns.deadline_ms, since)
        note(decided, at, turns.tick(at))


def note(decided: list[tuple[int, str]], at: int, signals: list[Signal]) -> None:
    decided.extend((at, signal.kind.name.lower()) for signal in signals)


def test_a_turn_starts_pauses_and_ends() -> None:
    decided = play(Turns(OPTIONS), "1000 voice\n2000 hush\n3000 look")
    assert decided == [(1096, "started"), (2160, "paused"), (2600, "ended")]


def test_a_pause_within_a_sentence_does_not_end_it() -> None:
    script = "1000 voice\n2000 hush\n2300 voice\n3000 hush\n4000 look"
    assert play(Turns(OPTIONS), script) == [
        (1096, "started"),
        (2160, "paused"),
        (2300, "resumed"),
        (3160, "paused"),
        (3600, "ended"),
    ]


def test_a_break_between_syllables_is_not_even_a_pause() -> None:
    script = "1000 voice\n2000 hush\n2100 voice\n3000 hush\n4000 look"
    kinds = [kind for _, kind in play(Turns(OPTIONS), script)]
    assert kinds == ["started", "paused", "ended"]


def test_a_click_is_nothing() -> None:
    assert play(Turns(OPTIONS), "1000 voice\n1080 hush\n3000 look") == []


def test_words_of_a_finished_sentence_shorten_the_wait() -> None:
    script = "1000 voice\n2000 hush\n2200 words Are you open?\n4000 look"
    assert play(Turns(OPTIONS), script)[-1] == (2420, "ended")


def test_words_that_come_after_their_shorter_wait_end_the_turn_at_once() -> None:
    script = "1000 voice\n2000 hush\n2500 words Are you open?\n2501 look"
    assert play(Turns(OPTIONS), script)[-1][1] == "ended"


def test_words_that_break_off_lengthen_the_wait_until_the_caller_goes_on() -> None:
    script = """
        1000 voice
        2000 hush
        2200 words My number is
        3100 voice
        4000 hush
        6000 look
    """
    assert play(Turns(OPTIONS), script)[-3:] == [
        (3100, "resumed"),
        (4160, "paused"),
        (4600, "ended"),
    ]


def test_talk_over_the_agent_interrupts_by_its_length() -> None:
    """C4."""
    decided = play(Turns(OPTIONS), "0 agent\n1000 voice\n2000 hush\n3000 look")
    assert decided[:2] == [(1096, "talkover"), (1560, "interrupted")]


def test_a_short_word_over_the_agent_is_a_murmur_when_no_word_comes() -> None:
    """CM7."""
    decided = play(Turns(OPTIONS), "0 agent\n1000 voice\n1400 hush\n4000 look")
    assert decided == [(1096, "talkover"), (2300, "murmured")]


def test_a_short_word_is_a_murmur_at_once_when_the_recogniser_says_so() -> None:
    script = "0 agent\n1000 voice\n1400 hush\n1600 final Mhm.\n4000 look"
    assert play(Turns(OPTIONS), script)[-1] == (1600, "murmured")


def test_a_final_murmur_that_outruns_the_silence_counts() -> None:
    script = "0 agent\n1000 voice\n1350 final Mhm.\n1400 hush\n4000 look"
    assert play(Turns(OPTIONS), script)[-1] == (1400, "murmured")


def test_a_drawn_out_murmur_gets_twice_the_time() -> None:
    script = "0 agent\n1000 voice\n1400 words Mmhmm\n1900 hush\n4000 look"
    assert play(Turns(OPTIONS), script) == [(1096, "talkover"), (2800, "murmured")]


def test_a_short_no_over_the_agent_interrupts_and_is_a_turn() -> None:
    """C4: "no", "stop", "wait" do."""
    script = "0 agent\n1000 voice\n1300 hush\n1500 words No.\n4000 look"
    assert play(Turns(OPTIONS), script) == [
        (1096, "talkover"),
        (1500, "interrupted"),
        (1500, "paused"),
        (1720, "ended"),
    ]


def test_a_recogniser_that_is_late_with_no_still_interrupts() -> None:
    script = "0 agent\n1000 voice\n1300 hush\n3000 words No.\n6000 look"
    kinds = [kind for _, kind in play(Turns(OPTIONS), script)]
    assert kinds == ["talkover", "murmured", "interrupted", "paused", "ended"]


def test_words_long_after_a_murmur_change_nothing() -> None:
    script = "0 agent\n1000 voice\n1300 hush\n9000 words No.\n9500 look"
    assert play(Turns(OPTIONS), script)[-1][1] == "murmured"


def test_an_answer_over_the_agents_last_syllable_is_a_turn() -> None:
    script = "0 agent\n1000 voice\n1300 hush\n1500 agent-off\n4000 look"
    assert [kind for _, kind in play(Turns(OPTIONS), script)] == ["talkover", "paused", "ended"]


def test_the_agent_that_begins_over_a_speaking_caller_gives_way() -> None:
    script = "1000 voice\n2000 agent\n4000 hush\n6000 look"
    decided = play(Turns(OPTIONS), script)
    assert decided[1] == (2560, "interrupted")
    assert decided[-1] == (4600, "ended")


def test_an_agent_that_must_be_heard_is_not_interrupted() -> None:
    options = LineOptions(barge_in=False)
    script = "0 agent\n1000 voice\n1900 words Stop it now!\n2000 hush\n3000 look"
    assert play(Turns(options), script) == []


def test_speech_that_outlasts_a_protected_notice_is_a_turn() -> None:
    options = LineOptions(barge_in=False)
    script = "0 agent\n1000 voice\n2000 agent-off\n3000 hush\n5000 look"
    kinds = [kind for _, kind in play(Turns(options), script)]
    assert kinds == ["started", "paused", "ended"]


def test_silence_is_told_from_the_end_of_both_sides_speech() -> None:
    """C5."""
    script = (
        "0 agent\n2000 agent-off\n3000 voice\n4000 hush\n6000 agent\n9000 agent-off\n30000 look"
    )
    silent = [at for at, kind in play(Turns(OPTIONS), script) if kind == "silent"]
    assert silent == [15000, 21000, 27000]


def test_a_caller_who_never_spoke_is_told_of_once_the_greeting_is_over() -> None:
    """C5."""
    script = "0 agent\n4000 agent-off\n19000 look"
    assert play(Turns(OPTIONS), script) == [(19000, "silent")]


def test_a_turn_without_words_leaves_the_timers_as_they_were() -> None:
    """HS1: a breath each few seconds does not put the check-in off."""
    script = """
        0 agent
        2000 agent-off
        3000 voice
        3400 hush
        4100 final [BLANK_AUDIO]
        17000 look
    """
    assert play(Turns(OPTIONS), script)[-1] == (17000, "silent")


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 1500),
        st.sampled_from(["edge", "agent", "words", "final", "look"]),
        st.sampled_from(["", "Mhm.", "No, stop.", "My number is", "Are you open?"]),
    ),
    max_size=60,
)


@given(EVENTS, st.booleans())
def test_whatever_happens_starts_and_ends_alternate(
    steps: list[tuple[int, str, str]], barge_in: bool
) -> None:
    """Every turn that ends was begun; no decision comes from nowhere; no timer is left behind."""
    turns = Turns(LineOptions(barge_in=barge_in))
    now, voiced, agent = 0, False, False
    decided: list[tuple[int, str]] = []
    for gap, what, text in steps:
        wait(turns, now, now + gap, decided)
        now += gap
        if what == "edge":
            voiced = not voiced
            note(decided, now, act(turns, "voice" if voiced else "hush", "", now))
        elif what == "agent":
            agent = not agent
            note(decided, now, turns.agent(agent, now))
        elif what in ("words", "final"):
            note(decided, now, turns.words(text, now, final=what == "final"))
    wait(turns, now, now, decided)
    check_story([kind for _, kind in decided if kind != "silent"], barge_in=barge_in)
    assert turns.deadline_ms is None or turns.deadline_ms > now
    if turns.state in (State.PAUSE, State.LULL, State.DOUBT):
        assert turns.deadline_ms is not None


FOLLOWS: dict[Kind | None, set[Kind]] = {
    None: {Kind.STARTED, Kind.TALKOVER},
    Kind.STARTED: {Kind.PAUSED, Kind.INTERRUPTED},
    Kind.TALKOVER: {Kind.INTERRUPTED, Kind.MURMURED, Kind.PAUSED},
    Kind.PAUSED: {Kind.RESUMED, Kind.ENDED, Kind.INTERRUPTED},
    Kind.RESUMED: {Kind.PAUSED, Kind.INTERRUPTED},
    Kind.INTERRUPTED: {Kind.PAUSED, Kind.RESUMED, Kind.ENDED, Kind.INTERRUPTED},
    Kind.MURMURED: {Kind.STARTED, Kind.TALKOVER, Kind.INTERRUPTED},
    Kind.ENDED: {Kind.STARTED, Kind.TALKOVER},
}


def check_story(kinds: list[str], *, barge_in: bool) -> None:
    before: Kind | None = None
    for name in kinds:
        kind = Kind[name.upper()]
        assert kind in FOLLOWS[before], f"{before} then {kind} in {kinds}"
        assert barge_in or kind is not Kind.INTERRUPTED
        before = kind
