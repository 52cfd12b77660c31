"""A sender who never pauses, in a whole installation (SM7)."""

import time
from datetime import datetime, timedelta

import httpx
from installation import until
from owner import Bought, Json, Owner

from offhook.carriers import handset_token
from offhook.settings import secret_key

SENDER = "+12025550177"
EVERY_S = 1.5
SETTLE = timedelta(seconds=15)
ENDLESS = timedelta(seconds=20)


def test_a_burst_that_never_pauses_is_answered_after_twenty_seconds(owner: Owner) -> None:
    """S3: what came by then is answered while the sender goes on, and each text counts once."""
    number = owner.ready_number("Burst")
    owner.put(f"/numbers/{number.id}/texting", {"settle_ms": 1_000 * SETTLE.seconds})
    sent: list[float] = []

    def goes_on() -> list[str]:
        replies = owner.replies(number, SENDER)
        if not replies and (not sent or time.monotonic() >= sent[-1] + EVERY_S):
            sent.append(time.monotonic())
            text(owner, number, f"And do you have bread number {len(sent)}?")
        return replies

    until(goes_on, "a reply amid the burst", 90)
    owner.disable(number)  # what came after it waits no longer
    used = until(lambda: nothing_held(owner, number), "the end of what was held")
    texts = owner.get("/messages", number_id=number.id, limit="100")["items"]
    came = [each for each in texts if each["direction"] == "inbound"]
    replies = [each for each in texts if each["kind"] == "reply" and each["state"] != "withdrawn"]
    assert len(came) == len(sent)
    assert used == len(sent) + len(replies)
    assert len(replies) <= 2  # a text that came while the first was written has its own
    assert at(replies[-1]) - at(came[-1]) > ENDLESS - timedelta(seconds=1)
    answered = [each for each in came if each["outcome"] == "answered"]
    assert len(answered) >= ENDLESS.seconds / EVERY_S / 2


def at(message: Json) -> datetime:
    return datetime.fromisoformat(message["created_at"])


def nothing_held(owner: Owner, number: Bought) -> int:
    """What is used, once nothing is held."""
    used, held = owner.used(number, "sms")
    return 0 if held else used


def text(owner: Owner, number: Bought, body: str) -> None:
    """From a handset, at once: no program is started for it."""
    token = handset_token(secret_key(owner.settings), SENDER, now_s=int(time.time()))
    answer = httpx.post(
        f"{owner.installation.simulator_url}/handset/texts",
        json={"to": number.e164, "body": body},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
