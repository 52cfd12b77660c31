"""Two members in the inbox at once, by mouse and by keys, on a wide screen and on a phone."""

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Browser, Page, expect

from number_fixtures import make_agent, make_enabled
from offhook import contacts, inbox
from offhook.db import Database
from offhook.inbox import Speaker
from offhook.phone import E164
from web_fixtures import Person, Served, context_of, new_member, serious

PATIENCE_MS = 20_000


async def make_thread(database: Database, team: str, number: str, sender: str, text: str) -> str:
    async with database.team(team) as session:
        contact = await contacts.on_contact(session, team, E164(sender))
        thread = await inbox.open_thread(
            session, team, number_id=number, sender=sender, contact_id=contact.id
        )
        await inbox.add_turn(session, team, thread.id, speaker=Speaker.CALLER, text=text)
        return thread.id


@dataclass(frozen=True)
class Scene:
    """Ana at her desk, Ben with his phone, two threads of one number."""

    page: Page
    phone: Page
    ben: str
    first: str
    second: str


async def test_two_members_see_each_others_changes_and_work_by_keys(
    page: Page, browser: Browser, served: Served, owner: Person, database: Database
) -> None:
    """I3, I5, I6, S7, S8"""
    expect.set_options(timeout=PATIENCE_MS)
    team = owner.team_id
    number = await make_enabled(database, team, await make_agent(database, team))
    texts = {"+14155550190": "A crème brûlée, please", "+14155550191": "Two loaves"}
    first, second = [
        await make_thread(database, team, number, sender, text) for sender, text in texts.items()
    ]
    ben = await new_member(database, team)
    bens = await context_of(browser, served, ben, width=390)
    phone = await bens.new_page()

    await page.goto("/inbox")
    rows = page.locator("[data-row]")
    await expect(rows).to_have_count(2)
    await phone.goto(f"/inbox/{second}")
    await expect(phone.locator("#rows")).to_be_hidden()

    scene = Scene(page, phone, ben.email, first, second)
    await _ben_takes_over_and_writes(scene)
    await _ana_works_by_keys(scene)

    async def another() -> None:
        await make_thread(database, team, number, "+14155550192", "Me too")

    await _ana_closes_two_while(scene, another)
    await _what_is_shown_is_exported(scene)
    await bens.close()


async def _ben_takes_over_and_writes(scene: Scene) -> None:
    """Ana sees it on her list (S5, S7)."""
    page = scene.page
    phone = scene.phone
    second = scene.second
    await phone.get_by_role("button", name="Take over").click()
    await expect(phone.locator("#answering")).to_contain_text("You answer")
    await expect(page.locator(f"#row-{second}")).to_contain_text("By hand")
    await expect(page.locator(f"#row-{second}")).to_contain_text(scene.ben.partition("@")[0])
    field = phone.get_by_label("Write a text by hand")
    await field.fill("ž" * 80)
    await expect(phone.locator("#size")).to_contain_text("2 segments, 80 characters, UCS-2: ž")
    await field.fill("On its way.")
    await expect(phone.locator("#size")).to_contain_text("1 segment, 11 characters, GSM-7")
    await phone.get_by_role("button", name="Send").click()
    await expect(field).to_have_value("")
    await expect(phone.locator("#conversation-log")).to_contain_text("On its way.")
    await expect(page.locator(f"#row-{second}")).to_contain_text("On its way.")
    assert await serious(phone) == []


async def _ana_works_by_keys(scene: Scene) -> None:
    """Search, label, ask for a person; Ben's list follows (I3, I6)."""
    page = scene.page
    phone = scene.phone
    first = scene.first
    await page.keyboard.press("/")
    await page.keyboard.type("creme")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-row]")).to_have_count(1)
    await expect(page.locator("#rows mark")).to_have_text("crème")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("#conversation-log mark")).to_have_text("crème")
    await page.keyboard.press("l")
    await page.keyboard.type("dessert")
    await page.keyboard.press("Enter")
    await expect(page.locator("#conversation-labels")).to_contain_text("dessert")
    await page.keyboard.press("p")
    await page.keyboard.type("Wants it on Sunday")
    await page.keyboard.press("Enter")
    await expect(page.locator("#person-needed")).to_contain_text("Wants it on Sunday")
    await phone.goto("/inbox")
    await expect(phone.locator(f"#row-{first}")).to_contain_text("dessert")
    await page.keyboard.press("p")
    await expect(page.locator("#person-needed")).to_have_count(0)
    await expect(phone.locator(f"#row-{first}")).not_to_contain_text("Person needed")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert await serious(page) == []
    await page.keyboard.press("Escape")


async def _ana_closes_two_while(scene: Scene, another: Callable[[], Awaitable[None]]) -> None:
    """A text that comes meanwhile does not undo the choice."""
    page = scene.page
    await page.goto("/inbox")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await another()
    await expect(page.locator("[data-row]")).to_have_count(3)
    await expect(page.locator("#bulk")).to_contain_text("2 chosen")
    await page.keyboard.press("e")
    await expect(page.locator("#toasts")).to_contain_text("Closed: 2")
    await page.goto("/inbox?state=closed")
    await expect(page.locator("[data-row]")).to_have_count(2)


async def _what_is_shown_is_exported(scene: Scene) -> None:
    """As CSV and as JSON."""
    page = scene.page
    first = scene.first
    second = scene.second
    answer = await page.request.get("/inbox/export?state=closed&format=csv")
    lines = list(csv.DictReader(io.StringIO(await answer.text())))
    assert {line["conversation_id"] for line in lines} == {first, second}
    assert "A crème brûlée, please" in {line["text"] for line in lines}
    assert [line["text"] for line in lines if line["author"] == scene.ben] == ["On its way."]
    told = await (await page.request.get("/inbox/export?q=creme&format=json")).json()
    assert [(each["id"], each["labels"]) for each in told] == [(first, ["dessert"])]
