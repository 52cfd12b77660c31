"""Sources are read, replaced and forgotten (K1, K2, cases KN1 and KN4)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from offhook import knowledge
from offhook.db import Database, Jobs, Session
from offhook.errors import Invalid, NotFound
from offhook.knowledge import SourceState, embedding, jobs, searching
from offhook.settings import Settings
from offhook.teams.models import Team

PAGE = (Path(__file__).parent / "data" / "harbour_bakery.md").read_text()
FEW = "The rye costs 6.40.\n\nDogs are welcome.\n\nWe close at six.\n\nTrams stop at the door."
AGENT = "agt_one"
OTHER = "agt_two"


async def ask(database: Database, team_id: str, question: str, agent: str | None = AGENT) -> str:
    """The text of the first passage that may be told, or ""."""
    async with database.team(team_id) as session:
        hits = await knowledge.search(session, team_id, agent, question)
    return hits[0].text if hits and hits[0].answerable else ""


async def test_a_pasted_text_is_ready_and_answers_from_the_next_turn_on(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        source = await knowledge.add_text(session, team_id, "The shop", PAGE, [AGENT])
    assert source.state == SourceState.READY
    assert source.passage_count == 49
    assert "6.40" in await ask(database, team_id, "How much is the rye sourdough?")


async def test_only_the_agents_that_a_source_is_given_to_quote_it(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        source = await knowledge.add_text(session, team_id, "The shop", PAGE, [AGENT])
    assert await ask(database, team_id, "How much is the rye sourdough?", OTHER) == ""
    async with database.team(team_id) as session:
        await knowledge.link(session, team_id, source.id, [OTHER])
    assert "6.40" in await ask(database, team_id, "How much is the rye sourdough?", OTHER)
    assert await ask(database, team_id, "How much is the rye sourdough?") == ""


async def test_replaced_text_is_gone_from_the_next_turn_on_k1_kn4(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        source = await knowledge.add_text(
            session, team_id, "Hours", "We are open from 9:00 to 17:00 on Monday.", [AGENT]
        )
    assert "9:00 to 17:00" in await ask(database, team_id, "When are you open on Monday?")
    async with database.team(team_id) as session:
        await knowledge.replace_source(
            session, team_id, source.id, content="We are open from 10:00 to 16:00 on Monday."
        )
    assert "10:00 to 16:00" in await ask(database, team_id, "When are you open on Monday?")
    async with database.team(team_id) as session:
        await knowledge.delete(session, team_id, source.id)
    assert await ask(database, team_id, "When are you open on Monday?") == ""


async def test_a_pair_is_found_by_its_question_and_answers_with_its_answer(
    database: Database, team_id: str
) -> None:
    async with database.team(team_id) as session:
        await knowledge.add_pair(
            session, team_id, "Can I bring my own cup?", "Yes, 30 cents cheaper.", [AGENT]
        )
    found = await ask(database, team_id, "Is it okay to use my own mug?")
    assert found == "Yes, 30 cents cheaper."


async def test_a_long_text_is_read_by_a_job(database: Database, team_id: str) -> None:
    lines = "\n\n".join(f"Shelf {number} holds bolts. {'Long ' * 30}" for number in range(120))
    async with database.team(team_id) as session:
        source = await knowledge.add_text(session, team_id, "Store", lines, [AGENT])
        assert source.state == SourceState.READING
    worker = Jobs(database)
    jobs.register(worker, Settings(), database)
    await worker.run_due()
    async with database.team(team_id) as session:
        source = await knowledge.get(session, team_id, source.id)
        assert source.state == SourceState.READY
        assert source.passage_count == 120


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.txt", b"", "source_empty"),
        ("blank.txt", b"  \n\t ", "source_empty"),
        ("menu.txt", b"\x89PNG\r\n", "source_not_text"),
        ("menu.docx", b"\xd0\xcf\x11\xe0....", "source_not_text"),
        ("menu.pdf", b"not what it says", "source_not_text"),
        ("zero.txt", b"abc\x00def", "source_not_text"),
        ("noise.md", bytes(range(128, 256)) * 4, "source_unreadable"),
        ("menu.pages", b"Bread 4.20", "source_not_text"),
        ("big.txt", b"a" * (25 * 1024 * 1024 + 1), "source_too_large"),
    ],
)
async def test_what_cannot_be_read_is_refused_in_words_and_nothing_is_stored_k1(
    database: Database, team_id: str, name: str, data: bytes, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        async with database.team(team_id) as session:
            await knowledge.add_file(session, team_id, name, data, [AGENT])
    assert refused.value.code == code
    assert refused.value.remedy
    async with database.team(team_id) as session:
        assert await knowledge.listed(session, team_id) == []


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16", "utf-16-le-bom"]
)
async def test_the_page_is_right_in_every_encoding_that_it_may_come_in_kn1(
    database: Database, team_id: str, encoding: str
) -> None:
    text = "Öffnungszeiten Müllerstraße: 9–17 Uhr, Krapfen 2,80 €"
    data = (
        b"\xff\xfe" + text.encode("utf-16-le")
        if encoding == "utf-16-le-bom"
        else text.encode(encoding)
    )
    async with database.team(team_id) as session:
        source = await knowledge.add_file(session, team_id, "seite.txt", data, [AGENT])
        found = await knowledge.passages(session, team_id, source.id)
    assert " ".join(each.text for each in found) == text


async def test_another_teams_sources_are_not_there_sec7(database: Database, team_id: str) -> None:
    async with database.team(team_id) as session:
        source = await knowledge.add_text(session, team_id, "The shop", PAGE, [AGENT])
    assert await ask(database, "team_other", "How much is the rye sourdough?") == ""
    async with database.team("team_other") as session:
        with pytest.raises(NotFound):
            await knowledge.get(session, "team_other", source.id)


SCANS = text("SELECT pg_stat_get_xact_numscans(to_regclass(:index))")


async def scans(session: Session, index: str) -> int:
    """How often `index` was read in this transaction, by the server's own count."""
    return await session.scalar(SCANS, {"index": index}) or 0


