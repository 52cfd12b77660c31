"""What webhooks themselves announce."""

from typing import ClassVar

from offhook.db import Event


class WebhookTest(Event):
    """Somebody of the team asked for a test; only that endpoint receives it."""

    event: ClassVar[str] = "webhook.test"
    endpoint_id: str
