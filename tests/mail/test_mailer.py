"""What leaves by SMTP, and what each kind of refusal becomes."""

import asyncio

import pytest
from mail_catcher import Catcher

from offhook import mail
from offhook.mail import Message
from offhook.settings import Settings

HELLO = Message("ada@example.com", "Grüße aus Zürich", "Öffnet um 9.\n", "mail_1", "<p>Öffnet</p>")


async def test_a_mail_arrives_in_both_forms_with_its_headers(
    mailing: Settings, catcher: Catcher
) -> None:
    answer = await mail.open_mailer(mailing).send(HELLO)
    assert answer == "250 OK"
    [(sender, to, caught)] = catcher.caught
    assert (sender, to) == ("phone@bread.example", ["ada@example.com"])
    assert caught["From"] == "Daily Bread <phone@bread.example>"
    assert caught["Subject"] == "Grüße aus Zürich"
    assert caught["Message-ID"] == "<mail_1@bread.example>"
    assert caught["Auto-Submitted"] == "auto-generated"
    plain, html = caught.get_body(("plain",)), caught.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Öffnet um 9."
    assert html.get_content().strip() == "<p>Öffnet</p>"
    assert caught.as_bytes().isascii()


@pytest.mark.parametrize(
    ("rcpt", "data", "problem"),
    [
        (["550 No such user"], [], mail.MailRefused),
        (["450 Try later"], [], mail.MailNotSent),
        ([], ["554 Spam"], mail.MailRefused),
        ([], ["451 Try later"], mail.MailNotSent),
        ([], ["drop"], mail.MailUncertain),
    ],
)
async def test_each_refusal_says_whether_to_try_again(
    mailing: Settings,
    catcher: Catcher,
    rcpt: list[str],
    data: list[str],
    problem: type[Exception],
) -> None:
    catcher.rcpt, catcher.data = [*rcpt], [*data]
    ready: list[int] = []

    async def hand_over() -> None:
        ready.append(1)

    with pytest.raises(problem):
        await mail.open_mailer(mailing).send(HELLO, hand_over)
    assert len(ready) == (0 if rcpt else 1)


async def test_a_server_that_is_not_there_is_a_reason_to_try_again(mailing: Settings) -> None:
    async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    gone = mailing.model_copy(update={"smtp_port": port})
    with pytest.raises(mail.MailNotSent, match="cannot be used"):
        await mail.open_mailer(gone).send(HELLO)


async def test_without_a_server_nothing_is_sent(settings: Settings) -> None:
    with pytest.raises(mail.NoMailServer):
        await mail.open_mailer(settings).send(HELLO)


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com(comment)",
        '"a b"@example.com',
        "ada@localhost",
        "ada",
        "@example.com",
        "",
        "ädä@example.com",
        f"{'a' * 250}@example.com",
    ],
)
async def test_an_address_that_could_carry_more_than_itself_is_refused(
    mailing: Settings, catcher: Catcher, address: str
) -> None:
    with pytest.raises(mail.AddressInvalid):
        await mail.open_mailer(mailing).send(Message(address, "S", "T", "mail_2"))
    assert catcher.caught == []


async def test_a_line_end_in_a_subject_makes_no_header(mailing: Settings, catcher: Catcher) -> None:
    sent = Message("bo@bücher.example", "One\r\nBcc: eve@example.com", "T\n.\nQUIT\n", "mail_3")
    await mail.open_mailer(mailing).send(sent)
    [(_, to, caught)] = catcher.caught
    assert to == ["bo@xn--bcher-kva.example"]
    assert caught["Bcc"] is None
    assert caught["Subject"] == "One Bcc: eve@example.com"
    body = caught.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == ["T", ".", "QUIT"]
