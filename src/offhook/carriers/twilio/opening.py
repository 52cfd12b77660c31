"""Puts the adapter together with its transport."""

from offhook.carriers.port import Carrier
from offhook.carriers.simulator.account import Account
from offhook.carriers.twilio.adapter import TwilioCarrier
from offhook.carriers.twilio.transport import HttpxTransport


def open_transport(origin: str) -> HttpxTransport:
    """Connections to Twilio, or to `origin` (scheme://host:port) in its place."""
    return HttpxTransport(origin=origin)


def open_over(account: Account, transport: HttpxTransport) -> Carrier:
    """The account's carrier over connections that are shared with other accounts."""
    return TwilioCarrier(account_sid=account.sid, auth_token=account.token, transport=transport)


def open_twilio(account: Account, origin: str = "") -> Carrier:
    """The account's carrier with connections of its own, closed with it."""
    return open_over(account, open_transport(origin))
