"""The bytes of a delivery: small, whole JSON, cut only between characters (W12, WT1)."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from offhook.webhooks import payload

AT = datetime(2026, 5, 14, 12, 0, 0, 123_456, tzinfo=UTC)
TURN = st.fixed_dictionaries({"speaker": st.just("caller"), "text": st.text(max_size=1200)})


def read(body: bytes) -> Any:
    assert len(body) <= payload.MOST_BYTES
    return json.loads(body.decode())


def test_its_shape_is_that_of_standard_webhooks_w3() -> None:
    told = read(payload.body("call.ended", AT, 7, {"call_id": "call_1"}))
    assert told == {
        "type": "call.ended",
        "timestamp": "2026-05-14T12:00:00.123Z",
        "sequence": 7,
        "data": {"call_id": "call_1"},
    }


def test_what_was_said_is_whole_where_it_fits_w12() -> None:
    said = [{"speaker": "caller", "text": "Zoë 🥐 \u2028"}]
    told = read(payload.body("transcript.ready", AT, 1, {}, said))
    assert told["data"] == {"turns": said, "text_cut": False}


@given(st.lists(TURN, max_size=12))
def test_however_much_was_said_it_fits_and_says_so_w12(said: list[dict[str, str]]) -> None:
    data = read(payload.body("transcript.ready", AT, 1, {"call_id": "call_1"}, said))["data"]
    if data["text_cut"]:
        kept = [turn["text"] for turn in data["turns"]]
        whole = [turn["text"] for turn in said]
        assert kept[:-1] == whole[: len(kept) - 1]
        assert not kept or whole[len(kept) - 1].startswith(kept[-1])
    else:
        assert data["turns"] == said


def test_characters_of_four_bytes_fill_it_to_the_brim_w12() -> None:
    body = payload.body("transcript.ready", AT, 1, {}, [{"speaker": "agent", "text": "🥐" * 9000}])
    assert read(body)["data"]["text_cut"]
    assert len(body) > payload.MOST_BYTES - 4


def test_a_thin_payload_that_is_too_long_loses_the_ends_of_its_texts_w12() -> None:
    data = read(payload.body("x.y", AT, None, {"name": "n" * 50_000, "id": "a"}))["data"]
    assert (len(data["name"]), data["id"], data["text_cut"]) == (payload.SHORT, "a", True)
