"""The headers of an attempt (W2, W5, W6): Standard Webhooks 1.0.0, by its own library.

The timestamp is the attempt's, the id and the bytes are the event's. Every live secret signs.
"""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32
PREFIX = "whsec_"
USER_AGENT = "Offhook-Webhooks"


def new_secret() -> str:
    """A `whsec_` secret of 32 random bytes."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(event_id: str, at: datetime, body: bytes, signers: Sequence[str]) -> dict[str, str]:
    """What goes with `body`; `at` is an aware time of now, which receivers check."""
    text = body.decode()
    signatures = [Webhook(secret).sign(event_id, at, text) for secret in signers]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
