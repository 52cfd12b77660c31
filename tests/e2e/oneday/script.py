"""A written day, from a seed: who does what at which hour, and what the rules promise. Pure.

    script = written(seed=7, people=200)
    script.moments[0].visits[0].steps             # what is done, in this order
    script.promised()[desk, person]               # the Tally that the rules come to

A visit is one person's and one number's; the visits of a moment are at the same time, but those of
one person follow each other, and the next moment begins when all are over. What the rules promise
for a step is a table (STEPS), typed from the spec and not asked of the product.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import add
from random import Random

from oneday.tally import Talk, Tally


class Desk(StrEnum):
    """Our three numbers."""

    FRONT = "front"
    SHOP = "shop"
    LINE = "line"


class Do(StrEnum):
    """What happens in a step; the person acts, unless it says that a member does."""

    ASK = "asks by text, is answered"
    BURST = "texts in pieces, is answered once (S3)"
    PICTURE = "texts a picture, is answered"
    REACT = "puts a heart on the last reply (S9)"
    STOP = "texts STOP (S4)"
    STOP_AGAIN = "texts STOP once more, is told nothing (UT9)"
    START = "texts START"
    HELP = "texts HELP"
    ASK_STOPPED = "asks, having stopped: counted, not answered (UT10)"
    ASK_BLOCKED = "asks, being blocked or held back: kept, not counted"
    ASK_UNANSWERED = "asks, and the limit has no unit for a reply (UT3)"
    ASK_PERSON = "asks while a member has the thread (S7)"
    ASK_UNREACHED = "asks, and the carrier fails the reply (UT7)"
    ASK_UNDELIVERED = "asks, and the reply is not delivered (UT6)"
    ASK_REFUSED = "asks, and the carrier refuses the reply for a STOP (SM1)"
    TAKE = "a member takes the thread over"
    GIVE = "a member hands it back; what nobody answered is answered"
    GIVE_DONE = "a member hands it back, having answered all"
    WRITE = "a member texts by hand"
    WRITE_STOPPED = "a member texts by hand and is refused (S4)"
    BLOCK = "a member blocks the contact (P7)"
    CALL_ASK = "calls, asks, hears the answer, hangs up"
    CALL_HIDDEN = "calls with a hidden number and asks (P5)"
    CALL_MUTE = "calls and says nothing, is let go (C5)"
    CALL_LONG = "calls and stays for more than a minute (UM2)"
    CALL_PERSON = "calls, asks for a person, is put through (C6)"
    CALL_BUSY = "calls, asks for a person whose line is busy, is back, says nothing (C6)"
    CALL_ALONE = "calls, asks for a person who does not answer, is back, says nothing (C6)"
    CALL_LIMIT = "calls, and no minute is left (UL4)"
    CALL_DISABLED = "calls a number that is disabled (N9)"
    CALL_BLOCKED = "calls, being blocked (P7)"
    CALL_THIRD = "calls twice at once, and a third time (SEC12)"
    CALLED = "is called by the agent, talks, hangs up (C8)"
    CALLED_BUSY = "is called, the line is busy"
    CALLED_AWAY = "is called, nobody is at home"


def _in(ended: str, minutes: int = 0) -> Tally:
    return Tally(talks=(Talk("inbound", ended, minutes),))


def _out(ended: str, minutes: int = 0) -> Tally:
    return Tally(talks=(Talk("outbound", ended, minutes),))


ANSWERED = Tally(heard=1, answered=1, units=2)
STEPS: Mapping[Do, Tally] = {
    Do.ASK: ANSWERED,
    Do.BURST: ANSWERED,  # and one unit for each further piece
    Do.PICTURE: ANSWERED,
    Do.REACT: Tally(heard=1, units=1),
    Do.STOP: Tally(heard=1, confirmed=1, units=1, stopped=True),
    Do.STOP_AGAIN: Tally(heard=1, units=1, stopped=True),
    Do.START: Tally(heard=1, confirmed=1, units=1, stopped=False),
    Do.HELP: Tally(heard=1, confirmed=1, units=1),
    Do.ASK_STOPPED: Tally(heard=1, units=1),
    Do.ASK_BLOCKED: Tally(heard=1),
    Do.ASK_UNANSWERED: Tally(heard=1, units=1),
    Do.ASK_PERSON: Tally(heard=1, units=1),
    Do.ASK_UNREACHED: Tally(heard=1, failed=1, units=1),
    Do.ASK_UNDELIVERED: ANSWERED,
    Do.ASK_REFUSED: Tally(heard=1, failed=1, units=1, stopped=True),
    Do.TAKE: Tally(),
    Do.GIVE: Tally(answered=1, units=1),
    Do.GIVE_DONE: Tally(),
    Do.WRITE: Tally(by_hand=1, units=1),
    Do.WRITE_STOPPED: Tally(),
    Do.BLOCK: Tally(),
    Do.CALL_ASK: _in("caller_hung_up", 1),
    Do.CALL_HIDDEN: _in("caller_hung_up", 1),
    Do.CALL_MUTE: _in("silence", 1),
    Do.CALL_LONG: _in("caller_hung_up", 2),
    Do.CALL_PERSON: _in("transfer_over") + Tally(transfers=("ended",)),
    Do.CALL_BUSY: _in("silence") + Tally(transfers=("busy",)),
    Do.CALL_ALONE: _in("silence") + Tally(transfers=("no_answer",)),
    Do.CALL_LIMIT: _in("limit_reached"),
    Do.CALL_DISABLED: _in("disabled"),
    Do.CALL_BLOCKED: _in("blocked"),
    Do.CALL_THIRD: _in("silence", 1) + _in("silence", 1) + _in("caller_lines_full"),
    Do.CALLED: _out("caller_hung_up", 1),
    Do.CALLED_BUSY: _out("busy"),
    Do.CALLED_AWAY: _out("no_answer"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """`words`: what is texted, in so many pieces, or said. `done`: the task that it completes."""

    do: Do
    words: tuple[str, ...] = ()
    done: str = ""

    @property
    def promise(self) -> Tally:
        further = max(0, len(self.words) - 1) if self.do is Do.BURST else 0
        runs = (self.done,) if self.done else ()
        return STEPS[self.do] + Tally(heard=further, units=further, runs=runs)


@dataclass(frozen=True, slots=True)
class Visit:
    """`minute` of the hour in which it begins; `person` is a telephone number."""

    person: str
    desk: Desk
    minute: int
    steps: tuple[Step, ...]

    @property
    def promise(self) -> Tally:
        return reduce(add, (step.promise for step in self.steps), Tally())


class Before(StrEnum):
    """What the team changes before a moment."""

    ANNA_ANSWERS = "Anna takes calls"
    ANNA_ACCEPTS = "Anna takes calls that are announced, by a key"
    ANNA_BUSY = "Anna's line is busy"
    ANNA_AWAY = "nobody answers at Anna's"
    LIMIT_SMS = "LINE has three messages left"
    LIMIT_CALLS = "LINE has one minute left"
    NO_LIMITS = "LINE has no limits"
    DISABLE = "SHOP is disabled"
    ENABLE = "SHOP is enabled"
    REPEAT = "the carrier tells many things twice or three times (SEC2)"


@dataclass(frozen=True, slots=True)
class Moment:
    """An hour of the day, or a part of it."""

    name: str
    before: tuple[Before, ...]
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Script:
    seed: int
    moments: tuple[Moment, ...]

    def visits(self) -> Iterator[Visit]:
        return (visit for moment in self.moments for visit in moment.visits)

    def promised(self) -> dict[tuple[str, str], Tally]:
        """What every person and number come to, in the order of the day."""
        sums: dict[tuple[str, str], Tally] = defaultdict(Tally)
        for visit in self.visits():
            for step in visit.steps:
                hidden = step.do is Do.CALL_HIDDEN
                sums[visit.desk, "" if hidden else visit.person] += step.promise
        return {pair: tally.settled() for pair, tally in sums.items()}


REPLIES_AN_HOUR = 10
"""A sender gets no more (SEC11); the day is played within an hour."""
AREAS = (202, 214, 303, 305, 404, 503, 602, 702, 713, 808)
"""Where people live: the simulated carrier sells no numbers there."""
UNREACHED, UNDELIVERED, REFUSED = "+15005550011", "+15005550010", "+15005550004"
"""Numbers to which the simulated carrier's texts fail, are not delivered, are refused."""
QUESTIONS = (
    "Are you open on Sunday?",
    "How much is a rye loaf?",
    "Where do I find you?",
    "Can I park behind the shop?",
    "Do you have coffee?",
    "Are dogs allowed in the shop?",
    "Is the gluten-free loaf baked on Thursdays?",
    "Until when do you take orders for tomorrow?",
    "Do you deliver on Fridays?",
    "Is the baguette vegan?",
    "Can I pay by card?",
    "Do you sell gift vouchers?",
    "Can the bread be sliced?",
    "Are you hiring?",
)
PIECES = (
    ("Hi there", "one question", "are you open on Saturday?"),
    ("Hello", "how much is a baguette?"),
)
CAKES = ("chocolate", "lemon", "carrot")
NAMES = ("Ann Lee", "John Smith", "Mary Jones", "Peter Brown", "Susan Clark", "David White")
SPOKEN = "Are you open on Sunday?"
FOR_PERSON = "Can I talk to a real person, please?"


