"""A mail server that catches what is sent, and refuses or breaks off when told to."""

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

OK = "250 OK"


@dataclass
class Catcher:
    """The server's side. Each answer is used once, then it says OK again."""

    port: int = 0
    rcpt: list[str] = field(default_factory=list[str])
    data: list[str] = field(default_factory=list[str])
    caught: list[tuple[str, list[str], EmailMessage]] = field(
        default_factory=list[tuple[str, list[str], EmailMessage]]
    )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.rcpt.pop(0) if self.rcpt else OK
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.data.pop(0) if self.data else OK
        if answer in (OK, "drop"):
            raw = cast("bytes", envelope.content)
            mail = message_from_bytes(raw, policy=policy.default)
            self.caught.append((envelope.mail_from or "", envelope.rcpt_tos, mail))
        if answer == "drop":
            transport: Any = server.transport
            transport.abort()
            await asyncio.sleep(0)
        return answer if answer != "drop" else OK
