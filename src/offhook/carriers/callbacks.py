"""A carrier's callback, from the raw request to verified fields; the same for texts and calls.

Whose token must have signed is for the caller to find out, by its own records of the number or
call that the callback names: what a callback says of itself is a hint where to look, no more. The
signature is checked against the configured address of this installation, never against what the
request says of its host (SEC1). Knows settings and bytes; knows no web framework.
"""

from dataclasses import dataclass

from offhook.carriers.accounts import AccountGone, Carriers
from offhook.carriers.simulator.account import Account
from offhook.carriers.twilio.forms import FormError, read_form
from offhook.carriers.twilio.protocol import CallbackMalformed
from offhook.carriers.twilio.signature import callback_url, verify_form
from offhook.errors import Forbidden
from offhook.settings import Settings

Fields = list[tuple[str, str]]
WAITED_FOR_S = 10.0
"""Later than so nobody begins to work on a callback: carriers give up after 15 s, and tell again or
elsewhere what was refused before.
"""


class CallbackForged(Forbidden):
    """The signature is missing or wrong: a stranger, or an address that is configured wrongly."""

    code = "callback_forged"


@dataclass(frozen=True, slots=True)
class Received:
    """A callback that came and is not yet believed."""

    url: str
    fields: Fields

    def claim(self, name: str) -> str:
        """What it says of itself; for finding the account that must have signed it, only."""
        return next((value for known, value in self.fields if known == name), "")

    def signed_by(self, account: Account, signature: str | None) -> bool:
        return verify_form(account.token, self.url, self.fields, signature)


async def verify(
    came: Received, carriers: Carriers, account_id: str | None, signature: str | None
) -> Account:
    """The account that signed, which must be the one with this id of ours. Raises CallbackForged,
    also where that account was removed.
    """
    try:
        account = await carriers.account(account_id)
    except AccountGone as gone:
        raise CallbackForged(gone.sentence) from gone
    if not came.signed_by(account, signature):
        raise CallbackForged("The signature is not the carrier's.")
    return account


def verify_known(came: Received, carriers: Carriers, signature: str | None) -> None:
    """Where our records cannot be asked: somebody whose token we know must have signed it.

    Enough for an answer that tells nothing and changes nothing. Raises CallbackForged.
    """
    if not any(came.signed_by(account, signature) for account in carriers.known()):
        raise CallbackForged("The signature is not the carrier's.")


def receive(settings: Settings, *, raw_path: bytes, query: bytes, body: bytes) -> Received:
    """Read a callback without believing it. Raises CallbackMalformed."""
    try:
        fields = read_form(body)
    except FormError as error:
        raise CallbackMalformed(str(error)) from None
    return Received(callback_url(settings.web_url, raw_path, query), fields)
