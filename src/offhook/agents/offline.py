"""The answerer that needs no key: finds the passage and answers in its words (decision 7).

Says when it does not know, and offers a person (K2). Small talk, repeats and follow-up questions
are understood by rules (smalltalk.py, questions.py); phrasing.py makes the sentences. Tasks are
filled by asking for each missing input and read back (errands.py). Implements `brain.Brain`; knows
no vendor.
"""

import re
from collections.abc import AsyncIterator, Sequence

from offhook import costs
from offhook.agents import errands, learning, phrasing, questions, smalltalk, wishes
from offhook.agents.brain import (
    Briefing,
    Channel,
    Cited,
    HandOver,
    HangUp,
    KnowledgeAway,
    NeedsPerson,
    Part,
    Said,
    Speaker,
    Text,
)
from offhook.agents.moves import Aside, Drop
from offhook.agents.smalltalk import Talk
from offhook.knowledge import likeness

CANNOT_LOOK = "I am sorry, I cannot look that up just now. " + errands.OFFER_PERSON
NOT_HEARD = "Sorry, I did not catch that. Could you say it again?"
NOTHING_SAID = "I had not said anything yet. How can I help you?"
WELCOME = "You're welcome. Is there anything else?"
GOODBYE = "Thank you, goodbye!"
NOTED = "All right, I have noted that you would like somebody to get back to you."
NOTED_FOR_PERSON = "I have noted that, and somebody will get back to you about it."
NOTED_ABOUT_THEM = "Thank you, I have noted that. How can I help you?"
PERSON = (
    "I am an automated assistant and cannot put you through. "
    "I have noted that you would like to speak to a person."
)


class OfflineBrain:
    """Implements `Brain` with rules and the knowledge search alone."""

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        briefing.spent([costs.Used(costs.Kind.REPLIES, "offline", "answerer", 1)])
        news, running = await briefing.tools.news(), await briefing.tools.running()
        for part in errands.tell(news):
            yield part
        if news or running:
            begun = [*running, *(each.step.offer for each in news)]
            briefing = errands.without_begun(briefing, begun)
            if all(smalltalk.talk(each) in _IDLE for each in briefing.unanswered):
                yield Text("" if news else errands.STILL_AT_IT)
                return
            yield Text(" " if news else "")
        async for part in _to_turn(briefing):
            yield part

    async def close(self) -> None:
        """Nothing is held."""


SAME_MATTER = 0.45
"""Cosine from which a turn is taken for a case in which a person is needed."""
_LAST_WORDS = frozenset({Talk.THANKS, Talk.HELLO, Talk.YES, Talk.EMPTY})
_IDLE = frozenset({*_LAST_WORDS, Talk.THERE})
"""Turns that ask for nothing: while a task runs, that is said."""


async def _to_turn(briefing: Briefing) -> AsyncIterator[Part]:
    """The answer to the unanswered turns: for a task, about something else, or first the one and
    then the other.
    """
    noted = learning.learned(briefing.unanswered, briefing.fillable)
    for each in noted:
        yield each
    found, current = await errands.decide(briefing)
    if found is not None and not isinstance(found, Aside):
        async for part in errands.carry_out(found, current, briefing):
            yield part
        if found != Drop(silent=True):
            return
    if found is None and (why := await _person_wanted(briefing)):
        for part in _to_person(briefing, NOTED_FOR_PERSON, why):
            yield part
        return
    if noted and found is None and not questions.asks(briefing.unanswered):
        yield Text(NOTED_ABOUT_THEM)
        return
    async for part in _reply(briefing):
        yield part
    if isinstance(found, Aside) and current is not None:
        yield errands.go_on(current)


async def _person_wanted(briefing: Briefing) -> str:
    """The case in plain words for which a person is needed, if the turn is one (K2)."""
    cases = [each.strip(" -*") for each in briefing.snapshot.person_when.splitlines()]
    cases = [each for each in cases if each]
    if not cases or not briefing.unanswered:
        return ""
    text = " ".join(briefing.unanswered)
    if said := next((each for each in cases if wishes.says(each, text)), ""):
        return said
    alike = await likeness(text, cases)
    most = max(range(len(cases)), key=alike.__getitem__)
    return cases[most] if alike[most] >= SAME_MATTER else ""


async def _reply(briefing: Briefing) -> AsyncIterator[Part]:
    """To whatever is not about a task."""
    texts = briefing.unanswered
    spoken = " ".join(texts)
    kind = smalltalk.talk(spoken) or (smalltalk.talk(texts[-1]) if texts else Talk.EMPTY)
    if kind in _LAST_WORDS and len(texts) > 1 and smalltalk.talk(spoken) is None:
        kind = None  # a question came before the thanks
    if kind is not None:
        for part in _small_talk(kind, briefing):
            yield part
    else:
        async for part in _answers(briefing, texts):
            yield part


