"""Who we are at the simulated carrier: the account and the handset tokens, from one secret.

The simulator, the adapter's factory and the pages that embed a handset derive the same values
from the installation's secret key, so that nothing has to be configured. Pure; no clock.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from offhook.errors import Invalid
from offhook.settings import Settings

HANDSET_TOKEN_S = 3_600


class Network(StrEnum):
    """Where an account is: at Twilio, or at the simulated carrier that speaks as Twilio does."""

    TWILIO = "twilio"
    SIMULATOR = "simulator"


class NotSimulated(Invalid):
    code = "carrier_not_simulated"


def require_simulator(settings: Settings) -> None:
    """Raises NotSimulated where the installation's carrier is a real one."""
    if settings.carrier != Network.SIMULATOR:
        raise NotSimulated(
            "The carrier of this installation is a real one; nothing is simulated here.",
            remedy="Use a telephone, or set OFFHOOK_CARRIER=simulator.",
        )


@dataclass(frozen=True, slots=True)
class Account:
    sid: str
    token: str = field(repr=False)
    network: Network = Network.TWILIO


def simulated_account(secret: bytes) -> Account:
    """Account SID and auth token of this installation at its simulated carrier."""
    return Account(
        sid="AC" + _derived(secret, "sid").hex()[:32],
        token=_derived(secret, "token").hex()[:32],
        network=Network.SIMULATOR,
    )


def handset_token(secret: bytes, number: str, *, now_s: int, valid_s: int = HANDSET_TOKEN_S) -> str:
    """Permission to be the handset with this number until `now_s + valid_s`, safe in a URL."""
    expires_s = now_s + valid_s
    claim = f"{number}|{expires_s}"
    mac = hmac.new(_derived(secret, "handset"), claim.encode(), sha256).digest()
    return _url_safe(claim.encode()) + "." + _url_safe(mac)


def handset_number(secret: bytes, token: str, *, now_s: int) -> str | None:
    """The number that a token stands for; None when it is forged, expired or no token."""
    claim_text, _, mac_text = token.partition(".")
    try:
        claim, mac = _from_url_safe(claim_text), _from_url_safe(mac_text)
        number, _, expires = claim.decode("ascii").partition("|")
        expires_s = int(expires)
    except (ValueError, binascii.Error):
        return None
    expected = hmac.new(_derived(secret, "handset"), claim, sha256).digest()
    if not hmac.compare_digest(mac, expected) or now_s >= expires_s:
        return None
    return number


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.new(secret, f"simulated carrier, {purpose}".encode(), sha256).digest()


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _from_url_safe(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
