"""Who has the floor: turn-taking of one line as a literal table (C4, C5, CM7, HS1).

Pure: voice edges, timers, the agent's voice and recognised words go in, signals come out, time is
an argument in milliseconds of the line. It knows no audio; `vad` finds the edges, `engine` turns
signals into events.

    QUIET   the caller says nothing          ONSET   voice, too short yet to be speech
    SPEECH  the caller has the floor         PAUSE   just stopped; may be a breath
    LULL    paused longer; may have finished
    PROBE   voice over the agent, ducked     DOUBT   it was short: a murmur or "no"?
    BARRED  voice over an agent that must not be interrupted
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from offhook.media.options import LineOptions
from offhook.media.words import Shape, Verdict, judge, shape


class State(Enum):
    QUIET = auto()
    ONSET = auto()
    SPEECH = auto()
    PAUSE = auto()
    LULL = auto()
    PROBE = auto()
    DOUBT = auto()
    BARRED = auto()


class Sense(Enum):
    """What can happen to a line, after its guard has been looked at (see `Turns._timer`)."""

    VOICE = auto()
    HUSH = auto()
    TIMER = auto()
    ADMITTED = auto()
    """The onset grew into speech while the agent is silent."""
    TALKOVER = auto()
    """The onset grew into speech over the agent."""
    REFUSED = auto()
    """The onset grew into speech over an agent that must not be interrupted."""
    AGENT_OFF = auto()
    INTERRUPT = auto()
    DISMISS = auto()


class Kind(Enum):
    STARTED = auto()
    TALKOVER = auto()
    PAUSED = auto()
    RESUMED = auto()
    ENDED = auto()
    INTERRUPTED = auto()
    MURMURED = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class Signal:
    """A decision. `start_ms`..`end_ms` is the caller's voice that it is about."""

    kind: Kind
    start_ms: int
    end_ms: int
    voiced_ms: int = 0
    times: int = 0
    ever_spoke: bool = True


_TABLE: Final[dict[tuple[State, Sense], tuple[State, Kind | None]]] = {
    (State.QUIET, Sense.VOICE): (State.ONSET, None),
    (State.QUIET, Sense.TIMER): (State.QUIET, Kind.SILENT),
    # A slow recogniser's verdict on a word that was already dismissed still counts.
    (State.QUIET, Sense.INTERRUPT): (State.PAUSE, Kind.INTERRUPTED),
    (State.ONSET, Sense.HUSH): (State.QUIET, None),
    (State.ONSET, Sense.ADMITTED): (State.SPEECH, Kind.STARTED),
    (State.ONSET, Sense.TALKOVER): (State.PROBE, Kind.TALKOVER),
    (State.ONSET, Sense.REFUSED): (State.BARRED, None),
    (State.SPEECH, Sense.HUSH): (State.PAUSE, None),
    # The agent began to speak while the caller already was: the caller wins.
    (State.SPEECH, Sense.TIMER): (State.SPEECH, Kind.INTERRUPTED),
    (State.SPEECH, Sense.INTERRUPT): (State.SPEECH, Kind.INTERRUPTED),
    (State.PAUSE, Sense.VOICE): (State.SPEECH, None),
    (State.PAUSE, Sense.TIMER): (State.LULL, Kind.PAUSED),
    (State.LULL, Sense.VOICE): (State.SPEECH, Kind.RESUMED),
    (State.LULL, Sense.TIMER): (State.QUIET, Kind.ENDED),
    (State.PROBE, Sense.HUSH): (State.DOUBT, None),
    (State.PROBE, Sense.TIMER): (State.SPEECH, Kind.INTERRUPTED),
    (State.PROBE, Sense.INTERRUPT): (State.SPEECH, Kind.INTERRUPTED),
    (State.PROBE, Sense.AGENT_OFF): (State.SPEECH, None),
    (State.DOUBT, Sense.VOICE): (State.PROBE, None),
    (State.DOUBT, Sense.TIMER): (State.QUIET, Kind.MURMURED),
    (State.DOUBT, Sense.DISMISS): (State.QUIET, Kind.MURMURED),
    (State.DOUBT, Sense.INTERRUPT): (State.PAUSE, Kind.INTERRUPTED),
    # The agent had finished anyway: what was said is an answer, short or not.
    (State.DOUBT, Sense.AGENT_OFF): (State.PAUSE, None),
    (State.BARRED, Sense.HUSH): (State.QUIET, None),
    (State.BARRED, Sense.AGENT_OFF): (State.SPEECH, Kind.STARTED),
}
"""(state, what happens) -> (next state, what is decided). What is not listed changes nothing."""

