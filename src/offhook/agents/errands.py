"""The offline answerer's dealing with tasks: asks for each missing input, reads back, runs, tells.

Carries out the moves of moves.py on the briefing's toolbox, and makes the sentences. What is
proposed is kept by the toolbox, so the dialogue goes on over replies, processes and channels.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from offhook.agents import filling, moves, wishes
from offhook.agents.brain import (
    Briefing,
    Channel,
    HandOver,
    NeedsPerson,
    Part,
    Said,
    Speaker,
    Text,
    Told,
    Working,
)
from offhook.agents.moves import Again, Aside, Ask, Confirm, Drop, Move, Propose, Situation
from offhook.knowledge import likeness
from offhook.tasks import (
    Completed,
    Failed,
    HandingOver,
    Incomplete,
    Input,
    News,
    Offer,
    Refused,
    Step,
    Unconfirmed,
    affirms,
)

OFFER_PERSON = "Shall I have somebody get back to you?"
NOT_CLEAR = "Sorry, I did not get that."
GIVEN_UP = "I am sorry, I do not understand it. " + OFFER_PERSON
LEFT = "All right, I have left it. Is there anything else?"
STILL_AT_IT = "I am still on it, one moment."
WHAT_TO_CHANGE = "What should I change?"
ANYTHING_ELSE = " Is there anything else?"
PATIENCE = 3
"""Times that one question is asked in a row before a person is offered."""


def tell(news: Sequence[News]) -> list[Part]:
    """What became of runs that ended since (CM5)."""
    parts: list[Part] = []
    for each in news:
        parts += [Text((" " if parts else "") + _outcome(each.step)), Told(each.step.run_id)]
    return parts


def without_begun(briefing: Briefing, begun: Sequence[Offer]) -> Briefing:
    """The briefing without the turns that began these tasks: an earlier reply took them up, was
    interrupted, and left them unanswered.
    """
    waiting = briefing.unanswered
    taken = 0
    while taken < len(waiting) and _began(waiting[taken], begun, briefing):
        taken += 1
    before = briefing.history[: len(briefing.history) - len(waiting)]
    left = [Said(Speaker.CALLER, text) for text in waiting[taken:]]
    return replace(briefing, history=[*before, *(left or [Said(Speaker.AGENT, "")])])


def _began(text: str, begun: Sequence[Offer], briefing: Briefing) -> bool:
    language = briefing.snapshot.language
    return wishes.named(begun, text) is not None or affirms(text, language, text)


async def decide(briefing: Briefing) -> tuple[Move | None, Incomplete | Unconfirmed | None]:
    """What the unanswered turns mean for the tasks, and what was proposed before them."""
    tools = briefing.tools
    if not tools.offers or not briefing.unanswered or briefing.now is None:
        return None, None
    current = await tools.current()
    at = Situation(
        offers=tools.offers,
        current=current,
        heard=_last_heard(briefing),
        today=briefing.now.date(),
        language=briefing.snapshot.language,
    )
    text = " ".join(briefing.unanswered)
    found = moves.move(at, text)
    if found is None and wishes.is_wish(text):
        phrases = [phrase for _, phrase in wishes.all_phrases(tools.offers)]
        meant = wishes.alike(tools.offers, text, await likeness(text, phrases))
        found = moves.begin(meant, text, at) if meant is not None else None
    return found, current


async def carry_out(
    found: Move, current: Incomplete | Unconfirmed | None, briefing: Briefing
) -> AsyncIterator[Part]:
    """The reply to a move other than `Aside`."""
    tools = briefing.tools
    match found:
        case Propose():
            async for part in _propose(found, briefing):
                yield part
        case Confirm():
            yield Working()
            for part in _say(await _confirmed(briefing), briefing, {}):
                yield part
        case Drop():
            await tools.drop()
            yield Text("" if found.silent else LEFT)
        case Ask(input=wanted):
            yield Text(filling.question(wanted) if wanted is not None else WHAT_TO_CHANGE)
        case Again(unclear=unclear):
            async for part in _again(current, briefing, unclear=unclear):
                yield part
        case Aside():
            pass


async def _confirmed(briefing: Briefing) -> Step:
    """Run it; a yes that the toolbox does not take for one is asked for again."""
    step = await briefing.tools.confirm()
    if isinstance(step, Refused) and (left := await briefing.tools.current()) is not None:
        return left
    return step


async def _propose(found: Propose, briefing: Briefing) -> AsyncIterator[Part]:
    if not found.offer.confirm:
        yield Working()
    step = await briefing.tools.propose(found.offer.name, found.values)
    lead = "Sure. " if found.begins and isinstance(step, Incomplete) else ""
    for part in _say(step, briefing, found.problems, lead=lead):
        yield part


def go_on(current: Incomplete | Unconfirmed) -> Text:
    """Back to the task, after something was answered in between."""
    return Text(f" {_pending(current)}")


async def _again(
    current: Incomplete | Unconfirmed | None, briefing: Briefing, *, unclear: bool
) -> AsyncIterator[Part]:
    if current is None:
        return
    pending = _pending(current)
    if unclear and _asked_in_a_row(briefing, pending) >= PATIENCE:
        await briefing.tools.drop()
        yield Text(GIVEN_UP)
        yield NeedsPerson(f"“{current.offer.title}” could not be understood.")
    else:
        yield Text(f"{NOT_CLEAR} {pending}" if unclear else pending)


def _pending(current: Incomplete | Unconfirmed) -> str:
    """What the other side is to answer."""
    if isinstance(current, Unconfirmed):
        return current.readback
    return filling.question(current.ask)


def _say(
    step: Step, briefing: Briefing, problems: Mapping[str, str], *, lead: str = ""
) -> list[Part]:
    match step:
        case Incomplete(offer=offer, ask=ask):
            sentences = {**step.problems, **problems}
            asked = _input(offer, next(iter(problems), "")) or ask
            return [Text(lead + " ".join([*sentences.values(), filling.question(asked)]))]
        case Unconfirmed():
            if problems:
                asked = _input(step.offer, next(iter(problems)))
                question = filling.question(asked) if asked is not None else step.readback
                return [Text(" ".join([*problems.values(), question]))]
            return [Text(step.readback)]
        case Completed() | Failed():
            more = ANYTHING_ELSE if briefing.channel is Channel.CALL else ""
            text = _outcome(step)
            return [Text(text + ("" if text.endswith("?") else more)), Told(step.run_id)]
        case Refused(reason=reason):
            return [Text(reason)]
        case HandingOver(run_id=run_id, target=target, answer=answer):
            return [Text(answer), HandOver(run_id, target)]


def _outcome(step: Completed | Failed) -> str:
    if isinstance(step, Failed):
        return f"{step.reason} {OFFER_PERSON}"
    return step.answer


def _input(offer: Offer, name: str) -> Input | None:
    return next((each for each in offer.inputs if each.name == name), None)


def _last_heard(briefing: Briefing) -> str:
    said = [each.text for each in briefing.history if each.speaker is not Speaker.CALLER]
    return said[-1] if said else ""


def _asked_in_a_row(briefing: Briefing, pending: str) -> int:
    """How often the agent's last turns ended with the same question."""
    count = 0
    for each in reversed(briefing.history):
        if each.speaker is Speaker.CALLER:
            continue
        if not each.text.rstrip().endswith(pending):
            break
        count += 1
    return count
