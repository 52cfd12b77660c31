"""What comes with texts: told by the carrier, fetched with its account, kept, safe to show (S5)."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select, update

from message_fixtures import ANN, Shop
from number_fixtures import make_team
from offhook import contacts, inbox, web
from offhook.carriers import Account, Media, Refused, sign
from offhook.carriers.simulator.faults import Fault
from offhook.carriers.simulator.handset import send_text
from offhook.carriers.simulator.media import Picture
from offhook.carriers.simulator.messages import inbound_fields
from offhook.messages import Message, Messages, jobs, routes
from offhook.messages.media import keeping, serving, sniffing
from offhook.messages.media.models import MediaState, MessageMedia
from offhook.phone import E164

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HTML = b"<html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89a.....", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"#!AMR\n....", "audio/amr"),
        (b"\0\0\0\x18ftyp3gp4....", "video/3gpp"),
        (b"\0\0\0\x18ftypisom....", "video/mp4"),
        (b"\0\0\0\x18ftypM4A ....", "audio/mp4"),
        (b"\0\0\0\x18ftypheic....", "image/heic"),
        (b"BEGIN:VCARD\nVERSION:3.0", "text/vcard"),
        (b"%PDF-1.7", "application/pdf"),
        (HTML, sniffing.UNKNOWN),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", sniffing.UNKNOWN),
        (b"GIF8", sniffing.UNKNOWN),
        (b"", sniffing.UNKNOWN),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, kind: str) -> None:
    assert sniffing.kind_of(content) == kind
    assert kind in sniffing.ENDINGS


def test_only_pictures_sounds_and_films_are_shown_in_a_page() -> None:
    """SEC8: whatever somebody sends, nothing of it runs as ours."""
    for kind in (*sniffing.ENDINGS, "text/html", "image/svg+xml"):
        answer = serving.response(MessageMedia(id="med_1", content_type=kind, content=HTML))
        shown = kind in sniffing.SHOWN
        manner = answer.headers["content-disposition"].partition(";")[0]
        assert manner == ("inline" if shown else "attachment")
        assert answer.headers["content-type"].partition(";")[0] in sniffing.ENDINGS
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """Our callback addresses, to which the simulated carrier is made to report."""
    app = web.create_app(shop.settings, csrf_exempt=("/carriers/",))
    app.state.database, app.state.carriers = shop.database, shop.carriers
    for router in routes.routers:
        app.include_router(router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=shop.settings.web_url) as client:
        yield client


async def told(
    shop: Shop, client: httpx.AsyncClient, *pictures: Picture, body: str = ""
) -> list[str]:
    """Somebody texts pictures; the carrier's own callback, signed, reaches us. Its ids of them."""
    row = await shop.simulator.messages.receive(
        sender=ANN, to=shop.e164, body=body, pictures=pictures
    )
    fields = inbound_fields(row)
    url = f"{shop.settings.web_url}/carriers/twilio/sms"
    form = urlencode(fields)
    headers = {
        "X-Twilio-Signature": sign(shop.account.token, url, fields),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    for _ in range(2):  # a repetition brings nothing twice
        answer = await client.post("/carriers/twilio/sms", content=form, headers=headers)
        assert answer.status_code == 200
    return [sid for sid, _ in row.private["media"]]


async def test_a_picture_is_fetched_from_the_carrier_kept_and_told_to_the_agent(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    """S5, UT11: by the carrier's own address, which asks for the account and leads elsewhere."""
    await told(
        shop, client, Picture("image/jpeg", PNG), Picture("text/html", HTML), body="This one"
    )
    [turn] = await shop.turns(ANN)
    assert [each["state"] for each in turn.media] == ["waiting", "waiting"]
    await shop.work()
    turn = (await shop.turns(ANN))[0]
    assert [(each["content_type"], each["size_bytes"], each["state"]) for each in turn.media] == [
        ("image/png", len(PNG), "kept"),
        (sniffing.UNKNOWN, len(HTML), "kept"),
    ]
    async with shop.database.team(shop.team) as session:
        kept = await keeping.get(session, shop.team, turn.media[0]["id"])
        assert kept.content == PNG
    other = await make_team(shop.database, "Garage")
    async with shop.database.team(other) as session:
        with pytest.raises(keeping.MediaNotFound):
            await keeping.get(session, other, turn.media[0]["id"])
    assert shop.model.briefings[-1].unanswered == ["This one (a picture) (a file)"]
    assert await shop.used() == (2, 0)


async def test_a_picture_whose_callback_got_lost_is_found_in_the_carriers_list(shop: Shop) -> None:
    """Faults a1, S5"""
    row = await shop.simulator.messages.receive(
        sender=ANN, to=shop.e164, body="", pictures=[Picture("image/png", PNG)] * 2
    )
    account = shop.account.sid
    listed = await shop.carrier.list_media(row.sid)
    assert [each.url.rpartition("/")[2] for each in listed] == [
        sid for sid, _ in row.private["media"]
    ]
    assert all(f"/Accounts/{account}/Messages/{row.sid}/Media/" in each.url for each in listed)
    await jobs.reconcile(shop.settings, shop.database, shop.carriers)
    await shop.work()
    [turn, _] = await shop.turns(ANN)
    assert [(each["state"], each["content_type"]) for each in turn.media] == [
        ("kept", "image/png")
    ] * 2


async def test_what_cannot_be_had_now_is_tried_again_and_then_lost(
    shop: Shop, client: httpx.AsyncClient
) -> None:
    """S5: the text is answered meanwhile."""
    [sid] = await told(shop, client, Picture("image/png", PNG), body="look")
    shop.simulator.faults.ask(Fault("request", path=f"GET {sid}", status=503))
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: look (a picture)"]
    assert (await shop.turns(ANN))[0].media[0]["state"] == "waiting"
    for attempts, state in ((keeping.MAX_ATTEMPTS - 1, "lost"), (1, "kept")):
        async with shop.database.team(shop.team) as session:
            values = {"attempts": attempts, "state": MediaState.WAITING}
            await session.execute(update(MessageMedia).values(values))
        await shop.older(keeping.LATE.seconds)
        if state == "lost":
            shop.simulator.faults.ask(Fault("request", path=f"GET {sid}", status=503))
        await keeping.sweep(shop.database)
        await shop.work()
        assert (await shop.turns(ANN))[0].media[0]["state"] == state


async def test_nothing_is_asked_of_other_addresses_and_nothing_too_large_is_kept(
    shop: Shop,
) -> None:
    """SEC24: the account's credentials go to the carrier's own address alone."""
    sid = shop.account.sid
    good = (
        f"https://api.twilio.com/2010-04-01/Accounts/{sid}/Messages/MM{'0' * 32}/Media/ME{'0' * 32}"
    )
    for url in (
        "https://evil.example/x",
        "http://169.254.169.254/latest",
        good.replace("api.twilio.com", "api.twilio.com.evil.example"),
        good.replace("api.twilio.com", "evil.example/api.twilio.com"),
        good.replace("https://", "https://user@"),
        good.replace(sid, "AC" + "9" * 32),
        good + "/../../x",
        good,
    ):
        with pytest.raises(Refused):
            await shop.carrier.media(url, most_bytes=100)
    await shop.take(shop.sms(ANN, "x", media=(Media("https://evil.example/x", "image/png"),)))
    await shop.work()
    assert (await shop.turns(ANN))[0].media[0]["state"] == "refused"
    row = await shop.simulator.messages.receive(
        sender=ANN, to=shop.e164, body="", pictures=[Picture("image/png", PNG * 10)]
    )
    media = row.private["media"][0][0]
    url = f"https://api.twilio.com/2010-04-01/Accounts/{sid}/Messages/{row.sid}/Media/{media}"
    assert await shop.carrier.media(url, most_bytes=len(PNG) * 10) == PNG * 10
    with pytest.raises(Refused, match="more than"):
        await shop.carrier.media(url, most_bytes=len(PNG))
    wrong = shop.carriers.at(Account(sid, "0" * 32, shop.account.network))
    with pytest.raises(Refused):
        await wrong.media(url, most_bytes=1000)


async def test_the_files_go_with_the_contact(shop: Shop, client: httpx.AsyncClient) -> None:
    """P7"""
    await told(shop, client, Picture("image/png", PNG))
    await shop.work()
    async with shop.database.team(shop.team) as session:
        contact = await contacts.find(session, shop.team, E164(ANN))
        assert contact is not None
        person = contacts.Person(contact_ids=(contact.id,), numbers=(ANN,))
        data = await Messages().told(session, shop.team, person)
        assert [len(each["media"]) for each in data["messages"]] == [1, 0]
        await Messages().erased(session, shop.team, person)
        assert await session.scalar(select(func.count()).select_from(MessageMedia)) == 0
        assert await session.scalar(select(func.count()).select_from(Message)) == 2


async def test_a_handset_and_the_command_line_send_pictures(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "cake.png"
    path.write_bytes(PNG)
    port = int(shop.simulator.url.rsplit(":", 1)[1])
    settings = shop.settings.model_copy(update={"simulator_port": port})
    await send_text(settings, shop.e164, "", pictures=[path], wait_s=0)
    [entry] = [e for e in await shop.simulator.log() if e.event == "message_received"]
    assert entry.sid.startswith("MM")


def test_every_state_of_a_file_is_known_to_the_page() -> None:
    page = Path(inbox.__file__).with_name("templates") / "inbox" / "attached.html"
    assert all(f'"{each.value}"' in page.read_text("utf-8") for each in MediaState)
