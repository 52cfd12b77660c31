"""The carrier's callbacks from strangers, and genuine ones again (SEC1, SEC2)."""

from urllib.parse import urlencode

import httpx
import pytest
from installation import Installation, until
from owner import CALLER, Bought, Owner

from offhook.carriers import account
from offhook.carriers.twilio.signature import sign

PATHS = ("voice", "stream-ended/call_1", "call-status", "sms", "sms-status?message=sms_1")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def fields(owner: Owner, number: Bought, sid: str = "") -> list[tuple[str, str]]:
    return [
        ("AccountSid", account(owner.settings).sid),
        ("MessageSid", sid or "SM" + 32 * "a"),
        ("CallSid", "CA" + 32 * "a"),
        ("CallStatus", "ringing"),
        ("MessageStatus", "delivered"),
        ("From", CALLER),
        ("To", number.e164),
        ("Body", "Are you open on Sunday?"),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
    ]


def post(url: str, form: list[tuple[str, str]], signature: str | None) -> httpx.Response:
    headers = FORM | ({"X-Twilio-Signature": signature} if signature is not None else {})
    return httpx.post(url, content=urlencode(form), headers=headers, trust_env=False, timeout=20)


@pytest.mark.parametrize("path", PATHS)
def test_a_forged_callback_is_403_and_changes_nothing(
    installation: Installation, owner: Owner, number: Bought, path: str
) -> None:
    """Unsigned, signed with another key, signed for another address, altered after signing."""
    url = f"{installation.url}/carriers/twilio/{path}"
    form = fields(owner, number)
    key = account(owner.settings).token
    forged = [
        None,
        "",
        sign("another key", url, form),
        sign(key, url.replace("127.0.0.1", "evil.example"), form),
        sign(key, url, [*form, ("Body2", "x")]),
    ]
    calls, texts = owner.calls(number), owner.messages(number)
    for signature in forged:
        answer = post(url, form, signature)
        assert answer.status_code == 403, (path, signature, answer.text)
    assert (owner.calls(number), owner.messages(number)) == (calls, texts)


def test_a_genuine_text_delivered_again_changes_nothing(
    installation: Installation, owner: Owner, number: Bought
) -> None:
    """SEC2: the same text three times is one turn, one reply, two units."""
    url = f"{installation.url}/carriers/twilio/sms"
    used, _ = owner.used(number, "sms")
    form = fields(owner, number, "SM" + 32 * "b")
    signature = sign(account(owner.settings).token, url, form)
    first = post(url, form, signature)
    assert first.status_code == 200
    until(lambda: owner.used(number, "sms") == (used + 2, 0), "the reply's unit")
    before = owner.messages(number)
    for _ in range(2):
        assert post(url, form, signature).content == first.content
    assert post(url, [*form, ("SmsStatus", "received")], signature).status_code == 403
    assert [each["id"] for each in owner.messages(number)] == [each["id"] for each in before]
    assert owner.used(number, "sms") == (used + 2, 0)


def test_a_genuine_report_delivered_again_and_late_changes_nothing(
    installation: Installation, owner: Owner, number: Bought
) -> None:
    """SEC2: what the carrier reported once it may report again, in any order."""
    owner.text(number, "Do you sell rye bread?")
    reply = until(lambda: delivered(owner, number), "the delivery report")
    us = account(owner.settings)
    base = f"{installation.url}/carriers/twilio/sms-status"
    sid = owner.carrier_log("message_accepted")[-1]["sid"]
    for status in ("sent", "delivered", "queued"):
        url = f"{base}?message={reply['id']}"
        form = [("AccountSid", us.sid), ("MessageSid", sid), ("MessageStatus", status)]
        assert post(url, form, sign(us.token, url, form)).status_code == 200
    assert owner.get(f"/messages/{reply['id']}") == reply


def delivered(owner: Owner, number: Bought) -> dict[str, str] | None:
    found = owner.messages(number)[0]
    return found if found["state"] == "delivered" else None
