"""A carrier's callback, from the raw request to verified fields; the same for texts and calls.

The signature is checked against the configured address of this installation, never against what
the request says of itself (SEC1). Knows settings and bytes; knows no web framework.
"""

from offhook.carriers.factory import account
from offhook.carriers.twilio.forms import FormError, read_form
from offhook.carriers.twilio.protocol import CallbackMalformed
from offhook.carriers.twilio.signature import callback_url, verify_form
from offhook.errors import Forbidden
from offhook.settings import Settings


class CallbackForged(Forbidden):
    """The signature is missing or wrong: a stranger, or an address that is configured wrongly."""

    code = "callback_forged"


def read_callback(
    settings: Settings, *, raw_path: bytes, query: bytes, body: bytes, signature: str | None
) -> list[tuple[str, str]]:
    """The fields of a genuine callback. Raises CallbackForged, CallbackMalformed."""
    try:
        fields = read_form(body)
    except FormError as error:
        raise CallbackMalformed(str(error)) from None
    url = callback_url(settings.web_url, raw_path, query)
    if not verify_form(account(settings).token, url, fields, signature):
        raise CallbackForged("The signature is not the carrier's.")
    return fields