_LATE_VERDICT_MS: Final = 2000
_VERDICT_HOLDS_MS: Final = 300
_SYLLABLE_GAP_MS: Final = 400
"""A longer break makes two murmurs of it, not one long interruption."""

_VOICED: Final = frozenset({State.ONSET, State.SPEECH, State.PROBE, State.BARRED})
"""The states in which the caller is making voice right now."""


class Turns:
    """The turn-taking of one line. Call it on every edge and when `deadline_ms` has come."""

    __slots__ = (
        "_agent_since",
        "_agent_talking",
        "_before",
        "_dismissed_at",
        "_dismissed_until",
        "_ever_spoke",
        "_idle_since",
        "_last_voice",
        "_options",
        "_probe_limit",
        "_probed",
        "_run_start",
        "_silence",
        "_start",
        "_times",
        "_voiced",
        "deadline_ms",
        "state",
    )

    def __init__(self, options: LineOptions, now_ms: int = 0) -> None:
        self._options = options
        self.state = State.QUIET
        self.deadline_ms: int | None = None
        self._agent_talking = False
        self._agent_since = now_ms
        self._start = now_ms  # of the present or latest utterance
        self._probed = 0  # voice over the agent before the present run, short breaks left out
        self._probe_limit = options.interrupt_ms
        self._dismissed_until = now_ms  # a final "murmur" of the recogniser holds until then
        self._run_start = now_ms  # of the present unbroken voice
        self._last_voice = now_ms  # end of the latest voice
        self._voiced = 0  # voice in this utterance before the present run
        self._silence = options.silence_ms
        self._idle_since = now_ms
        self._times = 0
        self._ever_spoke = False
        self._before = (False, now_ms, 0)
        self._dismissed_at: int | None = None
        self._arm()

    @property
    def ducked(self) -> bool:
        """Whether the agent should be quieter: the caller probably speaks over it."""
        return self.state in (State.PROBE, State.DOUBT)

    @property
    def speaking(self) -> bool:
        """Whether the caller has the floor."""
        return self.state in (State.SPEECH, State.PAUSE, State.LULL)

    def configure(self, options: LineOptions) -> None:
        """Use other options from now on."""
        self._options = options
        self._arm()

    def voice(self, start_ms: int) -> list[Signal]:
        """Voice began at `start_ms`."""
        self._run_start = start_ms
        if self.state is State.QUIET:
            self._start, self._voiced = start_ms, 0
        if self.state is State.QUIET or start_ms - self._last_voice > _SYLLABLE_GAP_MS:
            self._probed, self._probe_limit = 0, self._options.interrupt_ms
        if self.state in (State.PAUSE, State.LULL):
            # The words that looked finished were not the last ones.
            self._silence = self._options.silence_ms
        return self._step(Sense.VOICE, start_ms)

    def hush(self, end_ms: int) -> list[Signal]:
        """Voice ended; its last moment was `end_ms`."""
        self._last_voice = max(end_ms, self._run_start)
        voiced = self._last_voice - self._run_start
        self._voiced += voiced
        self._probed += voiced
        signals = self._step(Sense.HUSH, end_ms)
        if self.state is State.DOUBT and end_ms <= self._dismissed_until:
            signals += self._step(Sense.DISMISS, end_ms)
        return signals

    def agent(self, talking: bool, now_ms: int) -> list[Signal]:
        """The agent began or ceased to be audible."""
        self._agent_talking = talking
        self._agent_since = now_ms
        if not talking:
            self._idle_since = max(self._idle_since, now_ms)
            return self._step(Sense.AGENT_OFF, now_ms)
        self._arm()
        return []

    def words(self, text: str, now_ms: int, *, final: bool = False) -> list[Signal]:
        """Take in the recogniser's words for what the caller is saying or just said.

        Over the agent's speech they decide between murmur and interruption; otherwise they tell
        whether the sentence looks finished. `final` and empty: it was no speech.
        """
        verdict = judge(text)
        signals: list[Signal] = []
        if verdict is Verdict.NOTHING and final and self.state is State.QUIET:
            self._take_back()
        if self._agent_talking and self._options.barge_in:
            signals = self._words_over_agent(verdict, now_ms, final=final)
        if self.speaking:
            self._silence = self._silence_for(shape(text))
            self._arm()
        return signals

    def _words_over_agent(self, verdict: Verdict, now_ms: int, *, final: bool) -> list[Signal]:
        if verdict is Verdict.INTERRUPTION:
            return self._step(Sense.INTERRUPT, now_ms) if self._may_interrupt(now_ms) else []
        if final:
            self._dismissed_until = now_ms + _VERDICT_HOLDS_MS
            return self._step(Sense.DISMISS, now_ms)
        if verdict is Verdict.MURMUR and self.state is State.PROBE:
            # A drawn-out "mmhmm": length alone says less when the words say murmur.
            self._probe_limit = 2 * self._options.interrupt_ms
            self._arm()
        return []

    def tick(self, now_ms: int) -> list[Signal]:
        """Time has come to `now_ms`; call it when that is at or past `deadline_ms`."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return []
        return self._step(self._timer(), now_ms)

    def _timer(self) -> Sense:
        if self.state is not State.ONSET:
            return Sense.TIMER
        if not self._agent_talking:
            return Sense.ADMITTED
        return Sense.TALKOVER if self._options.barge_in else Sense.REFUSED

    def _may_interrupt(self, now_ms: int) -> bool:
        if self.state is not State.QUIET:
            return True
        return self._dismissed_at is not None and now_ms - self._dismissed_at <= _LATE_VERDICT_MS

    def _silence_for(self, words: Shape) -> int:
        options = self._options
        return {
            Shape.COMPLETE: options.silence_complete_ms,
            Shape.INCOMPLETE: options.silence_incomplete_ms,
            Shape.UNKNOWN: options.silence_ms,
        }[words]

    def _step(self, sense: Sense, now_ms: int) -> list[Signal]:
        state, kind = _TABLE.get((self.state, sense), (self.state, None))
        self.state = state
        signals = [] if kind is None else [self._decide(kind, now_ms)]
        self._arm()
        return signals

    def _decide(self, kind: Kind, now_ms: int) -> Signal:
        """Keep the books of a decision and describe it."""
        if kind in (Kind.STARTED, Kind.TALKOVER):
            self._before = (self._ever_spoke, self._idle_since, self._times)
            self._silence = self._options.silence_ms
        if kind is Kind.SILENT:
            silent_ms = now_ms - self._idle_since
            self._times += 1
            self._idle_since = now_ms
            return Signal(kind, now_ms - silent_ms, now_ms, 0, self._times, self._ever_spoke)
        if kind is Kind.MURMURED:
            self._dismissed_at = now_ms
        if kind is Kind.INTERRUPTED:
            self._dismissed_at = None
            self._agent_talking = False  # the engine clears the agent in the same tick
        if kind is Kind.ENDED:
            self._ever_spoke, self._times = True, 0
            self._idle_since = max(self._idle_since, self._last_voice)
        end = now_ms if self.state in _VOICED else self._last_voice
        return Signal(kind, self._start, end, self._voiced, self._times, self._ever_spoke)

    def _take_back(self) -> None:
        """Forget the latest turn: it had no words (HS1), so the caller has been silent since."""
        self._ever_spoke, self._idle_since, self._times = self._before
        if not self._agent_talking:
            self._idle_since = max(self._idle_since, self._agent_since)
        self._arm()

    def _arm(self) -> None:
        """Set the deadline that belongs to the state."""
        options = self._options
        match self.state:
            case State.QUIET:
                wait = options.check_in_ms if self._ever_spoke else options.never_spoke_ms
                silent = not self._agent_talking and wait is not None
                self.deadline_ms = self._idle_since + (wait or 0) if silent else None
            case State.ONSET:
                self.deadline_ms = self._run_start + options.onset_ms
            case State.SPEECH:
                over = self._agent_talking and options.barge_in
                since = max(self._run_start, self._agent_since)
                self.deadline_ms = since + options.interrupt_ms if over else None
            case State.PAUSE:
                self.deadline_ms = self._last_voice + options.pause_ms
            case State.LULL:
                self.deadline_ms = self._last_voice + self._silence
            case State.PROBE:
                self.deadline_ms = self._run_start + self._probe_limit - self._probed
            case State.DOUBT:
                self.deadline_ms = self._last_voice + options.doubt_ms
            case State.BARRED:
                self.deadline_ms = None
