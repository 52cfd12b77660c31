"""The whole engine on one line, with real speech and a far end that follows a written pattern.

CM1, CM2, CM4, CM7, HS1 of the cases, C4, C5 and C6 of the rules.
"""

import pytest
from rehearsal import Marks, Rehearsal
from sounds import (
    at_level,
    breath,
    cough,
    dtmf,
    first_ms,
    level_dbfs,
    mixed,
    noise,
    silence,
    speech,
    tone,
)

from offhook.media import (
    BargeIn,
    CallerSilent,
    Cleared,
    LineOptions,
    Mark,
    Murmur,
    PiecePlayed,
    PlayedOut,
    SpeechPaused,
    SpeechStarted,
    TurnEnded,
    codec,
)

QUESTION = speech("Hello, could you tell me whether you are open on Sunday?")
REPLY_TEXT = "We are open every day from nine to five, and on Saturday until noon."
REPLY = speech(REPLY_TEXT, "rms")
CANARY = "Is the blue van yours?"
MHM = at_level(first_ms(speech("mm hmm", "rms"), 400), -25)


def long_reply(seconds: int) -> bytes:
    return (REPLY * 4)[: seconds * 8000]


def test_a_question_is_one_turn_that_ends_soon_after_its_last_word() -> None:
    """C2: start and end are those of the words; the end of the turn follows by silence_ms."""
    call = Rehearsal()
    call.quiet(500)
    call.run(QUESTION)
    spoken_until = call.now_ms
    turn = call.until(TurnEnded)
    assert len(call.of(SpeechStarted)) == 1
    assert abs(turn.start_ms - 500) < 150
    assert abs(turn.end_ms - spoken_until) < 150
    assert call.now_ms - spoken_until <= 650
    assert len(turn.audio) >= len(QUESTION)


def test_the_final_words_can_be_prepared_before_the_turn_ends() -> None:
    call = Rehearsal()
    call.run(QUESTION)
    turn = call.until(TurnEnded)
    paused = call.of(SpeechPaused)[-1]
    assert paused.end_ms == turn.end_ms
    assert turn.at_ms - paused.at_ms >= 400


@pytest.mark.parametrize(
    ("words", "at_most_ms"),
    [("Hello, are you open on Sunday?", 470), ("", 650), ("My number is", 1250)],
)
def test_words_shorten_or_lengthen_the_wait_for_the_end(words: str, at_most_ms: int) -> None:
    call = Rehearsal()
    call.run(QUESTION)
    ended = call.now_ms
    call.line.words(words)
    assert at_most_ms - 200 < call.until(TurnEnded).at_ms - ended <= at_most_ms


@pytest.mark.parametrize("pattern", ["003", "110012112", "00000000092", "1111111111110"])
def test_a_stuttering_network_neither_splits_nor_loses_a_turn(pattern: str) -> None:
    call = Rehearsal()
    call.quiet(300)
    call.run(QUESTION + silence(1500), pattern)
    call.quiet(1000)
    turns = call.of(TurnEnded)
    assert len(turns) == 1
    assert turns[0].voiced_ms > 2500


def test_frames_of_any_size_are_taken() -> None:
    """A carrier that sends 1 byte, 93 or 8 kB at once is understood the same."""
    call = Rehearsal()
    audio = silence(300) + QUESTION + silence(2500)
    for size in (93, 1, 8000):
        for at in range(0, len(audio), size):
            call.line.feed(audio[at : at + size])
            while call.engine.intake.behind(0) >= 480:
                call.step()
    assert len(call.of(TurnEnded)) == 3


