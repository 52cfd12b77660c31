"""What a person and a number of ours had with each other in a day, as counts. Pure."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Talk:
    """A call: who began it, how it ended, its minutes; 0 where its length is nobody's promise."""

    began: str
    ended: str
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """`units` are messages on the ledger, `answered` replies of the agent that the carrier took,
    `failed` those that it would not have. `transfers` say how each went, `runs` which kinds of task
    were done. `stopped`: wants no more; None where it was not said.
    """

    heard: int = 0
    answered: int = 0
    failed: int = 0
    confirmed: int = 0
    by_hand: int = 0
    units: int = 0
    talks: tuple[Talk, ...] = ()
    transfers: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    stopped: bool | None = None

    def __add__(self, later: "Tally") -> "Tally":
        sums = {
            each.name: getattr(self, each.name) + getattr(later, each.name)
            for each in fields(self)
            if each.name != "stopped"
        }
        return Tally(**sums, stopped=self.stopped if later.stopped is None else later.stopped)

    def settled(self) -> "Tally":
        """The same in an order of its own: what was at the same time has none."""
        return replace(
            self,
            talks=tuple(sorted(self.talks, key=str)),
            transfers=tuple(sorted(self.transfers)),
            runs=tuple(sorted(self.runs)),
            stopped=bool(self.stopped),
        )