def number(index: int) -> str:
    """The telephone of the index-th person: kept for fiction (555-0100 to 555-0199)."""
    return f"+1{AREAS[index % len(AREAS)]}55501{index // len(AREAS):02d}"


def _asks(dice: Random, count: int = 1) -> tuple[Step, ...]:
    return tuple(Step(Do.ASK, (words,)) for words in dice.sample(QUESTIONS, count))


def _asking(dice: Random) -> tuple[Step, ...]:
    return _asks(dice, dice.randint(1, 3))


def _bursting(dice: Random) -> tuple[Step, ...]:
    return (Step(Do.BURST, dice.choice(PIECES)), *_asks(dice))


def _reacting(dice: Random) -> tuple[Step, ...]:
    return (*_asks(dice), Step(Do.REACT))


def _picturing(dice: Random) -> tuple[Step, ...]:
    return (Step(Do.PICTURE, (dice.choice(QUESTIONS),)),)


def _stopping(dice: Random) -> tuple[Step, ...]:
    first, later, last = _asks(dice, 3)
    again = (Step(Do.STOP_AGAIN, ("Stop.",)),) if dice.random() < 0.5 else ()
    back = (Step(Do.START, ("START",)), last) if dice.random() < 0.5 else ()
    word = dice.choice(("STOP", "stop!!", "Unsubscribe", "STOP\n\nSent from my phone"))
    kept = Step(Do.ASK_STOPPED, later.words)
    written = Step(Do.WRITE_STOPPED, ("We have a new bread.",))
    return (first, Step(Do.STOP, (word,)), *again, kept, written, *back)


