"""What a member tells the agent alone: taken into account, heard by nobody else (I5)."""

from pathlib import Path

import httpx
import pytest
from office import Office, open_office
from sounds import speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from offhook import audit, inbox, media
from offhook.agents import Briefing, Channel, Said, Speaker
from offhook.agents.offline import OfflineBrain
from offhook.agents.prompting import instructions
from offhook.calls import service
from offhook.calls.joining.tickets import Member
from offhook.calls.joining.whispering import whisper
from offhook.calls.rules import End
from offhook.db import Database
from offhook.knowledge import Hit
from web_fixtures import Person, Site, new_owner

ANNA = Member("usr_1", "anna@example.com")
HINT = "The rye bread is sold out today."
QUESTION = "Do you have any rye bread left?"


async def whispered(stage: Stage, text: str) -> None:
    call = stage.connected
    async with stage.database.team(call.team_id) as session:
        await whisper(session, call.team_id, call.call_id, ANNA, text)
    stage.conversation.poke()


async def test_the_agent_knows_it_from_its_next_reply_on_and_nobody_else_hears_it(
    database: Database, tmp_path: Path
) -> None:
    """Neither a turn to be answered nor words of anybody; it begins no reply by itself."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain("Let me see.", "Sorry, none."),
        recogniser=ScriptedRecogniser("Hello there.", QUESTION),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech("Hello there, good morning."))
    await stage.agent_is_silent()
    await whispered(stage, f"  {HINT} ")
    pieces = len(stage.of(media.PieceStarted))
    await stage.quiet(2_000)
    assert len(stage.of(media.PieceStarted)) == pieces
    await stage.run(speech(QUESTION))
    await stage.agent_is_silent()
    first, second = stage.brain.briefings
    assert (list(first.whispers), list(second.whispers)) == ([], [HINT])
    assert HINT not in str(second.history)
    assert not any(HINT in text for _, text in stage.watcher.told)
    assert HINT not in " ".join(stage.synthesiser.spoken)
    await stage.end()
    turns = await stage.turns()
    assert turns.index(("notice", HINT)) == 3
    call = stage.connected
    async with database.team(call.team_id) as session:
        kept = await inbox.turns_of(session, call.team_id, call.conversation_id)
        noted = [each.action async for each in audit.entries(session, call.team_id, CALLS)]
    assert (kept[3].status, kept[3].author) == ("whisper", ANNA.name)
    assert noted == ["whispered"]


CALLS = audit.Filter(subject="call")


def asked(*whispers: str) -> Briefing:
    async def search(_: str) -> list[Hit]:
        return []

    return Briefing(
        team_id="team_1", snapshot=snapshot(), channel=Channel.CALL,
        history=[Said(Speaker.CALLER, QUESTION)], search=search, whispers=whispers,
    )  # fmt: skip


async def test_without_a_model_it_is_said_where_it_is_about_what_was_asked() -> None:
    async def says(*whispers: str) -> str:
        parts = [part async for part in OfflineBrain().reply(asked(*whispers))]
        return "".join(getattr(part, "delta", "") for part in parts)

    assert await says("the rye bread is sold out", "Our car park is closed on Monday") == (
        "The rye bread is sold out."
    )
    assert await says("There is rye bread", HINT) == HINT  # the newest counts
    assert "car park" not in await says("Our car park is closed on Monday")


def test_a_model_is_told_it_apart_from_what_was_said() -> None:
    assert HINT in instructions(asked(HINT), None, [])
    assert "listen in" not in instructions(asked(), None, [])


@pytest.fixture
async def office(site: Site, owner: Person) -> Office:
    return await open_office(site.database, team_id=owner.team_id)


async def test_it_is_whispered_by_rest_and_on_the_page_while_the_call_lasts(
    site: Site, owner: Person, client: httpx.AsyncClient, office: Office
) -> None:
    call = await office.live()
    here, key = f"/api/v1/calls/{call.call_id}/whisper", {"Idempotency-Key": "k1"}
    program = site.program(await site.key(owner))
    made = await program.post(here, json={"text": HINT}, headers=key)
    assert (made.status_code, made.json()["text"]) == (201, HINT)
    assert (await program.post(here, json={"text": HINT}, headers=key)).json() == made.json()
    page = f"/calls/{call.call_id}"
    sent = await client.post(f"{page}/whisper", data={"text": "Be brief."}, headers=HTMX)
    assert sent.status_code == 204
    shown = (await client.get(page)).text
    assert HINT in shown
    assert f"{owner.email} to the agent" in shown
    assert "Whisper to the agent" in shown
    for text in ("", " ", "x" * 501):
        refused = await client.post(f"{page}/whisper", data={"text": text})
        assert refused.status_code == 422
    stranger = site.program(await site.key(await new_owner(site.database)))
    assert (await stranger.post(here, json={"text": HINT})).status_code == 404
    async with site.database.team(owner.team_id) as session:
        asked_for = await service.asked(session, owner.team_id, call.call_id)
        assert list(asked_for.whispers) == [HINT, "Be brief."]
        await service.finish(session, owner.team_id, call.call_id, End.CALLER_HUNG_UP)
    late = await program.post(here, json={"text": HINT})
    assert (late.status_code, late.json()["code"]) == (409, "call_not_live")
    assert "Whisper to the agent" not in (await client.get(page)).text


HTMX = {"HX-Request": "true"}
