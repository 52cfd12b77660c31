"""Who may hear a recording, and how it is served (SEC16)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from office import SECRET, Office, add_node, open_office

from offhook import audit
from offhook.calls import recordings, service
from offhook.calls.rules import End
from web_fixtures import Person, Site, new_member, new_owner

SOUND = bytes(range(256)) * 20
NOW_S = 4_000_000_000  # later than any test runs; a link of five minutes is made from it


@pytest.fixture
def rooms() -> tuple[str, ...]:
    return ("teams", "tasks", "calls")


@pytest.fixture
async def office(site: Site, owner: Person) -> Office:
    """The owner's team with a number that takes calls."""
    site.app.state.secret = SECRET
    return await open_office(site.database, team_id=owner.team_id)


@pytest.fixture
async def call_id(office: Office, tmp_path: Path) -> str:
    """A call that ended, with its recording on disk."""
    call = await office.live()
    path = recordings.path_of(tmp_path, office.team_id, call.call_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(SOUND)
    async with office.database.team(office.team_id) as session:
        await service.recording_saved(
            session, office.team_id, call.call_id, str(path), len(SOUND) // 16
        )
        await service.finish(session, office.team_id, call.call_id, End.CALLER_HUNG_UP, seconds=9)
    return call.call_id


@pytest.fixture
async def browser(site: Site, owner: Person) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client(owner) as client:
        yield client


async def link(browser: httpx.AsyncClient, call_id: str) -> str:
    """The address that the API gives to whoever is signed in."""
    answer = await browser.get(f"/api/v1/calls/{call_id}/recording")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


def signed(call_id: str, user_id: str, *, now_s: int = NOW_S, secret: bytes = SECRET) -> str:
    return recordings.link(secret, call_id, user_id, now_s=now_s).url


async def test_a_link_plays_the_recording_and_nothing_keeps_a_copy(
    browser: httpx.AsyncClient, call_id: str
) -> None:
    answer = await browser.get(await link(browser, call_id))
    assert (answer.status_code, answer.content) == (200, SOUND)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "audio/wav"


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("0-99", 0, 99), ("100-", 100, 5119), ("-20", 5100, 5119)]
)
async def test_a_browser_may_ask_for_a_part(
    browser: httpx.AsyncClient, call_id: str, asked: str, first: int, last: int
) -> None:
    """Seeking in the player."""
    headers = {"Range": f"bytes={asked}"}
    answer = await browser.get(await link(browser, call_id), headers=headers)
    assert answer.status_code == 206
    assert answer.content == SOUND[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(SOUND)}"
    assert answer.headers["cache-control"] == "no-store"


async def test_each_listening_is_in_the_audit_log_once_sec21(
    browser: httpx.AsyncClient, office: Office, owner: Person, call_id: str
) -> None:
    url = await link(browser, call_id)
    for asked in ("0-99", "100-", "-20"):
        await browser.get(url, headers={"Range": f"bytes={asked}"})
    async with office.database.team(office.team_id) as session:
        heard = audit.Filter(subject="recording", subject_id=call_id)
        entries = [entry async for entry in audit.entries(session, office.team_id, heard)]
    assert [(each.action, each.actor_id) for each in entries] == [("heard", owner.user_id)]


async def test_a_part_beyond_the_end_is_refused(browser: httpx.AsyncClient, call_id: str) -> None:
    headers = {"Range": "bytes=9999-"}
    answer = await browser.get(await link(browser, call_id), headers=headers)
    assert answer.status_code == 416


@pytest.mark.parametrize(
    "case", ["unsigned", "expired", "tampered", "longer", "other call", "other person", "other key"]
)
async def test_a_link_that_is_not_good_for_this_person_is_forbidden(
    browser: httpx.AsyncClient, office: Office, owner: Person, call_id: str, case: str
) -> None:
    good = signed(call_id, owner.user_id)
    other = (await office.live()).call_id
    links = {
        "unsigned": f"/calls/{call_id}/recording",
        "expired": signed(call_id, owner.user_id, now_s=1_000_000),
        "tampered": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "longer": good.replace(str(NOW_S + 300), str(NOW_S + 301)),
        "other call": good.replace(call_id, other),
        "other person": signed(call_id, "usr_other"),
        "other key": signed(call_id, owner.user_id, secret=b"x" * 32),
    }
    assert (await browser.get(good)).status_code == 200
    answer = await browser.get(links[case])
    assert answer.status_code == 403
    assert SOUND[:64] not in answer.content


async def test_another_member_needs_a_link_of_their_own(
    site: Site, browser: httpx.AsyncClient, owner: Person, call_id: str
) -> None:
    mine = await link(browser, call_id)
    colleague = await new_member(site.database, owner.team_id)
    async with site.client(colleague) as client:
        assert (await client.get(mine)).status_code == 403
        assert (await client.get(await link(client, call_id))).status_code == 200


async def test_another_team_does_not_learn_that_there_is_a_recording(
    site: Site, call_id: str
) -> None:
    """SEC7: 404, also with a link that was signed for exactly this person."""
    stranger = await new_owner(site.database, "Garage")
    async with site.client(stranger) as client:
        assert (await client.get(f"/api/v1/calls/{call_id}/recording")).status_code == 404
        answer = await client.get(signed(call_id, stranger.user_id))
        assert answer.status_code == 404


async def test_whoever_is_not_signed_in_hears_nothing(
    site: Site, owner: Person, call_id: str
) -> None:
    async with site.client() as client:
        answer = await client.get(signed(call_id, owner.user_id))
        assert answer.status_code in {303, 401}
        assert SOUND[:64] not in answer.content


@pytest.mark.parametrize(
    "asked", ["../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "a%00b", "call_none"]
)
async def test_a_path_never_comes_from_what_was_asked(
    browser: httpx.AsyncClient, office: Office, asked: str
) -> None:
    for path in (f"/calls/{asked}/recording", f"/api/v1/calls/{asked}/recording"):
        assert (await browser.get(path)).status_code in {403, 404, 422}


async def test_a_recording_whose_file_is_gone_is_not_found(
    browser: httpx.AsyncClient, office: Office, call_id: str
) -> None:
    url = await link(browser, call_id)
    call = await office.call(call_id)
    Path(call.recording_path or "").unlink()  # noqa: ASYNC240 - nothing else runs
    assert (await browser.get(url)).status_code == 404


async def test_a_call_without_a_recording_gives_no_link(
    browser: httpx.AsyncClient, office: Office
) -> None:
    await add_node(office.database, 5)
    call = await office.live()
    answer = await browser.get(f"/api/v1/calls/{call.call_id}/recording")
    assert (answer.status_code, answer.json()["code"]) == (404, "recording_not_found")


def test_a_recording_goes_on_after_silence_for_the_time_away(tmp_path: Path) -> None:
    """C6: the same file, so that a click on a turn still finds its place."""
    path = tmp_path / "call.wav"
    path.write_bytes(b"h" * 58 + SOUND)
    recordings.resume(path, 250)
    part = tmp_path / "call.wav.part"
    assert part.read_bytes() == b"h" * 58 + SOUND + b"\xff" * (250 * 16)
    assert not path.exists()
    recordings.resume(path, 10)  # the process died before it was finished
    assert part.stat().st_size == 58 + len(SOUND) + 260 * 16


def test_a_recording_whose_first_part_is_elsewhere_begins_anew(tmp_path: Path) -> None:
    recordings.resume(tmp_path / "call.wav", 250)
    assert list(tmp_path.iterdir()) == []
