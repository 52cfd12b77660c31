"""A7 from end to end: a customer's own carrier account, one of its numbers answered here, metered,
its keys rotated meanwhile (SEC22), its callbacks in nobody else's hand (SEC1), and put back.
"""

import re
import wave
from pathlib import Path
from urllib.parse import urlencode

import httpx
from installation import Installation, until
from owner import CALLER, Bought, Json, Owner

from offhook.carriers import account
from offhook.carriers.twilio.signature import sign

OLD = "https://old-office.example"


def new_account(installation: Installation) -> tuple[str, str, str]:
    """SID, token and first number of an account that the command line has made."""
    made = installation.run("simulated-account", "--numbers", "2")
    assert made.returncode == 0, made.stderr
    words = re.findall(r"^\s*(?:Account SID|Auth token|Number)\s+(\S+)", made.stdout, re.MULTILINE)
    return words[0], words[1], words[2]


def routing(owner: Owner, sid: str, token: str, e164: str) -> Json:
    """The number as its own account tells it."""
    url = f"{owner.installation.simulator_url}/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json"
    answer = httpx.get(url, params={"PhoneNumber": e164}, auth=(sid, token), trust_env=False)
    return answer.json()["incoming_phone_numbers"][0]


def imported(owner: Owner, account_id: str, e164: str) -> Bought:
    (begun,) = owner.rest.post(
        "/numbers/imports", json={"account_id": account_id, "numbers": [e164]}
    ).json()
    done = until(
        lambda: (
            (now := owner.get(f"/numbers/imports/{begun['id']}"))["state"] == "imported" and now
        ),
        "the import",
    )
    return Bought(done["number_id"], e164)


def forged(installation: Installation, key: str, number: Bought) -> int:
    """A text for the number, signed with some other key; the answer's status."""
    url = f"{installation.url}/carriers/twilio/sms"
    form = [("MessageSid", "SM" + 32 * "b"), ("From", CALLER), ("To", number.e164), ("Body", "Hi")]
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": sign(key, url, form),
    }
    return httpx.post(url, content=urlencode(form), headers=headers, trust_env=False).status_code


def test_a_number_of_ones_own_account_is_imported_answered_metered_and_given_back(
    installation: Installation, owner: Owner, tmp_path: Path
) -> None:
    sid, token, e164 = new_account(installation)
    kept = owner.post("/carrier-accounts", {"sid": sid, "token": token, "network": "simulator"})
    assert (kept["test"]["health"], kept["token_last4"]) == ("works", token[-4:])
    assert token not in str(kept)
    listed = owner.get(f"/carrier-accounts/{kept['id']}/numbers")
    assert {each["e164"]: each["importable"] for each in listed}[e164]
    number = imported(owner, kept["id"], e164)

    agent = owner.sample_agent()
    services = {"calls_enabled": True, "sms_enabled": True}
    owner.configure(number, name="Old office", agent_id=agent, **services)
    owner.enable(number)
    rotated = installation.run("rotate-secrets")
    assert "No other key is in use" in rotated.stdout, rotated.stderr

    quiet = tmp_path / "quiet.wav"
    with wave.open(str(quiet), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(3200))
    called = installation.run("call", e164, "--wav", str(quiet), seconds=90)
    assert "Answered" in called.stdout, called.stderr
    until(lambda: owner.used(number, "calls") == (1, 0), "the minute")
    owner.text(number, "Are you open on Sunday?")
    until(lambda: owner.replies(number), "the reply", 60)
    until(lambda: owner.used(number, "sms") == (2, 0), "the messages")

    for key in (account(owner.settings).token, "another key"):
        assert forged(installation, key, number) == 403
    assert forged(installation, token, number) == 200

    assert routing(owner, sid, token, e164)["sms_url"].startswith(installation.url)
    owner.disable(number)
    gone = owner.rest.delete(f"/numbers/{number.id}", params={"confirmation": e164})
    assert gone.status_code == 202, gone.text
    until(lambda: owner.get(f"/numbers/{number.id}")["status"] == "released", "the release")
    back = routing(owner, sid, token, e164)
    assert (back["sms_url"], back["voice_url"], back["voice_method"]) == (
        f"{OLD}/sms",
        f"{OLD}/voice",
        "GET",
    )
    assert owner.rest.delete(f"/carrier-accounts/{kept['id']}").status_code == 204
