"""Calls and their contacts: who is not answered, spellings, erasure (CI2, CI4, P5, P7)."""

from pathlib import Path

import pytest
from office import Office, open_office

from contact_fixtures import join
from offhook import contacts, inbox
from offhook.calls import recordings, service
from offhook.calls.admission import Refused
from offhook.calls.jobs import erase_recording
from offhook.calls.rules import CallState, End, Refusal
from offhook.contacts import screening
from offhook.contacts.erasing import erase
from offhook.db import Database, now
from offhook.phone import E164

MEXICAN, SPELLED = "+525587654321", "+5215587654321"
HIDDEN = ("+266696687", "+8656696", "Anonymous", "+", "", "sip:anonymous@anonymous.invalid")


@pytest.fixture
async def office(database: Database) -> Office:
    return await open_office(database)


async def test_a_blocked_caller_is_rejected_in_every_spelling_and_kept(office: Office) -> None:
    """C1, P7: SIP 603; a refused call makes nobody a contact."""
    async with office.database.team(office.team_id) as session:
        await contacts.block(session, office.team_id, E164(MEXICAN), by="usr_1")
    for spelling in (MEXICAN, SPELLED):
        verdict = await office.admit(office.rings(spelling))
        assert verdict == Refused(Refusal.BLOCKED, "rejected")
    async with office.database.team(office.team_id) as session:
        filtered = inbox.Filter(state=inbox.State.NOT_ANSWERED)
        kept = (await session.scalars(inbox.listed(office.team_id, filtered))).all()
        assert [each.reason for each in kept] == ["blocked", "blocked"]
        assert await contacts.find(session, office.team_id, E164(MEXICAN)) is None
        await contacts.unblock(session, office.team_id, E164(SPELLED))
    await office.admitted(MEXICAN)


@pytest.mark.parametrize("spelling", HIDDEN)
async def test_one_switch_refuses_whoever_hides_in_any_form(office: Office, spelling: str) -> None:
    """CI2, P5, SEC12"""
    async with office.database.team(office.team_id) as session:
        await screening.refuse_hidden(session, office.team_id, refuse=True, by="usr_1")
    verdict = await office.admit(office.rings(spelling))
    assert verdict == Refused(Refusal.HIDDEN, "rejected")
    await office.admitted("+12025550147")  # whoever shows a number is answered


async def test_two_spellings_are_one_contact_with_one_timeline(office: Office) -> None:
    """CI4, P6"""
    first = await office.call((await office.admitted(MEXICAN)).call_id)
    second = await office.call((await office.admitted(SPELLED)).call_id)
    assert first.contact_id == second.contact_id
    async with office.database.team(office.team_id) as session:
        conversation = await inbox.get(session, office.team_id, second.conversation_id)
        told = await inbox.timeline(session, office.team_id, conversation)
    assert {each.conversation.id for each in told} == {
        first.conversation_id,
        second.conversation_id,
    }


async def test_the_recording_of_an_erased_contact_is_deleted_and_does_not_come_back(
    office: Office, tmp_path: Path
) -> None:
    """P7: also when the media process reports it afterwards."""
    join()
    team, caller = office.team_id, "+12025550147"
    call_id = (await office.live(caller)).call_id
    path = recordings.path_of(tmp_path, team, call_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound" * 100)
    async with office.database.team(team) as session:
        await service.recording_began(session, team, call_id, str(path))
        instant = await now(session)
        await service.finish(session, team, call_id, End.CALLER_HUNG_UP, at=instant)
        contact = await contacts.find(session, team, E164(caller))
        assert contact is not None
    async with office.database.team(team) as session:
        made = await erase(session, team, contact.id, confirm=caller, country="US", by="usr_1")
        assert made.counts["calls"] == 1
    await erase_recording(tmp_path, team, call_id)
    assert not path.exists()
    async with office.database.team(team) as session:
        await service.recording_saved(session, team, call_id, str(path), 5_000)
    call = await office.call(call_id)
    assert (call.state, call.caller, call.contact_id) == (CallState.ENDED, "", None)
    assert (call.recording, call.recording_path) == ("erased", None)
    assert await office.told("recording.ready") == 0
