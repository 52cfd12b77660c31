"""Codes by text, by which people prove a number (SEC10): to the other side of the conversation,
from its number, counted as any text of ours. The thread shows that one was sent, never which.
"""

from collections.abc import Callable

from offhook import phone, tasks
from offhook.db import Session
from offhook.errors import Invalid
from offhook.inbox import Speaker
from offhook.messages import wording
from offhook.messages.rules import Kind
from offhook.messages.sending import send


class NothingToTextTo(Invalid):
    code = "no_number"


def code_sender(account_sid: Callable[[], str]) -> tasks.CodeSender:
    """`account_sid`: the operator's carrier account, for numbers that no team brought."""

    async def text(session: Session, scope: tasks.Scope, code: str) -> None:
        recipient = phone.sender(scope.caller).e164
        if recipient is None:
            raise NothingToTextTo("There is no number to text to.")
        await send(
            session,
            scope.team_id,
            number_id=scope.number_id,
            recipient=recipient,
            body=wording.CODE.format(code=code),
            shown=wording.CODE_SENT,
            account_id=account_sid(),
            speaker=Speaker.NOTICE,
            kind=Kind.CODE,
        )

    return text
