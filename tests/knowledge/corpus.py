"""A guide of many places that all say the same kinds of things, and questions in other words.

Each place has a price table, opening hours, rules, booking and how to get there, in sentences of
three kinds with its own figures; so for each question there are as many near misses as places.
The same guide is written as one PDF (a page for each section) and as a web site.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fpdf import FPDF

from documents.made import aligned, pdf, say

FIRST = (
    "Alder",
    "Birch",
    "Cedar",
    "Dune",
    "Ember",
    "Falcon",
    "Granite",
    "Heron",
    "Ivy",
    "Juniper",
    "Kestrel",
    "Larch",
    "Maple",
    "Nettle",
    "Otter",
    "Pebble",
    "Quarry",
    "Raven",
    "Saffron",
    "Thistle",
    "Umber",
    "Violet",
    "Willow",
    "Yarrow",
    "Zephyr",
    "Amber",
    "Bramble",
    "Copper",
    "Drift",
    "Elder",
    "Fern",
    "Gorse",
    "Hazel",
    "Indigo",
    "Jasper",
    "Kelp",
    "Linden",
    "Moss",
    "North",
    "Opal",
)
KINDS = ("House", "Pool", "Garden", "Museum", "Farm")
FILLER = (
    "The path around it takes about an hour and is easy for small children.",
    "Generations of families have come here, and many bring their own chairs.",
    "In early summer the meadows are full of flowers, and in autumn the light is golden.",
    "Volunteers look after the benches, the signs and the old stone walls.",
    "On clear days one sees the hills beyond the river, sometimes even the sea.",
    "Every spring the team paints the fences and repairs what the winter has broken.",
    "Its name is first found in a letter of the seventeenth century.",
    "Artists from the region show their work in the hall, changing each season.",
)


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the guide: sentences, perhaps a table, and questions with what answers them."""

    place: str
    title: str
    sentences: Sequence[str]
    rows: Sequence[Sequence[str]] = ()
    questions: Sequence[tuple[str, str]] = ()
    """A question in other words, and what stands in the passage that answers it."""

    @property
    def heading(self) -> str:
        return f"{self.place}: {self.title}"


def guide(places: int, seed: int = 7) -> list[Section]:
    """Five sections for each of so many places."""
    dice = random.Random(seed)
    names = [f"{FIRST[index]} {KINDS[index % len(KINDS)]}" for index in range(places)]
    return [section for name in names for section in _sections(name, dice)]


def asked(
    sections: Sequence[Section], count: int, seed: int = 11
) -> list[tuple[Section, str, str]]:
    """So many questions, spread over all sections: section, question, and what answers it."""
    every = [(each, *pair) for each in sections for pair in each.questions]
    return random.Random(seed).sample(every, count)


def _sections(place: str, dice: random.Random) -> Iterator[Section]:
    day, family, locker = (f"{dice.randint(3, 60)}.{dice.randint(10, 99)}" for _ in range(3))
    yield Section(
        place,
        "tickets",
        _filled(dice, [f"Whoever is under six enters {place} free of charge."]),
        (("Ticket", "Price"), ("Day ticket", day), ("Family ticket", family), ("Locker", locker)),
        (
            (f"How much do I have to pay for a locker at {place}?", locker),
            (f"What does a day ticket for {place} cost?", day),
            (f"Do toddlers have to pay at {place}?", "under six"),
        ),
    )
    opens, closes = (
        f"{dice.randint(8, 10)}:{dice.choice(('05', '15', '25', '35'))}",
        (f"{dice.randint(16, 21)}:{dice.choice(('10', '20', '40', '50'))}"),
    )
    yield Section(
        place,
        "opening hours",
        _filled(dice, [
            f"From May to September {place} is open from {opens} to {closes}.",
            f"During the winter months {place} stays shut.",
        ]),
        questions=(
            (f"When does {place} close in the summer?", closes),
            (f"Can I visit {place} in January?", "stays shut"),
        ),
    )  # fmt: skip
    yield Section(
        place,
        "rules",
        _filled(dice, [
            f"Dogs may come along on a lead, but stay outside of the buildings of {place}.",
            f"Taking pictures at {place} is allowed without flash.",
        ]),
        questions=(
            (f"May I bring my puppy to {place}?", "on a lead"),
            (f"Is photography permitted at {place}?", "without flash"),
        ),
    )  # fmt: skip
    people, days = dice.randint(8, 40), dice.randint(2, 20)
    yield Section(
        place,
        "booking",
        _filled(dice, [
            f"Groups of more than {people} people reserve their visit of {place} in advance.",
            f"Whoever cancels {place} {days} days before gets the whole amount back.",
        ]),
        questions=(
            (f"We are a big party, must we book {place} ahead?", f"more than {people}"),
            (f"Do I get a refund when I cannot make it to {place}?", f"{days} days"),
        ),
    )  # fmt: skip
    tram, spaces = dice.randint(2, 99), dice.randint(20, 400)
    yield Section(
        place,
        "getting there",
        _filled(dice, [
            f"Tram {tram} stops at the gate of {place}.",
            f"Behind {place} there is a car park with {spaces} spaces.",
        ]),
        questions=(
            (f"How do I reach {place} by public transport?", f"Tram {tram} "),
            (f"Where can I leave my car when I visit {place}?", f"{spaces} spaces"),
        ),
    )  # fmt: skip


def _filled(dice: random.Random, facts: Sequence[str]) -> list[str]:
    """The facts among sentences that answer nothing, one paragraph each."""
    told: list[str] = []
    for fact in facts:
        told += [" ".join(dice.sample(FILLER, 4)), fact]
    return [*told, " ".join(dice.sample(FILLER, 3))]


def as_pdf(sections: Sequence[Section]) -> bytes:
    """The guide with a page for each section."""

    def draw(file: FPDF) -> None:
        for number, section in enumerate(sections):
            if number:
                file.add_page()
            say(file, section.heading, size=18)
            for sentence in section.sentences:
                say(file, sentence)
            if section.rows:
                aligned(file, section.rows)
            say(file, f"Guide of the valley, page {number + 1}", size=8)

    return pdf(draw)


def as_html(section: Section) -> str:
    """The section as a web page with a menu and a foot."""
    told = "".join(f"<p>{each}</p>" for each in section.sentences)
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in section.rows
    )
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f"<nav><a href=/>All places</a></nav><main><h1>{section.heading}</h1>{told}{table}</main>"
        "<footer>Valley Guide, Bridge Lane 4, write to us at guide@valley.example</footer>"
    )