SOUNDS = {
    "silence 0xFF": silence(8000),
    "0x7F and 0xFF": b"\x7f\xff" * 32000,
    "hum": tone(8000, -35, 50),
    "hum with harmonics": mixed(tone(8000, -35, 60), tone(8000, -45, 120), tone(8000, -50, 180)),
    "breath": (silence(3750) + breath()) * 2,
    "loud breath": (silence(3750) + breath(400, -30)) * 2,
    "DTMF": silence(500) + dtmf("123456789") * 3,
    "line noise": noise(8000, -45),
    "loud noise": noise(8000, -25),
    "noise burst": (silence(1000) + noise(150, -15)) * 4,
    "cough": (silence(1000) + cough()) * 4,
    "ringing": tone(2000, -20, 440, 480) + silence(4000),
    "fax": tone(4000, -15, 2100),
    "clicks": (b"\x00" * 4 + silence(200)) * 20,
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_that_are_no_speech_make_no_turn(name: str) -> None:
    """HS1: no turn, no model call; a real thank-you afterwards is heard."""
    call = Rehearsal(LineOptions(never_spoke_ms=None))
    call.run(SOUNDS[name])
    call.quiet(1500)
    assert not call.events
    call.run(speech("Thank you."))
    assert call.until(TurnEnded).voiced_ms > 200


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_that_are_no_speech_do_not_interrupt(name: str) -> None:
    """C4, CM7: the reply is spoken once and whole."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "reply", long_reply(6), text=REPLY_TEXT)
    call.quiet(500)
    call.run(SOUNDS[name][: 8000 * 5])
    call.until(PlayedOut)
    assert not call.of(BargeIn)
    assert not call.far.clears
    assert b"".join(frame for _, frame in call.far.played) == long_reply(6)


def test_a_reply_after_a_noise_burst_is_spoken_once_and_whole() -> None:
    """CM7: question, 300 ms later a burst, then comfort noise; the reply is not cancelled."""
    call = Rehearsal()
    call.run(QUESTION + silence(300) + noise(150, -15))
    call.until(TurnEnded)
    call.line.play(call.line.new_reply(), "reply", REPLY, text=REPLY_TEXT)
    call.run(noise(len(REPLY) // 8 + 1000, -62))
    assert [e.heard.heard_text for e in call.of(PiecePlayed)] == [REPLY_TEXT]
    assert len(call.of(TurnEnded)) == 1


def test_a_murmur_does_not_end_the_reply_and_is_no_turn() -> None:
    """CM7: 400 ms at -25 dBFS at second 2 of a 6 s reply."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "reply", long_reply(6), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(MHM)
    call.until(PlayedOut)
    assert not call.far.clears
    assert len(call.far.played) == 300
    assert not call.of(TurnEnded)
    assert len(call.of(Murmur)) == 1


def test_the_agent_is_ducked_under_a_murmur_and_comes_back() -> None:
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "reply", tone(6000, -20, 500), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(MHM)
    call.line.words("Mhm.", final=True)
    call.until(PlayedOut)
    levels = [round(level_dbfs(frame)) for _, frame in call.far.played]
    assert min(levels) == -32
    assert levels[:100] == [-20] * 100
    assert levels[-100:] == [-20] * 100
    assert levels.count(-32) < 40


@pytest.mark.parametrize("word", ["No.", "Stop.", "Wait.", "No, stop."])
def test_a_word_of_refusal_interrupts_however_short(word: str) -> None:
    """CM7, C4: told by the recogniser, the agent is silent at once, and the word is a turn."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "reply", long_reply(6), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(at_level(speech(word, "rms"), -25))
    call.line.words(word)
    call.until(TurnEnded)
    assert len(call.of(BargeIn)) == 1
    assert len(call.far.clears) == 1
    assert 1.5 < call.of(BargeIn)[0].heard[0].heard_ms / 1000 < 3


def test_longer_speech_interrupts_without_any_recogniser() -> None:
    """CM2: the clear comes while the caller is in the first word or two."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "reply", long_reply(8), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(QUESTION)
    assert call.far.clears
    assert call.far.clears[0] - 2000 <= 1100  # "Hello, could..."
    assert call.of(SpeechStarted)[0].over_agent
    assert len(call.of(BargeIn)) == 1


@pytest.mark.parametrize("rule", list(Marks))
def test_no_frame_of_the_old_reply_follows_a_clear(rule: Marks) -> None:
    """CM2: also when more of it is handed over later, and when the carrier is slow."""
    call = Rehearsal(marks=rule)
    reply = call.line.new_reply()
    call.line.play(reply, "one", long_reply(8), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(QUESTION)
    cleared = call.far.clears[0]
    call.line.play(reply, "two", REPLY, text="Late.")
    call.line.play(reply, "one", REPLY)
    call.until(TurnEnded)
    assert not [at for at, item in call.far.received if at > cleared and isinstance(item, bytes)]
    call.line.play(call.line.new_reply(), "new", REPLY, text=REPLY_TEXT)
    call.quiet(len(REPLY) // 8 + 6000)
    assert call.of(PiecePlayed)[-1].heard.piece == "new"


def test_marks_returned_for_discarded_audio_do_not_count_as_heard() -> None:
    """CM2: an 8 s reply, spoken into at 2.0 s, all marks back in the millisecond of the clear."""
    call = Rehearsal(marks=Marks.ON_CLEAR)
    call.line.play(call.line.new_reply(), "reply", long_reply(8), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(QUESTION)
    (interruption,) = call.of(BargeIn)
    assert interruption.heard[0].heard_ms == 0
    call.quiet(5000)
    assert not call.of(PiecePlayed)


def test_what_was_heard_before_the_clear_counts_within_a_word() -> None:
    """CM2: with a carrier that returns marks as it plays, the figure is true to 0.3 s."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "reply", long_reply(8), text=REPLY_TEXT)
    call.quiet(2000)
    call.run(QUESTION)
    (interruption,) = call.of(BargeIn)
    played_ms = sum(20 for at, _ in call.far.played if at < call.far.clears[0])
    heard = interruption.heard[0]
    assert played_ms - 300 <= heard.heard_ms <= played_ms
    assert REPLY_TEXT.startswith(heard.heard_text)
    assert 0 < len(heard.heard_text) < len(REPLY_TEXT)


def test_marks_that_come_too_early_do_not_outrun_the_clock() -> None:
    call = Rehearsal(marks=Marks.AT_ONCE)
    call.line.play(call.line.new_reply(), "reply", long_reply(8), text=REPLY_TEXT)
    call.quiet(1000)
    call.line.clear()
    call.quiet(40)
    (cleared,) = call.of(Cleared)
    assert cleared.heard[0].heard_ms <= 1020


def test_an_unheard_question_is_not_remembered() -> None:
    """CM1: spoken over from its first frame on, no mark returned: nothing of it was said."""
    call = Rehearsal(marks=Marks.ON_CLEAR)
    call.line.play(call.line.new_reply(), "canary", speech(CANARY), text=CANARY)
    call.quiet(60)
    call.run(first_ms(QUESTION, 1200))
    (interruption,) = call.of(BargeIn)
    assert [h.heard_text for h in interruption.heard] == [""]
    assert call.until(TurnEnded).voiced_ms > 600


def test_interrupting_twice_within_700_ms_clears_both_replies() -> None:
    """CM2, variant."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "first", long_reply(6), text=REPLY_TEXT)
    call.quiet(1500)
    call.run(QUESTION[: 680 * 8])
    call.line.words("Hello")
    call.run(QUESTION[680 * 8 : 700 * 8])
    assert len(call.of(BargeIn)) == 1
    call.line.play(call.line.new_reply(), "second", long_reply(6), text=REPLY_TEXT)
    call.run(QUESTION[700 * 8 :])
    assert len(call.of(BargeIn)) == 2
    assert len(call.far.clears) == 2
    call.until(TurnEnded)
    assert len(call.of(TurnEnded)) == 1


def test_a_notice_that_must_be_heard_is_not_interrupted() -> None:
    call = Rehearsal(LineOptions(barge_in=False))
    call.line.play(call.line.new_reply(), "notice", long_reply(3), text=REPLY_TEXT)
    call.quiet(500)
    call.run(first_ms(QUESTION, 1500))
    call.until(PlayedOut)
    assert not call.far.clears
    assert not call.of(TurnEnded)


@pytest.mark.parametrize(
    ("rule", "confirmed", "latest_ms"),
    [(Marks.PLAYED, True, 300), (Marks.LATE, True, 1700), (Marks.NEVER, False, 3150)],
)
def test_play_out_ends_by_marks_or_by_a_bounded_wait(
    rule: Marks, confirmed: bool, latest_ms: int
) -> None:
    """CM4, C6: (a) marks 1.5 s late, (b) never: audio length + 3 s."""
    call = Rehearsal(marks=rule)
    goodbye = speech("Goodbye, and thank you for calling.")
    call.line.play(call.line.new_reply(), "goodbye", goodbye, text="Goodbye.")
    over = call.until(PlayedOut)
    length_ms = len(goodbye) // 8
    assert over.confirmed is confirmed
    assert length_ms <= over.at_ms <= length_ms + latest_ms
    assert len(call.far.played) == -(-len(goodbye) // 160)


def test_a_synthesiser_that_dies_in_a_piece_does_not_hold_the_line() -> None:
    """C6, C9."""
    call = Rehearsal()
    call.line.play(call.line.new_reply(), "half", REPLY[:8000], text=REPLY_TEXT, last=False)
    assert call.until(PlayedOut).at_ms < 1000 + 3500


def test_frames_leave_a_small_lead_ahead_and_then_in_real_time() -> None:
    call = Rehearsal(LineOptions(lead_ms=80))
    call.line.play(call.line.new_reply(), "reply", long_reply(2), text=REPLY_TEXT)
    call.quiet(2500)
    sent = [at for at, item in call.far.received if isinstance(item, bytes)]
    assert sent[:4] == [20] * 4
    assert sent[4:8] == [40, 60, 80, 100]
    assert len(sent) == 100


def test_a_mark_follows_the_last_frame_of_each_piece() -> None:
    call = Rehearsal()
    reply = call.line.new_reply()
    for number in range(3):
        call.line.play(reply, f"p{number}", REPLY[: 160 * 7 + 11], text="words")
    call.until(PlayedOut)
    items = [item for _, item in call.far.received]
    assert sum(isinstance(item, bytes) for item in items) == 3 * 8
    assert isinstance(items[-1], Mark)
    assert [e.heard.piece for e in call.of(PiecePlayed)] == ["p0", "p1", "p2"]
    assert len(call.of(PlayedOut)) == 1


def test_a_caller_who_never_spoke_is_reported_after_15_s() -> None:
    """C5, HS1."""
    call = Rehearsal()
    call.run(noise(14900, -60))
    assert not call.events
    assert call.until(CallerSilent, 200) == CallerSilent("call", 15000, 15000, 1, ever_spoke=False)


def test_a_caller_who_fell_silent_is_checked_on_every_6_s() -> None:
    """C5: counted from the end of both sides' speech."""
    call = Rehearsal()
    call.run(QUESTION)
    call.until(TurnEnded)
    call.line.play(call.line.new_reply(), "reply", REPLY, text=REPLY_TEXT)
    over = call.until(PlayedOut)
    first = call.until(CallerSilent)
    assert 5700 <= first.at_ms - over.at_ms <= 6000
    assert first.times == 1
    assert call.until(CallerSilent).times == 2
    call.run(QUESTION)
    call.until(TurnEnded)
    assert call.until(CallerSilent).times == 1


def test_a_turn_without_words_counts_as_silence() -> None:
    """HS1: what the recogniser finds no words in does not put off the check-ins."""
    call = Rehearsal(LineOptions(never_spoke_ms=6000))
    call.run(at_level(speech("Ah."), -30))
    call.until(TurnEnded)
    call.line.words("", final=True)
    silent = call.until(CallerSilent)
    assert not silent.ever_spoke
    assert silent.at_ms == 6000


def test_an_a_law_line_speaks_a_law_both_ways() -> None:
    call = Rehearsal(LineOptions(law="alaw"))
    call.run(QUESTION.translate(codec.MULAW_TO_ALAW))
    call.run(silence(1000).translate(codec.MULAW_TO_ALAW))
    turn = call.of(TurnEnded)[0]
    assert turn.voiced_ms > 2500
    call.line.play(call.line.new_reply(), "reply", REPLY, text=REPLY_TEXT)
    call.until(PlayedOut)
    sent = b"".join(frame for _, frame in call.far.played)
    assert sent[: len(REPLY)] == REPLY.translate(codec.MULAW_TO_ALAW)
