"""Use cases of joining a live call: a ticket, where to go with it, who has the call (I5).

Whoever gets a ticket is in the audit log (SEC21). Who has the call is what the media process says:
a ticket alone takes nothing over.
"""

import time
from datetime import timedelta

from sqlalchemy import update

from offhook import audit
from offhook.calls import reading, service
from offhook.calls.admission import CARRIED_STATES
from offhook.calls.joining.tickets import TICKET_S, Member, Ticket
from offhook.calls.models import Call
from offhook.calls.rules import CallState
from offhook.db import Session, now, touch
from offhook.errors import Conflict

LISTENING = timedelta(minutes=10)
LISTENED, TOOK_OVER = "listened to", "taken over"


class CallNotLive(Conflict):
    code = "call_not_live"


class CallTaken(Conflict):
    code = "call_taken"


async def ticket(
    session: Session, team_id: str, call_id: str, member: Member, *, talks: bool
) -> Ticket:
    """Let `member` join the call. Raises CallNotFound, CallNotLive, CallTaken."""
    call = await service.get(session, team_id, call_id)
    check_live(call)
    if talks and call.taken_by not in {None, member.who}:
        raise CallTaken(
            f"{call.taken_name} has taken this call over.",
            remedy="Listen in, or wait until they hand it back.",
        )
    if talks and call.taken_by is None:
        audit.record(session, team_id, TOOK_OVER, "call", call_id)
    elif not talks:
        await _note_listening(session, team_id, call_id, member)
    return Ticket(team_id, call_id, member, talks, int(time.time()) + TICKET_S)


def check_live(call: Call) -> None:
    """Raises CallNotLive where no media process has the call."""
    if call.state not in CARRIED_STATES:
        away = call.state is CallState.TRANSFERRED
        raise CallNotLive(
            "The caller is put through to a person." if away else "The call is over.",
            remedy="Open its page to see how it went.",
        )


async def _note_listening(session: Session, team_id: str, call_id: str, member: Member) -> None:
    """A connection that is made anew is the same listening."""
    since = await now(session) - LISTENING
    noted = audit.Filter(member.who, "call", call_id, LISTENED, since)
    if not await audit.is_recorded(session, team_id, noted):
        audit.record(session, team_id, LISTENED, "call", call_id)


async def address(session: Session, ticket: Ticket, secret: bytes) -> str | None:
    """Where the media process takes the ticket; None when none carries the call any more."""
    call = await service.get(session, ticket.team_id, ticket.call_id)
    if call.state not in CARRIED_STATES:
        return None
    url = await reading.node_url(session, call)
    return f"{url}/line/{call.id}?{ticket.query(secret)}" if url else None


async def held_by(session: Session, team_id: str, call_id: str, member: Member | None) -> None:
    """`member` talks with the caller from now on; None: the agent."""
    await session.execute(
        update(Call)
        .where(Call.team_id == team_id, Call.id == call_id)
        .values(
            taken_by=member.who if member else None,
            taken_name=member.name[:200] if member else "",
        )
    )
    await touch(session, team_id, f"call:{call_id}", "calls")
