"""Puts the adapter together with its transport."""

from offhook.carriers.port import Carrier
from offhook.carriers.simulator.account import Account
from offhook.carriers.twilio.adapter import TwilioCarrier
from offhook.carriers.twilio.transport import HttpxTransport


def open_twilio(account: Account, origin: str = "") -> Carrier:
    """The account's carrier; `origin` (scheme://host:port) leads to the simulated one."""
    transport = HttpxTransport(origin=origin)
    return TwilioCarrier(account_sid=account.sid, auth_token=account.token, transport=transport)
