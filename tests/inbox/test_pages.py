"""The inbox in a browser and over REST: filters, timelines, live turns exactly once (CM8)."""

import asyncio
import re
from datetime import timedelta

import pytest
from httpx import AsyncClient
from playwright.async_api import Locator, Page, expect

from number_fixtures import make_agent, make_enabled
from offhook import contacts, inbox
from offhook.db import Database, now
from offhook.inbox import Channel, Speaker, searching
from offhook.phone import E164
from web_fixtures import Person, Site

ANN = E164("+14155550199")


async def make_thread(database: Database, team: str, number: str, *texts: str) -> str:
    async with database.team(team) as session:
        contact = await contacts.on_contact(session, team, ANN)
        thread = await inbox.open_thread(
            session, team, number_id=number, sender=ANN, contact_id=contact.id
        )
        for text in texts:
            await inbox.add_turn(
                session, team, thread.id, speaker=Speaker.CALLER, text=text, status="received"
            )
        return thread.id


async def make_call(database: Database, team: str, number: str, *, refused: str = "") -> str:
    async with database.team(team) as session:
        began = await now(session) - timedelta(minutes=3)
        call = await inbox.open_conversation(
            session,
            team,
            channel=Channel.CALL,
            number_id=number,
            sender=ANN,
            call_id="call_1",
            refused=refused,
            at=began,
        )
        if not refused:
            for speaker, text in ((Speaker.AGENT, "Daily Bread, hello!"), (Speaker.CALLER, "Hi.")):
                await inbox.add_turn(
                    session, team, call.id, speaker=speaker, text=text, started_at=began
                )
            await inbox.close(session, team, call.id, reason="caller_hung_up")
        return call.id


async def say(database: Database, team: str, thread: str, text: str) -> None:
    async with database.team(team) as session:
        await inbox.add_turn(session, team, thread, speaker=Speaker.AGENT, text=text, status="sent")


async def number_of(database: Database, team: str) -> str:
    return await make_enabled(database, team, await make_agent(database, team))