def _helping(dice: Random) -> tuple[Step, ...]:
    return (Step(Do.HELP, ("HELP",)), *_asks(dice))


def _taken_over(dice: Random) -> tuple[Step, ...]:
    first, mine, left = _asks(dice, 3)
    ask, wait = (Step(Do.ASK_PERSON, each.words) for each in (mine, left))
    written = Step(Do.WRITE, ("Lena here, I will see to it.",))
    if dice.random() < 0.5:
        return (first, Step(Do.TAKE), ask, written, wait, Step(Do.GIVE))
    return (first, Step(Do.TAKE), ask, written, Step(Do.GIVE_DONE), left)


def _booking(dice: Random) -> tuple[Step, ...]:
    said = ("I would like to book a table", "tomorrow", "at 7 pm", "four", dice.choice(NAMES))
    steps = (Step(Do.ASK, (words,)) for words in said)
    return (*steps, Step(Do.ASK, ("Yes please",), done="booking"))


def _ordering(dice: Random) -> tuple[Step, ...]:
    said = ("I want to order a birthday cake", dice.choice(CAKES))
    steps = (Step(Do.ASK, (words,)) for words in said)
    return (*steps, Step(Do.ASK, ("Yes please",), done="http"))


def _insisting(dice: Random) -> tuple[Step, ...]:
    """More texts than anybody is answered in an hour (SEC11)."""
    asked = _asks(dice, REPLIES_AN_HOUR + 2)
    held = (Step(Do.ASK_BLOCKED, each.words) for each in asked[REPLIES_AN_HOUR:])
    return (*asked[:REPLIES_AN_HOUR], *held)


