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
        "hang up": twiml.hang_up(),
        "nothing": twiml.nothing(),
    }


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
