"""Files whose text must be got out first: read by a job, replaced, or refused in words (K1)."""

from typing import Any

import pytest
from fpdf import FPDF

from documents.made import (
    LOCKED,
    PRICES,
    PROSE,
    aligned,
    footnotes,
    pdf,
    say,
    table,
    text_box,
    with_part,
    word,
)
from offhook import knowledge
from offhook.db import Database, Jobs
from offhook.documents import Document, Reader
from offhook.knowledge import Source, SourceState, jobs
from offhook.knowledge.reading import give_up, read_source
from offhook.settings import Settings

AGENT = "agt_one"
HEADS = ("Product", "Weight", "Price")


def price_list(file: FPDF) -> None:
    say(file, "Harbour Bakery", size=20)
    say(file, PROSE)
    aligned(file, (HEADS, *PRICES))


async def work(database: Database) -> None:
    worker = Jobs(database)
    jobs.register(worker, Settings(), database)
    await worker.run_due()


async def added(database: Database, team_id: str, name: str, data: bytes) -> Source:
    """The file's source after it was read."""
    async with database.team(team_id) as session:
        source = await knowledge.add_file(session, team_id, name, data, [AGENT])
        assert source.state == SourceState.READING
    await work(database)
    async with database.team(team_id) as session:
        return await knowledge.get(session, team_id, source.id)


async def ask(database: Database, team_id: str, question: str) -> str:
    async with database.team(team_id) as session:
        hits = await knowledge.search(session, team_id, AGENT, question)
    return hits[0].text if hits and hits[0].answerable else ""


def word_file() -> bytes:
    def fill(file: Any) -> None:
        text_box(file, "Opening hours", "Monday to Friday: 7:00 to 18:00")
        made = table(file, (("Product", "Sold by us", ""), ("", "Weight", "Price"), *PRICES))
        made.cell(0, 1).merge(made.cell(0, 2))
        made.cell(0, 0).merge(made.cell(1, 0))

    return with_part(word(fill), "word/footnotes.xml", footnotes("The rye is vegan."))


def csv_file() -> bytes:
    return "".join(";".join(row) + "\r\n" for row in (HEADS, *PRICES)).encode("windows-1252")


@pytest.mark.parametrize(
    ("name", "data"),
    [("menu.pdf", pdf(price_list)), ("menu.docx", word_file()), ("menu.csv", csv_file())],
    ids=["pdf", "docx", "csv"],
)
async def test_the_answer_is_right_for_each_of_twelve_rows_kn2(
    database: Database, team_id: str, name: str, data: bytes
) -> None:
    source = await added(database, team_id, name, data)
    assert (source.state, source.error) == (SourceState.READY, "")
    for product, _, price in PRICES:
        found = await ask(database, team_id, f"What does the {product.lower()} cost?")
        assert price in found, product
    assert await ask(database, team_id, "Do you sell garden furniture?") == ""


async def test_hours_that_stand_in_a_text_box_alone_are_told_kn2(
    database: Database, team_id: str
) -> None:
    await added(database, team_id, "menu.docx", word_file())
    found = await ask(database, team_id, "When are you open on Tuesday?")
    assert "7:00 to 18:00" in found


def picture(file: FPDF) -> None:
    file.rect(10, 10, 100, 100, style="F")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("menu.pdf", pdf(picture), "probably scanned"),
        ("menu.pdf", pdf(price_list, **LOCKED), "password"),
        ("menu.pdf", b"%PDF-1.7 ...", "damaged"),
        ("menu.docx", b"PK\x03\x04....", "damaged"),
        ("menu.csv", b"Product;Price\r\n", "no rows"),
    ],
)
async def test_a_file_that_cannot_be_read_is_never_ready_and_says_why_k1(
    database: Database, team_id: str, name: str, data: bytes, words: str
) -> None:
    source = await added(database, team_id, name, data)
    assert source.state == SourceState.FAILED
    assert words in source.error
    assert source.passage_count == 0