def _written_to(dice: Random) -> tuple[Step, ...]:
    return (Step(Do.WRITE, ("Your order is ready.",)), *_asks(dice))


def _blocked(dice: Random) -> tuple[Step, ...]:
    first, later = _asks(dice, 2)
    kept = Step(Do.ASK_BLOCKED, later.words)
    return (first, Step(Do.BLOCK), kept, Step(Do.CALL_BLOCKED))


TEXTING = (
    (_asking, 30),
    (_bursting, 12),
    (_stopping, 10),
    (_taken_over, 8),
    (_booking, 8),
    (_ordering, 8),
    (_reacting, 6),
    (_picturing, 4),
    (_helping, 4),
    (_written_to, 6),
    (_blocked, 3),
    (_insisting, 1),
)
CALLING = (
    (Do.CALL_ASK, 10),
    (Do.CALL_MUTE, 5),
    (Do.CALL_HIDDEN, 2),
    (Do.CALL_THIRD, 2),
    (Do.CALLED, 5),
    (Do.CALLED_BUSY, 2),
    (Do.CALLED_AWAY, 3),
    (Do.CALL_LONG, 2),
)
HOURS = range(8, 20)


@dataclass(frozen=True, slots=True)
class Hour:
    """A part of the plan. `also`: visits that this moment is made for, as (do, where, how many)."""

    name: str
    before: tuple[Before, ...] = ()
    also: tuple[tuple[Do, Desk, int], ...] = ()
    closed: frozenset[Desk] = frozenset()
    """Numbers at which nobody else calls or texts in this moment."""
    short: bool = False
    """Part of a short day too."""


_F, _S, _L = Desk.FRONT, Desk.SHOP, Desk.LINE
_LIMITED = frozenset({_L})
PLAN: tuple[Hour, ...] = (
    Hour("08:00", (Before.ANNA_ANSWERS, Before.REPEAT), ((Do.CALL_PERSON, _F, 3),), short=True),
    Hour("09:00"),
    Hour("10:00", (Before.ANNA_BUSY,), ((Do.CALL_BUSY, _F, 2),)),
    Hour("11:00", (Before.ANNA_AWAY,), ((Do.CALL_ALONE, _L, 2),)),
    Hour("12:00", (Before.ANNA_ACCEPTS, Before.REPEAT), ((Do.CALL_PERSON, _S, 2),)),
    Hour("13:00"),
    Hour(
        "14:00",
        (Before.DISABLE,),
        ((Do.ASK_BLOCKED, _S, 4), (Do.CALL_DISABLED, _S, 2)),
        frozenset({_S}),
        short=True,
    ),
    Hour("15:00", (Before.ENABLE, Before.REPEAT)),
    Hour("16:00", (Before.LIMIT_SMS,), ((Do.ASK, _L, 1),), _LIMITED, short=True),
    Hour("16:20", (), ((Do.ASK_UNANSWERED, _L, 1),), _LIMITED, short=True),
    Hour("16:40", (), ((Do.ASK_BLOCKED, _L, 2),), _LIMITED, short=True),
    Hour("17:00", (Before.LIMIT_CALLS,), ((Do.CALL_MUTE, _L, 1),), _LIMITED),
    Hour("17:30", (), ((Do.CALL_LIMIT, _L, 2),), _LIMITED),
    Hour("18:00", (Before.NO_LIMITS,)),
    Hour("19:00"),
)
FAILING = (
    (Do.ASK_UNREACHED, UNREACHED),
    (Do.ASK_UNDELIVERED, UNDELIVERED),
    (Do.ASK_REFUSED, REFUSED),
)
LEAVES_THE_PAIR_OPEN = {_asking, _bursting, _reacting, _picturing, _booking, _ordering, _helping}
"""After these a person may call the same number too."""
SHORT = 50
"""A day with fewer people has fewer hours: most happens in the first, and nobody insists."""