async def test_the_list_shows_what_is_asked_for(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """I3, C1"""
    number = await number_of(database, owner.team_id)
    await make_thread(database, owner.team_id, number, "Croissants on Sunday?")
    await make_call(database, owner.team_id, number)
    await make_call(database, owner.team_id, number, refused="limit_reached")
    for query, seen, hidden in (
        ("", "Croissants on Sunday?", "monthly limit reached"),
        ("?q=croissants", "<mark>Croissants</mark> on Sunday?", "Hi."),
        ("?channel=call", "Hi.", "Croissants"),
        ("?state=not_answered", "monthly limit reached", "Croissants"),
        ("?q=nowhere", "Nothing matches", "Croissants"),
        ("?channel=nonsense&state=%00", "Croissants on Sunday?", "Nothing matches"),
    ):
        answer = await client.get(f"/inbox{query}")
        assert answer.status_code == 200, query
        rows = answer.text.split('id="rows"')[1].split("Choose a conversation")[0]
        assert seen in rows, query
        assert hidden not in rows, query


async def test_a_search_shows_what_it_found_at_once_and_goes_on(
    page: Page, owner: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await number_of(database, owner.team_id)
    await make_thread(database, owner.team_id, number, "Croissants on Sunday?")
    for bound in ("AT_ONCE", "MEANWHILE"):
        monkeypatch.setattr(searching, bound, 0)
    for typed, meanwhile, at_last in (
        ("croissants", "Looking further back…", "Croissants on Sunday?"),
        ("nowhere", "Looking further back…", "Nothing matches"),
    ):
        async with page.expect_response("**/inbox/rows?**") as rest:
            answer = await page.goto(f"/inbox?q={typed}")
            assert answer
            shown = (await answer.text()).split('id="rows"')[1]
            assert meanwhile in shown
            assert at_last not in shown
        assert (await rest.value).ok
        await expect(page.locator("#rows")).to_contain_text(at_last)
        await expect(page.locator("#rows")).not_to_contain_text(meanwhile)


async def test_an_empty_inbox_says_what_to_do(client: AsyncClient) -> None:
    assert "No conversations yet" in (await client.get("/inbox")).text


async def test_an_inbox_whose_only_call_goes_on_is_not_called_empty(
    client: AsyncClient, database: Database, owner: Person
) -> None:
    number = await number_of(database, owner.team_id)
    async with database.team(owner.team_id) as session:
        await inbox.open_conversation(
            session, owner.team_id, channel=Channel.CALL, number_id=number, sender=ANN, call_id="c"
        )
    page = (await client.get("/inbox")).text
    assert "No conversations yet" not in page
    assert "Calls that are over and texts appear here." in page
    assert "Nothing matches" in (await client.get("/inbox?channel=sms")).text
    assert "Nothing is snoozed" in (await client.get("/inbox?snoozed=1")).text
    assert "Nothing matches" in (await client.get("/inbox?snoozed=1&q=cake")).text


async def test_calls_and_texts_are_one_timeline_and_are_read_by_looking(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """I1, I2"""
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, "<b>See you & thanks</b>")
    await make_call(database, owner.team_id, number)
    assert (await client.get(f"/api/v1/conversations/{thread}")).json()["unread"]
    text = (await client.get(f"/inbox/{thread}")).text
    assert text.index("Daily Bread, hello!") < text.rindex(
        "&lt;b&gt;See you &amp; thanks&lt;/b&gt;"
    )
    assert 'href="/calls/call_1"' in text
    [followed] = re.findall(r'id="conversation" data-live="([^"]*)"', text)
    assert followed.split() == ["inbox", f"conversation:{thread}", f"tasks:{thread}"]
    assert re.search(r'<details class="mt-2" id="turns-\w+">', text)
    found = (await client.get(f"/inbox/{thread}?q=hello")).text
    assert re.search(r'<details class="mt-2" id="turns-\w+" open>', found)
    assert not (await client.get(f"/api/v1/conversations/{thread}")).json()["unread"]


async def test_what_a_person_says_by_another_number_of_theirs_is_told_apart(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """I2: a composer writes to the number whose thread lies open."""
    number, team = await number_of(database, owner.team_id), owner.team_id
    thread = await make_thread(database, team, number, "hello")
    other = E164("+14155550198")
    async with database.team(team) as session:
        contact = await contacts.on_contact(session, team, ANN)
        for channel, text in ((Channel.SMS, "it is me"), (Channel.CALL, "and by voice")):
            made = await inbox.open_conversation(
                session,
                team,
                channel=channel,
                number_id=number,
                sender=other,
                contact_id=contact.id,
            )
            await inbox.add_turn(session, team, made.id, speaker=Speaker.CALLER, text=text)
        call = made.id
    text = (await client.get(f"/inbox/{thread}")).text
    assert text.count("by (415) 555-0198") == 1
    assert text.count("Call, (415) 555-0198") == 1
    assert f"/fragments/composer/{thread}" in text
    assert "it is me" in (await client.get(f"/inbox/{call}")).text


async def test_a_thread_is_closed_by_hand(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """S8"""
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, "bye")
    given = {"ids": thread, "act": "close"}
    assert (await client.post("/inbox/acts", data=given)).status_code == 303
    assert "closed by hand" in (await client.get(f"/inbox/{thread}")).text


async def test_a_person_is_asked_for_filtered_and_seen_to(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """I3, I6"""
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, "I want my money back")
    api = f"/api/v1/conversations/{thread}/person"
    assert "Nobody waits for a person" in (await client.get("/inbox?person=1")).text
    marked = await client.post(api, json={"reason": "Wants\x00 a refund.\n" + "x" * 300})
    assert marked.json()["person_needed"].startswith("Wants\ufffd a refund. xxx")
    assert "Person needed" in (await client.get("/inbox?person=1")).text
    page = (await client.get(f"/inbox/{thread}")).text
    assert "A person is needed." in page
    found = await client.get("/api/v1/conversations", params={"person_needed": True})
    assert [each["id"] for each in found.json()["items"]] == [thread]
    given = {"ids": thread, "act": "seen_to"}
    assert (await client.post("/inbox/acts", data=given)).status_code == 303
    assert "A person is needed." not in (await client.get(f"/inbox/{thread}")).text
    assert (await client.delete(api)).json()["person_needed"] == ""


async def test_other_teams_conversations_are_not_found(
    client: AsyncClient, site: Site, database: Database
) -> None:
    """SEC7"""
    from web_fixtures import new_owner

    other = await new_owner(database, "Garage")
    thread = await make_thread(
        database, other.team_id, await number_of(database, other.team_id), "x"
    )
    for address in (
        f"/inbox/{thread}",
        f"/inbox/{thread}/body",
        f"/inbox/{thread}/contact",
        f"/fragments/answering/{thread}",
        f"/fragments/composer/{thread}",
        f"/api/v1/conversations/{thread}",
        f"/api/v1/conversations/{thread}/turns",
    ):
        assert (await client.get(address)).status_code == 404


async def test_the_composer_queues_a_text_or_says_why_not(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, "hello")
    assert "Write a text by hand" in (await client.get(f"/fragments/composer/{thread}")).text
    answer = await client.post(f"/inbox/{thread}/send", data={"body": "By hand"})
    assert answer.status_code in {204, 303}
    page = (await client.get(f"/inbox/{thread}")).text
    assert "By hand" in page
    assert (await client.post(f"/inbox/{thread}/send", data={"body": " "})).status_code == 422


async def test_rest_lists_pages_and_turns(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, "one", "two", "three")
    call = await make_call(database, owner.team_id, number)
    first = (await client.get("/api/v1/conversations?limit=1")).json()
    second = (
        await client.get("/api/v1/conversations", params={"limit": 1, "cursor": first["next"]})
    ).json()
    assert {first["items"][0]["id"], second["items"][0]["id"]} == {thread, call}
    found = await client.get(f"/api/v1/conversations/{thread}/turns?after=1&limit=1")
    [turn] = found.json()["turns"]
    assert (turn["sequence"], turn["text"]) == (2, "two")
    read = await client.post(f"/api/v1/conversations/{thread}/read")
    assert read.json()["unread"] is False
    closed = await client.post(f"/api/v1/conversations/{thread}/close")
    assert closed.json()["state"] == "closed"


async def test_rest_answers_what_a_search_finds_at_once_and_then_what_is_further_back(
    client: AsyncClient, owner: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I3: whoever follows `next` misses nothing, and gets nothing twice."""
    monkeypatch.setattr(searching, "AT_ONCE", 0)
    monkeypatch.setattr(searching, "MEANWHILE", 3)
    number = await number_of(database, owner.team_id)
    wanted: list[str] = []
    async with database.team(owner.team_id) as session:
        for index, both in enumerate([*[True] * 7, *[False] * 7, True]):
            thread = await inbox.open_thread(
                session, owner.team_id, number_id=number, sender=f"+1415555{2000 + index}"
            )
            said = ["left right"] if both else ["left", "right"]
            for text in said:
                await inbox.add_turn(
                    session, owner.team_id, thread.id, speaker=Speaker.CALLER, text=text
                )
            wanted = [thread.id, *wanted] if both else wanted
    sizes: list[int] = []
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"q": "left right", "limit": "2", "cursor": cursor}
        answer = (await client.get("/api/v1/conversations", params=asked)).json()
        cursor = answer["next"]
        sizes.append(len(answer["items"]))
        found += [each["id"] for each in answer["items"]]
    assert found == wanted
    assert sizes == [1, 2, 2, 2, 1]


async def test_last_activity_of_a_number(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    number = await number_of(database, owner.team_id)
    assert "–" in (await client.get(f"/fragments/last-activity/{number}")).text
    await make_thread(database, owner.team_id, number, "hello")
    assert "just now" in (await client.get(f"/fragments/last-activity/{number}")).text


async def test_every_turn_appears_once_and_in_order_without_a_reload(
    page: Page, owner: Person, database: Database
) -> None:
    """CM8, I5: also those that came while the browser was offline."""
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, "start")
    await page.goto(f"/inbox/{thread}")
    bubbles = page.locator("#conversation-log [data-sequence]")
    await expect(bubbles).to_have_count(1)
    for index in range(3):
        await say(database, owner.team_id, thread, f"live {index}")
    await expect(bubbles).to_have_count(4)
    await page.context.set_offline(True)
    await asyncio.gather(*(say(database, owner.team_id, thread, f"lost {n}") for n in range(3)))
    await page.context.set_offline(False)
    await expect(bubbles).to_have_count(7, timeout=20_000)
    order = await bubbles.evaluate_all("all => all.map((one) => Number(one.dataset.sequence))")
    assert order == list(range(1, 8))
    await expect(page.locator("#rows")).to_contain_text("lost")


async def test_on_a_telephone_a_thread_opens_at_its_end_and_menus_fit(
    page: Page, owner: Person, database: Database
) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    number = await number_of(database, owner.team_id)
    thread = await make_thread(database, owner.team_id, number, *(f"line {n}" for n in range(30)))
    await page.goto(f"/inbox/{thread}")
    await expect(page.get_by_text("line 29", exact=True).filter(visible=True)).to_be_in_viewport()
    head = page.locator("#conversation-head")
    for name in ("Snooze", "Assign", "Label", "More"):
        await _opens_in_full(page, head.get_by_label(name, exact=True))
    assert page.url.endswith(thread)  # Escape has closed the menus alone
    await page.goto("/inbox")
    await page.locator("label.row-pick").first.click()
    bulk = page.get_by_role("toolbar")
    for name in ("Snooze", "Assign", "Label", "More"):
        await _opens_in_full(page, bulk.get_by_label(name, exact=True))


async def _opens_in_full(page: Page, summary: Locator) -> None:
    await summary.click()
    menu = summary.locator("xpath=following-sibling::div")
    await expect(menu).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