async def test_a_replaced_file_is_not_quoted_while_the_new_one_is_read_kn4(
    database: Database, team_id: str
) -> None:
    source = await added(database, team_id, "menu.pdf", pdf(price_list))
    dearer = csv_file().replace(b"6.40", b"7.10")
    async with database.team(team_id) as session:
        await knowledge.replace_file(session, team_id, source.id, "menu.csv", dearer)
    assert await ask(database, team_id, "What does the rye sourdough cost?") == ""
    await work(database)
    assert "7.10" in await ask(database, team_id, "What does the rye sourdough cost?")


async def test_a_new_file_that_cannot_be_read_keeps_the_old_text_and_asks_k1(
    database: Database, team_id: str
) -> None:
    source = await added(database, team_id, "menu.pdf", pdf(price_list))
    async with database.team(team_id) as session:
        await knowledge.replace_file(session, team_id, source.id, "scan.pdf", pdf(picture))
    await work(database)
    async with database.team(team_id) as session:
        source = await knowledge.get(session, team_id, source.id)
        assert source.state == SourceState.KEPT
        assert "probably scanned" in source.error
        assert source.title == "menu.pdf"
    assert "6.40" in await ask(database, team_id, "What does the rye sourdough cost?")
    async with database.team(team_id) as session:
        source = await knowledge.keep(session, team_id, source.id)
        assert (source.state, source.error) == (SourceState.READY, "")


async def test_a_passage_that_says_the_same_keeps_its_id_so_that_old_answers_link_to_it_k2(
    database: Database, team_id: str
) -> None:
    source = await added(database, team_id, "menu.csv", csv_file())
    async with database.team(team_id) as session:
        before = {
            each.text: each.id for each in await knowledge.passages(session, team_id, source.id)
        }
        new = csv_file().replace(b"6.40", b"7.10")
        await knowledge.replace_file(session, team_id, source.id, "menu.csv", new)
    await work(database)
    async with database.team(team_id) as session:
        after = {
            each.text: each.id for each in await knowledge.passages(session, team_id, source.id)
        }
    assert len(after) == len(before) == len(PRICES)
    same = before.keys() & after.keys()
    assert len(same) == len(PRICES) - 1
    assert all(before[text] == after[text] for text in same)


async def test_a_file_that_is_deleted_while_it_waits_is_not_read_and_leaves_nothing(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        source = await knowledge.add_file(session, team_id, "menu.pdf", pdf(price_list), [AGENT])
    async with database.team(team_id) as session:
        await knowledge.delete(session, team_id, source.id)
    await work(database)
    async with database.team(team_id) as session:
        assert await knowledge.listed(session, team_id) == []


async def test_a_reading_that_ends_after_the_source_was_replaced_is_thrown_away_kn4(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        source = await knowledge.add_file(session, team_id, "menu.pdf", pdf(price_list), [AGENT])

    class Late(Reader):
        """Reads as always, and lets somebody edit the text before it is done."""

        async def read(self, name: str, data: bytes, content_type: str = "") -> Document:
            document = await super().read(name, data, content_type)
            async with database.team(team_id) as session:
                await knowledge.replace_source(
                    session, team_id, source.id, content="The rye sourdough costs 9.99 euros."
                )
            return document

    async with Late() as reader:
        await read_source(database, team_id, source.id, reader)
    assert "9.99" in await ask(database, team_id, "What does the rye sourdough cost?")


async def test_a_reading_that_fails_for_good_is_said_and_nobody_waits_on_k1(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        new = await knowledge.add_file(session, team_id, "menu.docx", word_file(), [AGENT])
    for _ in range(2):
        await give_up(database, team_id, new.id)
    async with database.team(team_id) as session:
        source = await knowledge.get(session, team_id, new.id)
    assert source.state == SourceState.FAILED
    assert source.error.startswith("It could not be read: something failed on our side")
