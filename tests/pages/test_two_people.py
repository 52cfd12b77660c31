"""Two members of a team at work on the same page at once: what each sees of the other's changes.

In one thread, at one form, and while one of them takes away what the other is looking at. A page
that is out of date (`stale`) gets no live news: what it then does must be right all the same.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from number_fixtures import make_agent, make_enabled
from offhook import contacts, inbox, tasks
from offhook.billing import TestGateway
from offhook.db import Database
from offhook.inbox import Speaker
from offhook.phone import E164
from offhook.teams import Role
from web_fixtures import Person, Served, context_of, new_member

NO_NEWS = "globalThis.SharedWorker = class { port = { postMessage() {}, start() {} }; };"


@pytest.fixture
async def ben(database: Database, owner: Person) -> Person:
    """The second one: he may change everything but the owner."""
    return await new_member(database, owner.team_id, Role.ADMIN)


@pytest.fixture
async def stale(browser: Browser, served: Served, ben: Person) -> AsyncIterator[Page]:
    """Ben's tab, which no news reach."""
    context = await context_of(browser, served, ben)
    await context.add_init_script(NO_NEWS)
    yield await context.new_page()
    await context.close()


# --- one thread ---


@pytest.fixture
async def thread(database: Database, owner: Person) -> str:
    team, sender = owner.team_id, E164("+14155550190")
    number = await make_enabled(database, team, await make_agent(database, team))
    async with database.team(team) as session:
        contact = await contacts.on_contact(session, team, sender)
        thread = await inbox.open_thread(
            session, team, number_id=number, sender=sender, contact_id=contact.id
        )
        await inbox.add_turn(session, team, thread.id, speaker=Speaker.CALLER, text="Two loaves")
        return thread.id


async def test_two_who_answer_one_thread(
    page: Page, stale: Page, thread: str, owner: Person, ben: Person
) -> None:
    """S7, I6: the second who takes over is told; what each does is kept and seen."""
    for each in (page, stale):
        await each.goto(f"/inbox/{thread}")
        await expect(each.get_by_role("button", name="Take over")).to_be_visible()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.locator("#answering")).to_contain_text("You answer")
    await stale.get_by_role("button", name="Take over").click()
    await expect(stale.get_by_role("alert")).to_contain_text("Somebody else answers this thread.")

    row, label = page.locator(f"#row-{thread}"), page.get_by_label("New label").last
    await page.locator("#conversation-head").locator('summary[aria-label="Label"]').click()
    await label.fill("bread")
    await page.locator("#conversation-log").click()
    for menu, what, mark in (("Label", "urgent", "urgent"), ("Assign", "To me", ben.email)):
        await _choose(stale, menu, what)
        for each in (stale, page):
            await expect(each.locator("#conversation-labels")).to_contain_text(mark)
    await expect(label).to_have_value("bread")  # what she began to write outlives his news
    await page.locator("#conversation-head").locator('summary[aria-label="Label"]').click()
    await label.press("Enter")
    await expect(page.locator("#conversation-labels")).to_contain_text("bread")
    await expect(label).to_have_value("")
    for mark in ("bread", "urgent", ben.email.partition("@")[0]):
        await expect(row).to_contain_text(mark)
    await page.get_by_label("Write a text by hand").fill("Coming up.")
    await page.get_by_role("button", name="Send").click()
    written = page.locator("#conversation-log > [data-sequence]").filter(has_text="Coming up.")
    await expect(written).to_contain_text(owner.email)

    await stale.reload()
    await expect(stale.locator("#answering")).to_contain_text(f"{owner.email} answers")
    await expect(stale.locator("#conversation-log")).to_contain_text("Coming up.")
    await _choose(stale, "Snooze", "Tomorrow")
    await expect(page.locator("#conversation-labels")).to_contain_text("Snoozed until")
    await expect(row).to_be_hidden()


async def _choose(page: Page, menu: str, what: str) -> None:
    head = page.locator("#conversation-head")
    await head.locator(f'summary[aria-label="{menu}"]').click()
    if menu == "Label":
        await head.get_by_label("New label").fill(what)
        await head.get_by_role("button", name="Add", exact=True).click()
    else:
        await head.get_by_role("button", name=what).click()


