"""Web pages and sites: read, read anew, kept when a reading is no good (K1, KN1, KN4)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from knowledge.served import Reply, WebSite, web_site
from offhook import knowledge
from offhook.db import Database, Jobs
from offhook.knowledge import Source, SourceKind, SourceState, jobs, syncing
from offhook.knowledge.models import Source as SourceRow
from offhook.knowledge.problems import NothingToTake
from offhook.knowledge.websites import queue_due

AGENT = "agt_one"
LONG = "<p>We bake every day but Sunday, by hand, from flour of the mill in the valley.</p>" * 8
OPEN = "<h1>Hours</h1><p>We are open from 9:00 to 17:00 on Monday.</p>"
LATER = "<h1>Hours</h1><p>We are open from 10:00 to 16:00 on Monday.</p>"
QUESTION = "When are you open on Monday?"


@pytest.fixture
async def site() -> AsyncIterator[WebSite]:
    async with web_site() as served:
        yield served


async def work(database: Database, site: WebSite) -> None:
    worker = Jobs(database)
    jobs.register(worker, site.settings(), database)
    await worker.run_due()


async def added(
    database: Database, team_id: str, site: WebSite, path: str = "/hours", kind: str = "page"
) -> str:
    async with database.team(team_id) as session:
        source = await knowledge.add_web(
            session, team_id, SourceKind(kind), site.url + path, 24, [AGENT]
        )
    await work(database, site)
    return source.id


async def synced(database: Database, team_id: str, site: WebSite, source_id: str) -> Source:
    async with database.team(team_id) as session:
        await knowledge.sync(session, team_id, source_id)
    await work(database, site)
    return await got(database, team_id, source_id)


async def got(database: Database, team_id: str, source_id: str) -> Source:
    async with database.team(team_id) as session:
        return await knowledge.get(session, team_id, source_id)


async def ask(database: Database, team_id: str, question: str = QUESTION) -> str:
    async with database.team(team_id) as session:
        hits = await knowledge.search(session, team_id, AGENT, question)
    return hits[0].text if hits and hits[0].answerable else ""


async def test_a_page_answers_and_its_passages_name_it(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.say("/hours", OPEN + LONG)
    source_id = await added(database, team_id, site)
    source = await got(database, team_id, source_id)
    assert (source.state, source.error) == (SourceState.READY, "")
    assert source.sync_at is not None
    assert source.sync_began_at is None
    assert "9:00 to 17:00" in await ask(database, team_id)
    async with database.team(team_id) as session:
        found = await knowledge.passages(session, team_id, source_id)
    assert {each.url for each in found} == {f"{site.url}/hours"}


async def test_a_page_in_an_old_encoding_is_right_in_the_passage_kn1(
    database: Database, team_id: str, site: WebSite
) -> None:
    text = "Öffnungszeiten Müllerstraße: 9–17 Uhr, Krapfen 2,80 €"
    html = f'<meta charset="iso-8859-1"><p>{text}</p>'.encode("windows-1252")
    site.pages["/hours"] = Reply(html, headers={"content-type": "text/html"})
    source_id = await added(database, team_id, site)
    async with database.team(team_id) as session:
        found = await knowledge.passages(session, team_id, source_id)
    assert [each.text for each in found] == [text]


WALLS = {
    "cookie wall": Reply(b"<p>This site uses cookies.</p><button>Accept all</button>"),
    "log-in form": Reply(b"<h1>Welcome</h1><form><input name=u><input type=password></form>"),
    "not found as 200": Reply(b"<title>404</title><h1>Page not found</h1>"),
    "scripts": Reply(b"<noscript>Please enable JavaScript.</noscript><div id=app></div>"),
    "half a body": Reply(b"<p>We are closed.</p>" * 400, cut_at=100),
    "server error": Reply(b"", 500),
    "gone": Reply(b"", 410),
    "too many redirects": Reply(b"", 302, {"location": "/hours"}),
    "a private address": Reply(b"", 302, {"location": "http://10.0.0.1/"}),
    "a picture": Reply(b"\x89PNG\r\n\x1a\n\x00", headers={"content-type": "image/png"}),
    "nothing": Reply(b""),
}


@pytest.mark.parametrize("wall", WALLS)
async def test_a_reading_that_is_no_good_keeps_the_old_text_and_asks_kn4(
    database: Database, team_id: str, site: WebSite, wall: str
) -> None:
    site.say("/hours", OPEN + LONG)
    source_id = await added(database, team_id, site)
    site.pages["/hours"] = WALLS[wall]
    source = await synced(database, team_id, site, source_id)
    assert source.state == SourceState.KEPT
    assert source.error
    assert "9:00 to 17:00" in await ask(database, team_id)
    site.say("/hours", LATER + LONG)
    source = await synced(database, team_id, site, source_id)
    assert (source.state, source.error) == (SourceState.READY, "")
    assert "10:00 to 16:00" in await ask(database, team_id)


@pytest.mark.parametrize("wall", WALLS)
async def test_a_first_reading_that_is_no_good_is_an_error_in_words_k1(
    database: Database, team_id: str, site: WebSite, wall: str
) -> None:
    site.pages["/hours"] = WALLS[wall]
    source = await got(database, team_id, await added(database, team_id, site))
    assert source.state == SourceState.FAILED
    assert source.error.endswith(".")
    assert await ask(database, team_id) == ""


async def test_less_than_half_is_shown_beside_the_old_text_and_taken_or_dismissed_k1(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.say("/hours", OPEN + LONG)
    source_id = await added(database, team_id, site)
    site.say("/hours", LATER)
    source = await synced(database, team_id, site, source_id)
    assert source.state == SourceState.KEPT
    assert "less than half" in source.error
    assert "9:00 to 17:00" in await ask(database, team_id)
    async with database.team(team_id) as session:
        (proposed,) = await syncing.proposed(session, source)
        assert "10:00 to 16:00" in proposed.content
        await knowledge.keep(session, team_id, source_id)
    # The same words are not asked about again.
    source = await synced(database, team_id, site, source_id)
    assert (source.state, source.error) == (SourceState.READY, "")
    site.say("/hours", LATER + "<p>Closed in August.</p>")
    assert (await synced(database, team_id, site, source_id)).state == SourceState.KEPT
    async with database.team(team_id) as session:
        await knowledge.accept(session, team_id, source_id)
    assert await ask(database, team_id) == ""
    await work(database, site)
    assert "10:00 to 16:00" in await ask(database, team_id)
    async with database.team(team_id) as session:
        with pytest.raises(NothingToTake):
            await knowledge.accept(session, team_id, source_id)


async def test_an_unchanged_page_is_asked_for_by_its_mark_and_not_sent_again_kn4(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.say("/hours", OPEN + LONG, etag='"one"', last_modified="Wed, 13 May 2026 08:00:00 GMT")
    source_id = await added(database, team_id, site)
    async with database.team(team_id) as session:
        before = [each.id for each in await knowledge.passages(session, team_id, source_id)]
    source = await synced(database, team_id, site, source_id)
    assert source.state == SourceState.READY
    _, headers = site.asked[-1]
    assert headers["if-none-match"] == '"one"'
    assert headers["if-modified-since"] == "Wed, 13 May 2026 08:00:00 GMT"
    async with database.team(team_id) as session:
        assert [each.id for each in await knowledge.passages(session, team_id, source_id)] == before


async def test_two_syncs_at_once_are_one_kn4(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.say("/hours", OPEN + LONG)
    source_id = await added(database, team_id, site)
    site.asked.clear()

    async def wish() -> None:
        async with database.team(team_id) as session:
            await knowledge.sync(session, team_id, source_id)

    await asyncio.gather(*(wish() for _ in range(5)))
    await asyncio.gather(work(database, site), work(database, site))
    assert [path for path, _ in site.asked] == ["/hours"]


async def test_a_page_moved_to_www_is_followed_through_three_redirects_at_most_kn4(
    database: Database, team_id: str, site: WebSite
) -> None:
    for number in range(3):
        site.pages[f"/{number}"] = Reply(b"", 301, {"location": f"/{number + 1}"})
    site.say("/3", OPEN + LONG)
    source_id = await added(database, team_id, site, "/0")
    assert (await got(database, team_id, source_id)).state == SourceState.READY
    site.pages["/3"] = Reply(b"", 301, {"location": "/4"})
    site.say("/4", OPEN + LONG)
    assert (await synced(database, team_id, site, source_id)).state == SourceState.KEPT


async def test_a_site_is_read_by_its_sitemap_and_says_what_it_skipped(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.sitemap("/", "/hours", "/hours", "/private/x", "/gone", "/app", "/logo.png")
    broken = site.pages["/sitemap.xml"]
    broken.body = broken.body.replace(b"<url>", b"<url><loc>http://[no/</loc></url><url>", 1)
    robots = "User-agent: *\nCrawl-delay: ²\nDisallow: /private/\n".encode()
    site.pages["/robots.txt"] = Reply(robots)
    site.say("/", "<h1>Bakery</h1>" + LONG)
    site.say("/hours", OPEN)
    site.pages["/app"] = WALLS["scripts"]
    site.pages["/logo.png"] = WALLS["a picture"]
    source_id = await added(database, team_id, site, "/", "site")
    source = await got(database, team_id, source_id)
    assert source.state == SourceState.READY
    assert "9:00 to 17:00" in await ask(database, team_id)
    async with database.team(team_id) as session:
        pages = await syncing.in_force(session, source)
    skipped = {page.url.removeprefix(site.url): page.reason for page in pages if page.reason}
    assert [page.url.removeprefix(site.url) for page in pages if page.content] == ["/", "/hours"]
    assert "status 404" in skipped["/gone"]
    assert "JavaScript" in skipped["/app"]
    assert "robots.txt" in skipped["/private/x"]
    assert "/logo.png" in skipped
    assert skipped["http://[no/"] == "It is no address."
    assert "/private/x" not in {path for path, _ in site.asked}


async def test_a_page_that_left_the_site_is_told_no_more_and_one_that_fails_is_kept_kn4(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.sitemap("/", "/hours", "/dogs")
    site.say("/", "<h1>Bakery</h1>" + LONG)
    site.say("/hours", OPEN)
    site.say("/dogs", "<h1>Dogs</h1><p>Dogs are welcome on the terrace.</p>")
    source_id = await added(database, team_id, site, "/", "site")
    assert "terrace" in await ask(database, team_id, "Are dogs welcome?")
    site.sitemap("/", "/hours")
    site.pages["/hours"] = WALLS["server error"]
    source = await synced(database, team_id, site, source_id)
    assert source.state == SourceState.READY
    assert "1 page could not be read anew" in source.note
    assert await ask(database, team_id, "Are dogs welcome?") == ""
    assert "9:00 to 17:00" in await ask(database, team_id)


async def test_a_site_without_a_sitemap_says_so(
    database: Database, team_id: str, site: WebSite
) -> None:
    source = await got(database, team_id, await added(database, team_id, site, "/", "site"))
    assert source.state == SourceState.FAILED
    assert "There is no sitemap at" in source.error


async def test_a_foot_that_all_pages_share_is_one_passage(
    database: Database, team_id: str, site: WebSite
) -> None:
    paths = [f"/{number}" for number in range(6)]
    site.sitemap(*paths)
    for path in paths:
        site.say(
            path,
            f"<h1>Page {path}</h1><p>Shelf {path} has bolts.</p><footer>Harbour Street 12</footer>",
        )
    source_id = await added(database, team_id, site, "/sitemap.xml", "site")
    async with database.team(team_id) as session:
        found = await knowledge.passages(session, team_id, source_id)
    assert sum(each.text == "Harbour Street 12" for each in found) == 1
    assert sum("has bolts" in each.text for each in found) == 6


async def test_a_source_that_is_replaced_while_it_is_read_is_read_as_it_is_then_kn4(
    database: Database, team_id: str, site: WebSite
) -> None:
    """Deleted in mid-reading: nothing of it comes back."""
    site.say("/hours", OPEN + LONG)
    async with database.team(team_id) as session:
        source = await knowledge.add_web(
            session, team_id, SourceKind.PAGE, f"{site.url}/hours", 0, [AGENT]
        )
    deleting: list[asyncio.Task[None]] = []

    async def delete() -> None:
        async with database.team(team_id) as session:
            await knowledge.delete(session, team_id, source.id)

    site.before_answer = lambda _: deleting.append(asyncio.create_task(delete()))
    await work(database, site)
    await asyncio.gather(*deleting)
    assert deleting
    assert await ask(database, team_id) == ""


async def test_sources_are_read_anew_when_their_time_has_come_and_not_before(
    database: Database, team_id: str, site: WebSite
) -> None:
    site.say("/hours", OPEN + LONG)
    source_id = await added(database, team_id, site)
    site.asked.clear()
    await queue_due(database)
    await work(database, site)
    assert site.asked == []
    async with database.team(team_id) as session:
        await session.execute(
            update(SourceRow)
            .where(SourceRow.team_id == team_id)
            .values(sync_at=SourceRow.created_at)
        )
    await asyncio.gather(queue_due(database), queue_due(database))
    await work(database, site)
    assert [path for path, _ in site.asked] == ["/hours"]
    source = await got(database, team_id, source_id)
    assert source.sync_at is not None
    assert source.sync_at > source.created_at