async def _answers(briefing: Briefing, texts: Sequence[str]) -> AsyncIterator[Part]:
    before = _asked_before(briefing.history[: len(briefing.history) - len(texts)])
    if not before and briefing.earlier:  # the same person goes on, perhaps by another channel (P4)
        before = _asked_before(briefing.earlier[-1].said)
    told: set[str] = set()
    unknown = 0
    asked_for = questions.split([smalltalk.without_greeting(each) for each in texts])
    for question in asked_for:
        whole = questions.resolve(question, before)
        before = whole
        whole = questions.plainly(questions.with_date(whole, briefing.now))
        if whispered := await _whispered(whole, briefing.whispers):
            yield Text((" " if told else "") + phrasing.whole(whispered))
            told.add(whispered)
            continue
        try:
            hits = await briefing.search(whole)
        except KnowledgeAway:
            yield Text((" " if told else "") + CANNOT_LOOK)
            yield NeedsPerson(f"The knowledge could not be asked: {whole}")
            return
        if not hits or not hits[0].answerable:
            unknown += 1
            continue
        for hit in phrasing.told_together(whole, hits):
            if hit.passage_id in told:
                continue
            lead = " " if told else ""
            told.add(hit.passage_id)
            yield Text(lead + phrasing.answer(whole, hit, briefing.channel))
            yield Cited(hit.passage_id, hit.title)
    if unknown and told:
        yield Text(" The rest I don't know, I'm afraid.")
    elif not told:
        yield Text(briefing.snapshot.fallback or NOT_HEARD)
        yield NeedsPerson("The knowledge does not say: " + " ".join(asked_for))


async def _whispered(question: str, whispers: Sequence[str]) -> str:
    """The newest of what colleagues have whispered that is about the question; "" without any."""
    alike = await likeness(question, whispers)
    about = [text for text, like in zip(whispers, alike, strict=True) if like >= SAME_MATTER]
    return about[-1] if about else ""


def _asked_before(history: Sequence[Said]) -> str:
    """The caller's last question, made whole by those before it."""
    before = ""
    for said in history:
        if said.speaker is Speaker.CALLER and smalltalk.talk(said.text) is None:
            for question in questions.split([smalltalk.without_greeting(said.text)]):
                before = questions.resolve(question, before)
    return before


def _small_talk(kind: Talk, briefing: Briefing) -> list[Part]:
    heard = _heard(briefing.history)
    offered = bool(heard) and heard[-1].strip().endswith("?")
    on_call = briefing.channel is Channel.CALL
    if kind is Talk.BYE or (kind is Talk.NO_MORE and offered):
        return [Text(GOODBYE), HangUp()] if on_call else [Text(GOODBYE)]
    if (
        kind is Talk.YES
        and offered
        and heard[-1].strip().endswith((briefing.snapshot.fallback.strip(), errands.OFFER_PERSON))
    ):
        return _to_person(briefing, NOTED, "The caller would like somebody to get back.")
    if kind is Talk.PERSON:
        return _to_person(briefing, PERSON, "The caller asks for a person.")
    return [Text(_line(kind, heard, briefing))]


def _to_person(briefing: Briefing, noted: str, why: str) -> list[Part]:
    """A person is needed: on a call whoever stands in, where somebody does; else it is noted."""
    if briefing.stand_in is None:
        return [Text(noted), NeedsPerson(why)]
    return [Text(briefing.stand_in.announcement), HandOver("", briefing.stand_in.target)]


def _line(kind: Talk, heard: Sequence[str], briefing: Briefing) -> str:
    name = briefing.snapshot.name
    lines = {
        Talk.HELLO: "Hello! How can I help you?",
        Talk.THANKS: WELCOME,
        Talk.HOW_ARE_YOU: "Fine, thank you. How can I help you?",
        Talk.THERE: "Yes, I am here. How can I help you?",
        Talk.WHO_ARE_YOU: f"I am {name}, an automated assistant. How can I help you?",
        Talk.YES: "Good. What would you like to know?",
        Talk.NO_MORE: "All right. What would you like to know instead?",
        Talk.EMPTY: NOT_HEARD,
    }
    if kind is Talk.REPEAT:
        return heard[-1] if heard else NOTHING_SAID
    if kind is Talk.ASKED_WHAT:
        return _question_heard(heard)
    return lines[kind]


def _heard(history: Sequence[Said]) -> list[str]:
    """What the other side really heard of us (CM1)."""
    return [
        each.text.strip()
        for each in history
        if each.speaker is not Speaker.CALLER and re.search(r"\w", each.text)
    ]


def _question_heard(heard: Sequence[str]) -> str:
    for text in reversed(heard):
        for sentence in reversed(re.split(r"(?<=[.!?])\s+", text)):
            if sentence.endswith("?"):
                return f"I asked: {sentence}"
    return "I had not asked you anything yet. How can I help you?"
