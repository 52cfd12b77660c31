"""Tickets: who of the team may join one live call, to listen or to talk; good for half a minute.

Signed under the installation's secret, so nothing is stored: the web process gives one out, web and
media process check it. Pure; time is an argument (Unix seconds).
"""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from offhook.calls.tokens import Purpose, is_signed, sign

TICKET_S = 30


@dataclass(frozen=True, slots=True)
class Member:
    """Who of the team: `who` is the user's or key's id, `name` how others see them."""

    who: str
    name: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets one member join one call. `talks`: in the agent's place, else they only listen."""

    team_id: str
    call_id: str
    member: Member
    talks: bool
    expires_s: int

    def query(self, secret: bytes) -> str:
        """The ticket as the query of an address."""
        fields = {
            "team": self.team_id,
            "who": self.member.who,
            "name": self.member.name,
            "talks": "1" if self.talks else "",
            "expires": str(self.expires_s),
        }
        return urlencode(fields | {"signature": sign(secret, Purpose.LINE, *_signed(self))})


def read(secret: bytes, call_id: str, query: str, *, now_s: int) -> Ticket | None:
    """The ticket in a query; None when it is altered, another call's, or too old."""
    given = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    try:
        ticket = Ticket(
            given["team"],
            call_id,
            Member(given["who"], given["name"]),
            talks=given["talks"] == "1",
            expires_s=int(given["expires"]),
        )
        signature = given["signature"]
    except (KeyError, ValueError):
        return None
    right = is_signed(secret, Purpose.LINE, signature, *_signed(ticket))
    return ticket if right and now_s <= ticket.expires_s else None


def _signed(ticket: Ticket) -> tuple[str, ...]:
    # Lines are what separates the signed parts: none may bring its own.
    name = ticket.member.name.replace("\n", " ")
    member, talks = ticket.member, str(ticket.talks)
    return ticket.team_id, ticket.call_id, member.who, talks, str(ticket.expires_s), name