# --- one form ---


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: the label of a field that both change, with what is written there one
    after the other, and another field that the second changes.
    """

    path: str
    label: str
    texts: tuple[str, str, str]
    other: tuple[str, str | bool] | None = None


FORMS = (
    Form("/numbers/{number}", "Name", ("Desk", "Reception", "Shop")),
    Form("/numbers/{number}/screening", "Calls of one caller an hour", ("7", "8", "9"),
         ("Calls of one caller at once", "3")),
    Form("/agents/{agent}", "Name", ("Ada 1", "Ada 2", "Eve"), ("When it does not know", "Ask.")),
    Form("/contacts/{contact}", "Name", ("Zoë", "Zoe", "O’Neill"), ("Company", "Bread & Co")),
    Form("/tasks/{task}", "Title", ("Bread", "Cake", "Rolls"), ("Ask for a yes first", True)),
    Form("/webhooks/endpoints/{endpoint}", "Name", ("Till", "Desk", "Log"),
         ("Send what was said along", True)),
    Form("/knowledge/{source}", "Title", ("Hours", "When", "Open"), ("Text", "Until five.")),
    Form("/billing/details", "Name on the invoice", ("Bread", "Loaf", "Crust"),
         ("Mail for invoices", "books@example.com")),
    Form("/team/settings", "Name", ("Night", "Day", "Dawn"), ("Hide card and US", True)),
)  # fmt: skip


@pytest.fixture
async def ids(
    served: Served, owner: Person, database: Database, database_url: str
) -> AsyncIterator[Mapping[str, str]]:
    """A number, an agent, a contact, a task, an endpoint and a text of the team, which pays by
    cards.
    """
    state = served.site.app.state
    state.gateway, state.secret = TestGateway(database_url), state.web.secret
    for kind in tasks.BUILT_IN:
        tasks.register(kind)
    team = owner.team_id
    agent = await make_agent(database, team)
    task = {
        "kind": "http",
        "title": "Order",
        "config": {"method": "POST", "url": "https://shop.example/orders"},
    }
    async with served.site.client(owner) as client:
        posted = {
            "contact": ("contacts", {"number": "+14155550190"}),
            "task": ("tasks", task),
            "source": (
                "knowledge/sources",
                {"kind": "text", "title": "Opening", "content": "Until four."},
            ),
            "endpoint": ("webhooks/endpoints", {"url": "https://hooks.example/in", "name": "Hook"}),
        }
        made = {"agent": agent, "number": await make_enabled(database, team, agent)}
        for name, (path, body) in posted.items():
            answer = await client.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 201, answer.text
            made[name] = answer.json()["id"]
    yield made
    await state.gateway.aclose()


async def test_two_who_change_one_form(page: Page, stale: Page, ids: Mapping[str, str]) -> None:
    """What one has saved is not undone by the other's older page; where both change the same
    field, the second is told, and may replace it.
    """
    for form in FORMS:
        path, label = form.path.format(**ids), form.label
        first, second, third = form.texts
        for each in (page, stale):
            await each.goto(path)
        await _save(page, label, first)
        if form.other:
            await _save(stale, *form.other)
            await stale.goto(path)
            await _holds(stale, label, first)
            await _holds(stale, *form.other)
        await page.goto(path)
        await _save(page, label, second)
        if form.other:
            await page.goto(path)
            await _holds(page, *form.other)
        await _save(stale, label, third, told=f"“{label}” to “{second}”")
        await _save(stale, label, third)
        await page.goto(path)
        await _holds(page, label, third)


def _form(page: Page, label: str) -> Locator:
    return page.get_by_role("main").locator("form").filter(has=page.get_by_label(label)).first


async def _save(page: Page, label: str, value: str | bool, *, told: str = "") -> None:
    """Set a field and save; `told`: what is said instead of saving."""
    form = _form(page, label)
    field = form.get_by_label(label).first
    if isinstance(value, bool):
        await field.set_checked(value)
    else:
        await field.fill(value)
    button = form.get_by_role("button", name="Save")
    if told:
        await button.click()
        alert = form.get_by_role("alert")
        await expect(alert).to_contain_text("Meanwhile somebody else has changed")
        await expect(alert).to_contain_text(told)
        await expect(field).to_have_value(str(value))
        return
    async with page.expect_response(lambda answer: answer.request.method == "POST") as saved:
        await button.click()
    assert (await saved.value).status < 400
    await expect(page.locator("#toasts")).to_contain_text(re.compile("saved", re.IGNORECASE))


async def _holds(page: Page, label: str, value: str | bool) -> None:
    field = _form(page, label).get_by_label(label).first
    if isinstance(value, bool):
        await expect(field).to_be_checked(checked=value)
    else:
        await expect(field).to_have_value(value)


async def test_what_was_typed_and_what_was_refused_stays_beside_the_others_news(
    page: Page, ids: Mapping[str, str], served: Served, owner: Person
) -> None:
    await page.goto(f"/contacts/{ids['contact']}")
    await expect(page.locator("html")).to_have_attribute("data-live", "on")
    another = page.get_by_label("Another number")
    await another.fill("12")
    await another.press("Enter")
    refused = page.get_by_role("main").get_by_role("alert")
    await expect(refused).to_be_visible()
    await page.get_by_label("Company").fill("Bread & Co")
    await page.get_by_label("Company").blur()
    async with served.site.client(owner) as client:
        answer = await client.patch(f"/api/v1/contacts/{ids['contact']}", json={"name": "Zoë"})
        assert answer.status_code == 200, answer.text
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Zoë")
    await expect(page.get_by_label("Company")).to_have_value("Bread & Co")
    await expect(another).to_have_value("12")
    await expect(refused).to_be_visible()


# --- what one takes away ---


async def test_what_was_taken_away_meanwhile_is_said(
    page: Page, stale: Page, ids: Mapping[str, str], served: Served, owner: Person, ben: Person
) -> None:
    """A card, a task, a draft as it was, and the membership itself."""
    async with served.site.client(owner) as client:
        card = {
            "number": "4242424242424242",
            "expiry_month": 12,
            "expiry_year": 2099,
            "code": "123",
        }
        cards = [(await client.post("/api/v1/billing/cards", json=card)).json() for _ in range(2)]
        assert all("id" in each for each in cards), cards
        await stale.goto("/billing")
        await client.delete(f"/api/v1/billing/cards/{cards[1]['id']}")
        await stale.get_by_role("button", name="Make default").click()
        await expect(stale.get_by_role("alert").first).to_contain_text("There is no card")

        await stale.goto(f"/tasks/{ids['task']}")
        await client.delete(f"/api/v1/tasks/{ids['task']}")
        form = _form(stale, "Title")
        await form.get_by_label("Title").fill("Order cake")
        await form.get_by_role("button", name="Save").click()
        await expect(form.get_by_role("alert").first).to_contain_text("There is no task")

        # What the second would publish is not what he has looked at.
        await client.patch(f"/api/v1/agents/{ids['agent']}", json={"fallback": "Ask us."})
        await stale.goto(f"/agents/{ids['agent']}")
        await client.patch(f"/api/v1/agents/{ids['agent']}", json={"fallback": "Ask them."})
        await stale.get_by_role("button", name="Publish changes").click()
        dialog = stale.get_by_role("dialog", name="Publish version 2")
        await dialog.get_by_role("button", name="Publish changes").click()
        await expect(dialog.get_by_role("alert")).to_contain_text(
            "changed or published by somebody"
        )

        await page.goto("/team")
        await expect(page.get_by_role("table", name="Members")).to_contain_text(ben.email)
        await stale.goto("/numbers")
        await page.locator(f"#member-{ben.user_id}").get_by_role("button", name="Remove").click()
        async with page.expect_response("**/team/members"):  # a dialog outlives others' news
            await client.post("/api/v1/api-keys", json={"name": "Till"})
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("table", name="Members")).not_to_contain_text(ben.email)
        await stale.get_by_role("link", name="Agents").first.click()
        await expect(stale.get_by_role("button", name="Sign in")).to_be_visible()
