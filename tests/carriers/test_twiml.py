"""Documents that we serve: well-formed, escaped, and none that ends by waiting (CM4)."""

from xml.etree import ElementTree as ET

import pytest

from offhook.carriers import twiml

WAITING = {"Pause", "Gather", "Record", "Enqueue", "Play"}
ODD = "a<b>&\"'\0\ud83d \u202e😀"


def documents() -> dict[str, str]:
    return {
        "busy": twiml.reject("busy"),
        "rejected": twiml.reject("rejected"),
        "stream": twiml.connect_stream(
            "wss://m.example/s", parameters={"token": ODD}, action_url="https://x/a?b=1&c=2"
        ),
        "say": twiml.say_and_hang_up(ODD),
        "dial": twiml.dial(leg("https://x/announce?a=1&b=2"), action_url="https://x/over"),
        "hang up": twiml.hang_up(),
        "nothing": twiml.nothing(),
    }


def leg(announce_url: str = "", machine_url: str = "") -> twiml.Leg:
    return twiml.Leg(
        "+12025550177",
        caller_id="+14155550101",
        ring_s=25,
        answered_url="https://x/answered",
        announce_url=announce_url,
        machine_url=machine_url,
    )


@pytest.mark.parametrize("name", documents())
def test_document_is_well_formed_and_never_waits(name: str):
    root = ET.fromstring(documents()[name].encode())
    assert root.tag == "Response"
    assert not {verb.tag for verb in root} & WAITING


def test_refusal_is_reject_alone():
    """C1: never a verb but Reject."""
    root = ET.fromstring(twiml.reject("busy").encode())
    assert [(verb.tag, verb.attrib) for verb in root] == [("Reject", {"reason": "busy"})]


def test_stream_carries_parameters_and_action():
    root = ET.fromstring(documents()["stream"].encode())
    connect = root[0]
    assert connect.attrib == {"action": "https://x/a?b=1&c=2"}
    parameter = connect[0][0]
    assert parameter.attrib == {"name": "token", "value": "a<b>&\"'\ufffd\ufffd 😀"}


def test_parameter_longer_than_the_carrier_takes_is_refused():
    with pytest.raises(ValueError, match="500"):
        twiml.connect_stream("wss://x", parameters={"a": "b" * 500}, action_url="https://x")


def test_second_leg_rings_for_its_time_and_reports():
    """C6: the ringing is bounded, and its end is told."""
    dial = ET.fromstring(documents()["dial"].encode())[0]
    assert dial.attrib == {
        "action": "https://x/over", "callerId": "+14155550101", "timeout": "25"
    }  # fmt: skip
    assert dial[0].text == "+12025550177"
    assert dial[0].attrib == {
        "url": "https://x/announce?a=1&b=2",
        "statusCallback": "https://x/answered",
        "statusCallbackEvent": "answered",
    }


def test_second_leg_without_an_announcement_is_listened_to():
    dial = ET.fromstring(
        twiml.dial(leg(machine_url="https://x/m"), action_url="https://x").encode()
    )
    assert dial[0][0].attrib["machineDetection"] == "Enable"
    assert dial[0][0].attrib["amdStatusCallback"] == "https://x/m"


def test_announcement_waits_for_a_key_for_a_while_and_ends_by_hanging_up():
    """CM4."""
    root = ET.fromstring(twiml.announce(ODD, accept_url="https://x/accept", wait_s=6).encode())
    assert [verb.tag for verb in root] == ["Gather", "Gather", "Hangup"]
    for gather in root[:2]:
        assert gather.attrib == {"numDigits": "1", "timeout": "6", "action": "https://x/accept"}