async def test_words_are_found_by_their_index_behind_the_wall_of_teams(
    database: Database, team_id: str
) -> None:
    """Row-level security would keep `@@` from an index of the passages themselves. With so few rows
    other ways are cheaper, so they are forbidden here.
    """
    async with database.team(team_id) as session:
        await knowledge.add_text(session, team_id, "The shop", PAGE, [AGENT])
    async with database.team(team_id) as session:
        for way in ("seqscan", "indexscan", "indexonlyscan", "nestloop", "mergejoin"):
            await session.execute(text(f"SET LOCAL enable_{way} = off"))
        assert await knowledge.search(session, team_id, AGENT, "How much is the rye sourdough?")
        assert await scans(session, "ix_knowledge_words") == 1


async def test_among_many_passages_meanings_are_found_by_their_index_as_if_all_were_compared(
    database: Database, team_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is of all teams: the others' passages, and those of sources that the agent has not,
    stand nearest too and are passed over. Other ways are forbidden, as above.
    """
    async with database.system() as session:
        neighbour = Team(name="Next door", created_at=datetime.now(UTC))
        session.add(neighbour)
        await session.flush()
    for team, agent in ((neighbour.id, AGENT), (team_id, OTHER), (team_id, AGENT)):
        async with database.team(team) as session:
            await knowledge.add_text(session, team, "The shop", FEW, [agent])
    questions = ("How much is the rye?", "May I bring my dog?")

    async def found() -> tuple[list[list[str]], int]:
        async with database.team(team_id) as session:
            for way in ("seqscan", "bitmapscan", "sort"):
                await session.execute(text(f"SET LOCAL enable_{way} = off"))
            hits = [await knowledge.search(session, team_id, AGENT, each) for each in questions]
            read = await scans(session, "ix_knowledge_passages_meaning")
        return [[hit.passage_id for hit in each] for each in hits], read

    compared, read = await found()
    assert read == 0
    monkeypatch.setattr(searching, "COMPARED", 0)
    assert await found() == (compared, len(questions))


async def test_each_of_two_replacements_at_once_is_a_revision(
    database: Database, team_id: str
) -> None:
    """A reading of the first must not be taken for one of the second (KN4)."""
    async with database.team(team_id) as session:
        made = await knowledge.add_text(session, team_id, "The shop", FEW)
    async with database.team(team_id) as late:
        seen = await knowledge.get(late, team_id, made.id)
        async with database.team(team_id) as early:
            await knowledge.replace_source(early, team_id, made.id, content="We close at seven.")
        saved = await knowledge.replace_source(late, team_id, made.id, title="The old shop")
        assert saved is seen
        assert saved.revision == made.revision + 2
        [passage] = await knowledge.passages(late, team_id, made.id)
    assert passage.text == "We close at seven."


def test_words_that_another_question_lets_go_of_are_still_this_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Questions are asked in several threads: the words kept are bounded for all of them."""
    kept: dict[str, embedding.Vectors] = {}
    monkeypatch.setattr(embedding, "_words", kept)
    monkeypatch.setattr(embedding, "MAX_WORDS", 2)
    encode = embedding.encode
    embedding.word_vectors(["rye"])

    def meanwhile(texts: list[str]) -> embedding.Vectors:
        if "rolls" in texts:
            embedding.word_vectors(["dogs", "trams"])
        return encode(texts)

    monkeypatch.setattr(embedding, "encode", meanwhile)
    assert embedding.word_vectors(["rye", "rolls"]).keys() == {"rye", "rolls"}
    assert len(kept) == 2
