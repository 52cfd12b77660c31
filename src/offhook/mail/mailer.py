"""The way out: one message to one address by SMTP, and what can go wrong on it.

    Problem
    ├── NoMailServer   none is set
    ├── MailRefused    the server will never take this (5yz)
    ├── MailNotSent    it did not leave; trying again may help
    └── MailUncertain  the line broke after the text had left: nobody knows

Knows neither database nor letters. The SMTP library is imported on first use.
"""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, formataddr, parseaddr
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from offhook.errors import Conflict, Invalid, Unavailable
from offhook.mail.rules import check_address, one_line
from offhook.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiosmtplib

COMMAND_S = 20.0
REFUSED_FROM = 500
Ready = Callable[[], Awaitable[None]]


class NoMailServer(Conflict):
    code = "no_mail_server"


class MailRefused(Invalid):
    code = "mail_refused"


class MailNotSent(Unavailable):
    code = "mail_not_sent"


class MailUncertain(Unavailable):
    code = "mail_uncertain"


@dataclass(frozen=True, slots=True)
class Message:
    """A mail; `id` names it for receivers, so that they know a repetition."""

    to: str
    subject: str
    text: str
    id: str
    html: str = ""
    reply_to: str = ""


class Mailer(Protocol):
    """Sends mail, or says why not."""

    async def send(self, message: Message, ready: Ready | None = None) -> str:
        """Hand `message` to the server; its answer. Raises NoMailServer, MailRefused, MailNotSent,
        MailUncertain, AddressInvalid.

        `ready()` runs when everybody was accepted, before the text leaves: the last point at which
        nothing has been sent. An exception of it ends the attempt.
        """
        ...


def open_mailer(settings: Settings) -> Mailer:
    """The mailer that the settings ask for."""
    return SmtpMailer(settings) if settings.smtp_host else NoMailer()


class NoMailer:
    """Where no server is set."""

    async def send(self, message: Message, ready: Ready | None = None) -> str:
        raise NoMailServer(
            "No mail server is set, so no mail can be sent.",
            remedy="Set OFFHOOK_SMTP_HOST.",
        )


class SmtpMailer:
    """One connection a message: what is sent is rare, and servers forget idle ones."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        name, address = parseaddr(settings.mail_from)
        host = urlsplit(settings.web_url).hostname or "localhost"
        self._domain = address.rpartition("@")[2] or host
        self._sender = address or f"offhook@{host}"
        self._from = formataddr((name or "Offhook", self._sender))

    async def send(self, message: Message, ready: Ready | None = None) -> str:
        to = check_address(message.to)
        wire = self._wire(message, to)
        async with self._connection() as client:
            try:
                await client.mail(self._sender)
                await client.rcpt(to)
            except _library().SMTPException as error:
                raise _refusal(error) from error
            if ready is not None:
                await ready()
            return await _hand_over(client, wire)

    def _wire(self, message: Message, to: str) -> bytes:
        """The message as it travels: seven-bit, both forms, marked as written by a machine."""
        mail = EmailMessage(policy=WIRE.clone(cte_type="7bit"))
        mail["From"] = self._from
        mail["To"] = to
        mail["Subject"] = one_line(message.subject)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{message.id}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday note answers it
        if message.reply_to:
            mail["Reply-To"] = check_address(message.reply_to)
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return mail.as_bytes()

    @asynccontextmanager
    async def _connection(self) -> "AsyncGenerator[aiosmtplib.SMTP]":
        settings = self._settings
        password = settings.smtp_password.get_secret_value()
        client = _library().SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=password if settings.smtp_user else None,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=ssl.create_default_context() if settings.smtp_tls != "none" else None,
            local_hostname=self._domain,
            timeout=COMMAND_S,
        )
        try:
            await client.connect()
        except (_library().SMTPException, OSError, ValueError) as error:
            raise _not_sent(
                f"The mail server {settings.smtp_host} cannot be used", error
            ) from error
        try:
            yield client
        finally:
            client.close()


async def _hand_over(client: "aiosmtplib.SMTP", wire: bytes) -> str:
    """The text itself: an answer, whatever it is, settles it; no answer leaves it open."""
    library = _library()
    try:
        response = await client.data(wire)
    except library.SMTPResponseException as error:
        raise _refusal(error) from error
    except (library.SMTPException, OSError) as error:
        raise MailUncertain(
            f"The mail server broke off while taking the mail ({_words(error)}).",
            remedy="It may have arrived; it is not sent again.",
        ) from error
    return f"{response.code} {' '.join(response.message.split())}"[:500]


def _refusal(error: Exception) -> MailRefused | MailNotSent:
    """5yz is for good, 4yz and a lost line are not (RFC 5321, 4.2.1)."""
    code = getattr(error, "code", 0)
    if code >= REFUSED_FROM:
        return MailRefused(
            f"The mail server refused the mail ({_words(error)}).",
            remedy="Check the address, and what the server allows.",
        )
    return _not_sent("The mail server did not take the mail", error)


def _not_sent(sentence: str, error: Exception) -> MailNotSent:
    return MailNotSent(f"{sentence} ({_words(error)}).", remedy="Check the OFFHOOK_SMTP_ settings.")


def _words(error: Exception) -> str:
    code, text = getattr(error, "code", 0), getattr(error, "message", "") or str(error)
    said = " ".join(str(text).split())[:200] or type(error).__name__
    return f"{code} {said}" if code else said


def _library() -> Any:
    import aiosmtplib  # noqa: PLC0415 - only who sends mail pays for it

    return aiosmtplib