def written(seed: int, people: int) -> Script:
    """The day of this seed; the same for the same arguments, wherever it is written."""
    return _Writing(seed, people).script()


class _Writing:
    """One script on its way: who is there, and whom each moment has."""

    def __init__(self, seed: int, people: int) -> None:
        self._dice = Random(seed)
        self._seed = seed
        self._short = people < SHORT
        self._people = [number(index) for index in range(people)]
        self._hours = [hour for hour in PLAN if hour.short or not self._short]
        self._visits: dict[str, list[Visit]] = defaultdict(list)

    def script(self) -> Script:
        self._dice.shuffle(self._people)
        free = iter(self._people)
        for hour in self._hours:
            for do, desk, count in hour.also:
                for _ in range(1 if self._short else count):
                    step = self._step(do)
                    self._at(hour, next(free), desk, (step,))
        for do, failing in FAILING:
            self._at(self._hours[0], failing, _F, (self._step(do),))
        self._mix(list(free))
        moments = (
            Moment(hour.name, hour.before, tuple(sorted(self._visits[hour.name], key=_minute)))
            for hour in self._hours
        )
        return Script(self._seed, tuple(moments))

    def _mix(self, people: Sequence[str]) -> None:
        """Everybody texts, some call; each kind of text and call comes at least once."""
        texting = [each for each in TEXTING if not (self._short and each[0] is _insisting)]
        kinds = [kind for kind, _ in texting]
        weights = [weight for _, weight in texting]
        drawn = kinds + self._dice.choices(kinds, weights, k=max(0, len(people) - len(kinds)))
        called = [do for do, _ in CALLING if not (self._short and do is Do.CALL_LONG)]
        if not self._short:
            weighed = [weight for _, weight in CALLING]
            called += self._dice.choices(called, weighed, k=len(people) // 8)
        for person, kind in zip(people, drawn, strict=False):
            desks = self._dice.sample(tuple(Desk), 3)
            self._somewhen(person, desks[0], kind(self._dice))
            again = kind is not _blocked and self._dice.random() < 0.25
            if again:
                self._somewhen(person, desks[1], _asking(self._dice))
            if called and (again or kind in LEAVES_THE_PAIR_OPEN):
                desk = desks[0] if kind in LEAVES_THE_PAIR_OPEN else desks[1]
                self._somewhen(person, desk, (self._step(called.pop()),))

    def _somewhen(self, person: str, desk: Desk, steps: tuple[Step, ...]) -> None:
        open_hours = [hour for hour in self._hours if desk not in hour.closed]
        hour = open_hours[0] if self._short else self._dice.choice(open_hours)
        self._at(hour, person, desk, steps)

    def _at(self, hour: Hour, person: str, desk: Desk, steps: tuple[Step, ...]) -> None:
        minute = self._dice.randrange(60)
        self._visits[hour.name].append(Visit(person, desk, minute, steps))

    def _step(self, do: Do) -> Step:
        asked = do.name.startswith("ASK")
        return Step(do, (self._dice.choice(QUESTIONS),)) if asked else Step(do)


def _minute(visit: Visit) -> int:
    return visit.minute
