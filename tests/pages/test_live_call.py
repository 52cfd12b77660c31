"""A live call on its own page and in the inbox while the stream is lost (CM8, I5, C2)."""

from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from live_proxy import proxied
from number_fixtures import make_agent, make_enabled
from offhook import contacts, inbox
from offhook.calls.models import Call
from offhook.calls.rules import CallState
from offhook.db import Database, new_id, now
from offhook.inbox import Speaker
from offhook.phone import E164
from web_fixtures import Person, Served, context_of, serious

CALLER = "+14155550190"


@dataclass(frozen=True, slots=True)
class Talk:
    """A call that is going on, as a media process writes and tells it."""

    served: Served
    team_id: str
    call_id: str
    conversation_id: str

    async def turn(self, speaker: Speaker, text: str) -> None:
        async with self.served.site.database.team(self.team_id) as session:
            await inbox.add_turn(
                session, self.team_id, self.conversation_id, speaker=speaker, text=text
            )

    def words(self, text: str, speaker: str = "caller") -> None:
        """What is being said at the moment; "" when it came to nothing."""
        hub = self.served.site.app.state.web.live
        hub.push(self.team_id, f"words:{self.call_id}", {"speaker": speaker, "text": text})


@pytest.fixture
async def talk(served: Served, owner: Person, database: Database) -> Talk:
    team, call_id = owner.team_id, new_id("call")
    number = await make_enabled(database, team, await make_agent(database, team))
    async with database.team(team) as session:
        instant = await now(session)
        contact = await contacts.on_contact(session, team, E164(CALLER))
        chat = await inbox.open_conversation(
            session, team, channel=inbox.Channel.CALL, number_id=number, sender=CALLER,
            contact_id=contact.id, call_id=call_id,
        )  # fmt: skip
        call = Call(
            id=call_id, team_id=team, conversation_id=chat.id, number_id=number,
            contact_id=contact.id, carrier_call_id="CA1", caller=CALLER, state=CallState.LIVE,
            agent={}, answered_at=instant, heartbeat_at=instant,
        )  # fmt: skip
        session.add(call)
    return Talk(served, team, call_id, chat.id)


def turns(page: Page) -> Locator:
    """What the page shows as said, without what is being said at the moment."""
    return page.locator(
        "#transcript .bubble:not([data-words-text]), #conversation-log details .bubble"
    )


async def is_live(page: Page, state: str = "on") -> None:
    await expect(page.locator("html")).to_have_attribute("data-live", state)


async def test_a_cut_stream_loses_and_repeats_no_turn(
    browser: Browser, served: Served, owner: Person, talk: Talk
) -> None:
    """Both pages: each turn once and in order, the timer right, without a reload."""
    async with proxied(served) as proxy:
        context = await context_of(browser, served, owner)
        pages: list[Page] = []
        for path in (f"/calls/{talk.call_id}", f"/inbox/{talk.conversation_id}"):
            page = await context.new_page()
            await page.goto(proxy.url + path)
            await page.evaluate("globalThis.same = true")
            await is_live(page)
            pages.append(page)
        call, chat = pages
        said = ["Are you open on Sunday?"]
        await talk.turn(Speaker.CALLER, said[0])
        for page in pages:
            await expect(turns(page)).to_have_text(said)
        for page in pages:
            await _looks_right(page)
        talk.words("And on Mon")
        await expect(call.locator(f"#words-caller-{talk.call_id}")).to_have_text("And on Mon")
        await expect(chat.locator(f"#said-{talk.call_id}")).to_have_text("And on Mon")

        proxy.lose()
        for page in pages:
            await is_live(page, "off")
            await expect(page.get_by_text("Reconnecting…").filter(visible=True)).to_be_visible()
        missed = [
            (Speaker.AGENT, "Yes, from eight to one."),
            (Speaker.CALLER, "And on Monday?"),
            (Speaker.AGENT, "On Monday we are closed."),
        ]
        for speaker, text in missed:
            await talk.turn(speaker, text)
        talk.words("Then I", "caller")
        talk.words("", "caller")
        proxy.refuse, proxy.down = 2, False
        said += [text for _, text in missed]
        for page in pages:
            await expect(turns(page)).to_have_text(said)
            await is_live(page)
        assert proxy.refusals == 2
        await expect(call.locator(f"#words-caller-{talk.call_id}")).to_be_hidden()
        await expect(chat.locator(f"#said-{talk.call_id}")).to_have_text(said[-1])
        await talk.turn(Speaker.CALLER, "Thank you, goodbye.")
        for page in pages:
            await expect(turns(page)).to_have_text([*said, "Thank you, goodbye."])
            assert await page.evaluate("globalThis.same")
            await _timer_is_right(page)
        await context.close()


async def _looks_right(page: Page) -> None:
    """While the call lives, narrow and wide, light and dark (pages.md)."""
    for width, scheme in ((390, "dark"), (768, "light"), (1440, "dark"), (1440, "light")):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await serious(page) == []


async def _timer_is_right(page: Page) -> None:
    """The seconds since the call began, by the server's clock, give or take a second."""
    off = await page.evaluate(
        """() => {
          const timer = document.querySelector("main time[data-timer]");
          const parts = timer.textContent.split(":");
          const shown = parts.reduce((sum, part) => 60 * sum + Number(part), 0);
          return Math.abs((Date.now() - Date.parse(timer.dateTime)) / 1000 - shown);
        }"""
    )
    assert off < 2


async def test_what_a_row_has_loaded_stays_when_the_list_is_loaded_again(
    page: Page, talk: Talk
) -> None:
    """pages.md: the last activity of a number, beside news of numbers."""
    await talk.turn(Speaker.CALLER, "Hello?")
    await page.goto("/numbers")
    await is_live(page)
    moment = page.get_by_role("row").filter(has_text="Front desk").locator("time")
    await expect(moment).to_have_text("just now")
    async with page.expect_response("**/numbers/rows*"):
        talk.served.site.app.state.web.live.announce(talk.team_id, "number")
    await expect(page.locator("main .htmx-request")).to_have_count(0)
    assert await moment.count() == 1


async def test_eight_tabs_of_the_inbox_follow_a_call(
    browser: Browser, served: Served, owner: Person, talk: Talk
) -> None:
    """A browser has six connections to a host: the eighth tab works, and starves nobody."""
    context = await context_of(browser, served, owner)
    pages: list[Page] = []
    for _ in range(8):
        page = await context.new_page()
        await page.goto(f"/inbox/{talk.conversation_id}")
        await is_live(page)
        pages.append(page)
    await talk.turn(Speaker.CALLER, "Hello?")
    for page in pages:
        await expect(turns(page)).to_have_text(["Hello?"])
        await expect(page.locator(f"#said-{talk.call_id}")).to_have_text("Hello?")
    assert len(served.site.app.state.web.live._streams) == 1
    last = pages[-1]
    await last.get_by_role("link", name="Recording and details").click()
    await expect(turns(last)).to_have_text(["Hello?"])
    await context.close()
