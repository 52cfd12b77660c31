"""What was heard of the agent, against every order of marks, clears and time (C4, C6, CM1, CM2)."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.media.events import Heard, Mark
from offhook.media.options import LineOptions
from offhook.media.playout import Playout

OPTIONS = LineOptions()
TEXT = "We are open every day from nine to five."


def audio(ms: int) -> bytes:
    return bytes(at % 251 for at in range(ms * 8))


def advance(playout: Playout, start_ms: int, end_ms: int) -> list[bytes | Mark]:
    out: list[bytes | Mark] = []
    for now in range(start_ms, end_ms, 20):
        out += playout.take(now)[0]
    return out


def marks(out: list[bytes | Mark]) -> list[str]:
    return [item.name for item in out if isinstance(item, Mark)]


def test_sends_the_lead_at_once_and_then_keeps_pace() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(1000), last=True)
    assert len(advance(playout, 0, 20)) == 4
    assert len(advance(playout, 20, 40)) == 1


def test_fills_the_last_frame_with_silence() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(20) + b"\x01", last=True)
    frames = [item for item in advance(playout, 0, 100) if isinstance(item, bytes)]
    assert frames == [audio(20), b"\x01" + b"\xff" * 159]


def test_waits_for_the_rest_of_a_frame_that_is_still_being_made() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(30), last=False)
    assert len(advance(playout, 0, 200)) == 1
    playout.play(1, "a", "", audio(10), last=True)
    assert len(advance(playout, 200, 300)) == 2  # the frame and the mark of the end


def test_nothing_is_heard_without_a_mark() -> None:
    """CM1."""
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(2000), last=True)
    advance(playout, 0, 1000)
    assert playout.clear(1000) == (Heard("a", TEXT, 0, 2000, complete=False, start_ms=None),)


def test_a_mark_and_the_time_since_it_are_heard() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(2000), last=True)
    names = marks(advance(playout, 0, 1000))
    playout.marked(names[0], 200)
    playout.marked(names[1], 400)
    assert playout.heard(460)[0].heard_ms == 460
    assert playout.heard(1000)[0].heard_ms == 600  # the next mark is missing: no more is claimed


def test_marks_before_their_time_are_no_proof() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(2000), last=True)
    for name in marks(advance(playout, 0, 600)):
        playout.marked(name, 300)
    assert playout.heard(300)[0].heard_ms == 300


def test_a_mark_after_the_clear_is_no_proof() -> None:
    """CM2."""
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(2000), last=True)
    names = marks(advance(playout, 0, 1000))
    playout.clear(1000)
    for name in names:
        playout.marked(name, 1000)
    assert playout.idle
    assert playout.finished(1000) == []


def test_a_mark_confirms_the_pieces_before_it() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", "One.", audio(100), last=True)
    playout.play(1, "b", "Two.", audio(400), last=True)
    names = marks(advance(playout, 0, 400))
    playout.marked(names[1], 320)
    assert [(done.heard.piece, done.confirmed) for done in playout.finished(320)] == [("a", True)]


def test_what_is_written_to_a_cleared_reply_is_not_spoken() -> None:
    """CM2."""
    playout = Playout(OPTIONS)
    playout.play(3, "a", TEXT, audio(500), last=False)
    playout.clear(100)
    assert not playout.play(3, "a", "", audio(500), last=True)
    assert not playout.play(2, "b", TEXT, audio(500), last=True)
    assert playout.idle
    assert playout.play(4, "c", TEXT, audio(500), last=True)


def test_an_empty_piece_is_over_at_once_by_its_mark() -> None:
    """HS2: a reply with nothing speakable does not freeze the call."""
    playout = Playout(OPTIONS)
    playout.play(1, "a", "", b"", last=True)
    (name,) = marks(advance(playout, 0, 20))
    playout.marked(name, 20)
    assert playout.finished(20)[0].confirmed
    assert playout.idle


def test_heard_words_end_with_a_whole_word() -> None:
    def heard(ms: int) -> str:
        return Heard("a", TEXT, ms, 4000, complete=False, start_ms=0).heard_text

    assert heard(0) == ""
    assert heard(100) == ""
    assert heard(2000) == "We are open every"
    assert heard(4000) == TEXT


def test_of_a_piece_still_being_made_no_more_is_claimed_than_slow_speech_allows() -> None:
    playout = Playout(OPTIONS)
    playout.play(1, "a", TEXT, audio(400), last=False)
    for name in marks(advance(playout, 0, 400)):
        playout.marked(name, 400)
    (heard,) = playout.clear(400)
    assert len(heard.heard_text) < len(TEXT) / 4


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.integers(0, 700)),
        st.tuples(st.just("wait"), st.integers(1, 60)),
        st.tuples(st.just("mark"), st.integers(0, 9)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_no_order_of_marks_claims_more_than_was_sent_and_sounded(
    steps: list[tuple[str, int]],
) -> None:
    playout = Playout(OPTIONS)
    now, reply = 0, 1
    known: list[str] = []
    sent = 0
    for what, amount in steps:
        match what:
            case "play":
                playout.play(reply, f"p{amount}", TEXT, audio(amount), last=amount % 3 > 0)
            case "wait":
                for _ in range(amount):
                    now += 20
                    out, _ = playout.take(now)
                    sent += sum(isinstance(item, bytes) for item in out)
                    known += marks(out)
                    playout.finished(now)
            case "mark" if known:
                playout.marked(known[amount % len(known)], now)
            case "clear":
                playout.clear(now)
                reply += 1
            case _:
                pass
        heard = playout.heard(now)
        assert all(0 <= h.heard_ms <= h.total_ms for h in heard)
        assert sum(h.heard_ms for h in heard) <= min(now, sent * 20)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_without_any_mark_all_is_over_within_the_audio_and_three_seconds(
    lengths: list[int],
) -> None:
    """C6."""
    playout = Playout(OPTIONS)
    for number, ms in enumerate(lengths):
        playout.play(1, f"p{number}", TEXT, audio(ms), last=True)
    bound = sum(-(-ms // 20) * 20 for ms in lengths) + 3000
    over = 0
    for now in range(0, bound + 40, 20):
        playout.take(now)
        playout.sounding(now)
        over += len(playout.finished(now))
    assert over == len(lengths)
    assert playout.idle
