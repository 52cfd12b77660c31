"""Tickets: who of the team may talk to which draft; good for half a minute.

Signed under the installation's secret, so nothing is stored. It travels in the address to the web
process, and as the parameters of the stream's first message to the media process. Pure; time is an
argument (Unix seconds).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from offhook.calls.tokens import Purpose, is_signed, sign

TICKET_S = 30


@dataclass(frozen=True, slots=True)
class Ticket:
    """One rehearsal. `real`: confirmed tasks are done, by an admin's wish."""

    id: str
    team_id: str
    agent_id: str
    timezone: str
    country: str
    real: bool
    expires_s: int

    def fields(self, secret: bytes) -> dict[str, str]:
        """The ticket, signed, as texts by name."""
        told = {name: str(value) for name, value in asdict(self).items()}
        return told | {"rehearsal": sign(secret, Purpose.REHEARSAL, *told.values())}


def is_one(fields: Mapping[str, str]) -> bool:
    """Whether somebody shows a ticket, right or wrong, and no call's token."""
    return "rehearsal" in fields


def read(secret: bytes, fields: Mapping[str, str], *, now_s: int) -> Ticket | None:
    """The ticket in `fields`; None when it is altered, or too old."""
    try:
        ticket = Ticket(
            id=fields["id"],
            team_id=fields["team_id"],
            agent_id=fields["agent_id"],
            timezone=fields["timezone"],
            country=fields["country"],
            real=fields["real"] == "True",
            expires_s=int(fields["expires_s"]),
        )
        signature = fields["rehearsal"]
    except (KeyError, ValueError):
        return None
    told = (str(each) for each in asdict(ticket).values())
    right = is_signed(secret, Purpose.REHEARSAL, signature, *told)
    return ticket if right and now_s <= ticket.expires_s else None
