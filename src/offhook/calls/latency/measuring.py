"""A live call's stopwatch: started by a turn of the caller, stopped by the reply's first sound.

What was measured is written with the agent's next words: a reply that nobody heard leaves nothing.
Knows the engine's events and the transcript; knows no clock.
"""

from datetime import timedelta

from offhook.calls.latency import service
from offhook.calls.latency.rules import Stage, Stopwatch
from offhook.calls.service import Connected
from offhook.calls.transcript import Transcript
from offhook.media import PieceStarted, TurnEnded


class Measuring:
    """Of one call. `watch` goes with the reply that is being made."""

    def __init__(self, call: Connected, transcript: Transcript) -> None:
        self._call = call
        self._transcript = transcript
        self.watch: Stopwatch | None = None

    def understood(self, turn: TurnEnded, now_ms: int) -> None:
        """The words of the caller's turn are known."""
        self.watch = Stopwatch(turn.end_ms)
        self.watch.reached(Stage.DECIDED, turn.at_ms)
        self.watch.reached(Stage.WORDS, now_ms)

    def started(self, event: PieceStarted) -> None:
        """The first 20 ms of something are on their way: of the reply, if it begins with that."""
        watch, call = self.watch, self._call
        if watch is None or watch.piece != event.piece:
            return
        self.watch = None
        watch.reached(Stage.SENT, event.at_ms)
        if (times := watch.times()) is None:
            return
        whose = service.Whose(call.team_id, call.call_id, call.number_id, call.snapshot.agent_id)
        ended_at = call.connected_at + timedelta(milliseconds=watch.ended_ms)
        self._transcript.beside_agent(
            lambda session, turn_id: service.record(session, whose, turn_id, ended_at, times)
        )
