"""Long sources: the right passage comes first for nine of ten questions in other words (K2, K3).

A small guide here; `bench/knowledge.py` does the same with 200 pages and a site of 50.
"""

from collections.abc import Sequence

from knowledge.corpus import Section, as_html, as_pdf, asked, guide
from knowledge.served import web_site
from offhook import knowledge
from offhook.db import Database, Jobs
from offhook.knowledge import SourceKind, jobs
from offhook.settings import Settings

AGENT = "agt_one"


async def work(database: Database, settings: Settings) -> None:
    worker = Jobs(database)
    jobs.register(worker, settings, database)
    await worker.run_due()


async def misses(
    database: Database, team_id: str, sections: Sequence[Section], count: int
) -> list[str]:
    """The questions whose first passage is another one."""
    missed: list[str] = []
    async with database.team(team_id) as session:
        for section, question, answer in asked(sections, count):
            best, *_ = await knowledge.search(session, team_id, AGENT, question)
            if answer not in best.text or section.place not in " ".join(
                (*best.headings, best.text)
            ):
                missed.append(f"{question} {best.headings} {best.text}")
    return missed


async def test_the_right_passage_of_a_long_pdf_comes_first_in_nine_of_ten(
    database: Database, team_id: str
) -> None:
    sections = guide(5)
    async with database.team(team_id) as session:
        await knowledge.add_file(session, team_id, "guide.pdf", as_pdf(sections), [AGENT])
    await work(database, Settings())
    missed = await misses(database, team_id, sections, 30)
    assert len(missed) <= 3, missed


async def test_the_right_passage_of_a_site_comes_first_in_nine_of_ten(
    database: Database, team_id: str
) -> None:
    sections = guide(4, seed=3)
    async with web_site() as site:
        paths = [f"/{number}" for number in range(len(sections))]
        site.sitemap(*paths)
        for path, section in zip(paths, sections, strict=True):
            site.say(path, as_html(section))
        async with database.team(team_id) as session:
            await knowledge.add_web(session, team_id, SourceKind.SITE, site.url, 0, [AGENT])
        await work(database, site.settings())
    missed = await misses(database, team_id, sections, 30)
    assert len(missed) <= 3, missed
