"""A number looks at itself, and callers meet its manners: in a whole installation."""

from installation import Installation, until
from owner import Json, Owner

CALLER = "+12025550188"


def test_a_number_is_checked_and_takes_a_message_outside_its_hours(
    installation: Installation, owner: Owner
) -> None:
    number = owner.ready_number("Manners")
    owner.configure(number, recording_notice=False)
    checked = owner.post(f"/numbers/{number.id}/check")
    assert not [each for each in checked["lines"] if each["state"] == "failed"]
    assert checked["passed"]
    assert {each["code"] for each in checked["lines"]} == {
        "agent", "routing", "callbacks", "signature", "voice", "credit", "registration",
    }  # fmt: skip
    assert not owner.calls(number)
    assert owner.used(number, "calls") == (0, 0)

    doctor = installation.run("doctor", number.e164)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "ok      Voice" in doctor.stdout
    nobody = installation.run("doctor", "+12025550000")
    assert nobody.returncode == 1
    assert "Nobody here holds" in nobody.stderr

    manners = f"/numbers/{number.id}/call-manners"
    closed: Json = {
        "hours": {},
        "when_closed": "message",
        "closed_sentence": "We are closed today.",
    }
    assert owner.rest.patch(manners, json=closed).is_success
    said = installation.run(
        "call", number.e164, "--say", "Please call me back about the wedding cake.",
        "--from", CALLER, seconds=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr
    (call,) = until(lambda: [c for c in owner.calls(number) if c["state"] == "ended"], "its end")
    turns = owner.transcript(call)
    assert turns[0]["text"].startswith("We are closed today. Please leave a message")
    message = " ".join(turn["text"] for turn in turns if turn["speaker"] == "caller").lower()
    assert "call me back" in message
    kept = owner.get(f"/conversations/{call['conversation_id']}")
    assert kept["person_needed"]

    assert owner.rest.patch(manners, json={"when_closed": "refuse"}).is_success
    refused = installation.run("call", number.e164, "--from", CALLER)
    assert refused.returncode != 0
    owner.disable(number)
    assert owner.post(f"/numbers/{number.id}/check")["passed"] is False
