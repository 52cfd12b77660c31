"""The pages and the REST of knowledge: files, web sources, decisions, and links to a passage."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from documents.made import PRICES, PROSE, aligned, pdf, say
from knowledge.served import WebSite, web_site
from offhook.db import Database, Jobs
from offhook.knowledge import jobs
from web_fixtures import Site

HTMX = {"HX-Request": "true"}
API = "/api/v1/knowledge"
HOURS = "<h1>Hours</h1><p>We are open from 9:00 to 17:00 on Monday.</p>"
LONG = "<p>We bake every day but Sunday, by hand, from flour of the mill in the valley.</p>" * 8


def price_list() -> bytes:
    def draw(file: object) -> None:
        say(file, PROSE)  # pyright: ignore[reportArgumentType] - FPDF
        aligned(file, (("Product", "Weight", "Price"), *PRICES))  # pyright: ignore[reportArgumentType] - as above

    return pdf(draw)


@pytest.fixture
async def shop(site: Site) -> AsyncIterator[WebSite]:
    """A web site that this installation may read."""
    async with web_site() as served:
        site.app.state.settings = served.settings()
        served.say("/hours", HOURS + LONG)
        yield served


async def work(database: Database, shop: WebSite) -> None:
    worker = Jobs(database)
    jobs.register(worker, shop.settings(), database)
    await worker.run_due()


async def test_a_pdf_is_uploaded_read_replaced_and_its_passage_is_linked_to(
    client: AsyncClient, database: Database, shop: WebSite
) -> None:
    upload = {"file": ("menu.pdf", price_list(), "application/pdf")}
    made = await client.post("/knowledge/file", files=upload, headers=HTMX)
    here = made.headers["hx-redirect"]
    assert "Reading" in (await client.get(here)).text
    await work(database, shop)
    page = await client.get(here)
    assert "13 passages" in page.text
    assert "Rye sourdough: weight 1 kg, price 6.40" in page.text
    found = (await client.get(f"{API}/search", params={"question": "What is the rye?"})).json()
    passage_id = found[0]["passage_id"]
    link = await client.get(f"/knowledge/passages/{passage_id}")
    assert link.status_code == 303
    target, _, fragment = link.headers["location"].partition("#")
    assert fragment == passage_id
    assert f'id="{passage_id}"' in (await client.get(target)).text
    told = (await client.get(f"{API}/passages/{passage_id}")).json()
    assert (told["source_id"], told["text"]) == (here.rpartition("/")[2], found[0]["text"])
    table = {"file": ("menu.csv", b"Product;Price\r\nRye sourdough;7.10\r\n", "text/csv")}
    assert (await client.post(f"{here}/file", files=table, headers=HTMX)).status_code == 204
    await work(database, shop)
    assert "7.10" in (await client.get(here)).text
    gone = await client.get(f"/knowledge/passages/{passage_id}")
    assert gone.status_code == 404
    assert "not there any more" in gone.text


async def test_a_program_uploads_a_file_and_reads_why_it_could_not_be_read(
    client: AsyncClient, database: Database, shop: WebSite
) -> None:
    upload = {"file": ("menu.pdf", b"%PDF-1.7 ...", "application/pdf")}
    made = (await client.post(f"{API}/files", files=upload)).json()
    assert made["state"] == "reading"
    await work(database, shop)
    source = (await client.get(f"{API}/sources/{made['id']}")).json()
    assert source["state"] == "failed"
    assert "damaged" in source["error"]
    upload = {"file": ("menu.pdf", price_list(), "application/pdf")}
    again = await client.put(f"{API}/sources/{made['id']}/file", files=upload)
    assert again.json()["state"] == "reading"
    await work(database, shop)
    assert (await client.get(f"{API}/sources/{made['id']}")).json()["passage_count"] == 13


async def test_a_web_page_is_added_read_anew_and_its_two_texts_are_shown(
    client: AsyncClient, database: Database, shop: WebSite
) -> None:
    assert (await client.get("/knowledge/add?kind=page")).status_code == 200
    form = {"url": f"{shop.url}/hours", "every_hours": "168"}
    made = await client.post("/knowledge/page", data=form, headers=HTMX)
    here = made.headers["hx-redirect"]
    await work(database, shop)
    assert "9:00 to 17:00" in (await client.get(here)).text
    shop.say("/hours", "<h1>Hours</h1><p>Closed in August.</p>")
    assert (await client.post(f"{here}/sync", headers=HTMX)).status_code == 204
    assert "being read now" in (await client.get(f"{here}/about")).text
    await work(database, shop)
    page = (await client.get(here)).text
    assert "The old text is kept" in page
    assert "Closed in August." in page
    assert "9:00 to 17:00" in page
    assert (await client.post(f"{here}/keep", headers=HTMX)).status_code == 204
    assert "The old text is kept" not in (await client.get(here)).text
    changed = {"title": "When we are open", "every_hours": "0"}
    assert (await client.post(f"{here}/web", data=changed, headers=HTMX)).status_code == 204
    assert "when you say so" in (await client.get(here)).text
    edited = {"title": "Hours", "content": "Mine"}
    refused = await client.post(here, data=edited, headers=HTMX)
    assert refused.status_code == 422
    assert "is read from" in refused.text


async def test_a_program_adds_a_site_sees_its_pages_and_takes_the_new_text(
    client: AsyncClient, database: Database, shop: WebSite
) -> None:
    shop.sitemap("/hours", "/gone")
    wish = {"kind": "site", "url": shop.url, "every_hours": 6}
    made = (await client.post(f"{API}/sources", json=wish)).json()
    here = f"{API}/sources/{made['id']}"
    assert made["state"] == "reading"
    await work(database, shop)
    pages = (await client.get(f"{here}/pages")).json()
    assert [(each["state"], bool(each["reason"])) for each in pages] == [
        ("read", False),
        ("skipped", True),
    ]
    shop.say("/hours", "<h1>Hours</h1><p>Closed in August.</p>")
    assert (await client.post(f"{here}/sync")).status_code == 202
    await work(database, shop)
    assert (await client.get(here)).json()["state"] == "kept"
    waiting = (await client.get(f"{here}/pages", params={"proposed": True})).json()
    assert "August" in waiting[0]["content"]
    assert (await client.post(f"{here}/accept")).json()["state"] == "reading"
    await work(database, shop)
    passages = (await client.get(f"{here}/passages")).json()["items"]
    assert [each["text"] for each in passages] == ["Closed in August."]
    assert (await client.post(f"{here}/accept")).status_code == 409
    changed = await client.patch(here, json={"every_hours": 5})
    assert (changed.status_code, changed.json()["code"]) == (422, "source_invalid")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://shop.example/", "url_refused"),
        ("https://user:pass@shop.example/", "url_refused"),
        ("", "url_refused"),
        ("https://shop.example:8443/", "url_refused"),
    ],
)
async def test_an_address_that_may_not_be_asked_is_refused_at_once_sec24(
    client: AsyncClient, url: str, code: str
) -> None:
    wish = {"kind": "page", "url": url}
    refused = await client.post(f"{API}/sources", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_text_is_not_read_from_the_web(client: AsyncClient) -> None:
    wish = {"kind": "text", "title": "Hours", "content": "Open daily."}
    made = (await client.post(f"{API}/sources", json=wish)).json()
    refused = await client.post(f"{API}/sources/{made['id']}/sync")
    assert (refused.status_code, refused.json()["code"]) == (422, "source_invalid")
