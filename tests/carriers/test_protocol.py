"""Callbacks as typed events: known names once, storable text, classified senders."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.carriers import (
    CallbackMalformed,
    CallState,
    FormError,
    MessageState,
    StreamEvent,
    parse_call_status,
    parse_dial_ended,
    parse_inbound_call,
    parse_inbound_sms,
    parse_leg_news,
    parse_message_status,
    parse_stream_status,
    read_form,
    readable,
)
from offhook.phone import SenderKind

SMS_SID = "SM" + "0123456789abcdef" * 2
CALL_SID = "CA" + "0123456789abcdef" * 2
SMS = [("MessageSid", SMS_SID), ("From", "+16502530000"), ("To", "+14155550100"), ("Body", "Hi")]
CALL = [
    ("CallSid", CALL_SID),
    ("From", "+16502530000"),
    ("To", "+14155550100"),
    ("CallStatus", "ringing"),
]


def with_field(fields: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [(key, value if key == name else old) for key, old in fields]


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("+16502530000", SenderKind.NUMBER, "+16502530000"),
        ("68849", SenderKind.SHORT_CODE, "68849"),
        ("SUPPORT", SenderKind.WORD, "SUPPORT"),
        ("AMZN Alert", SenderKind.WORD, "AMZN Alert"),
        ("+1", SenderKind.HIDDEN, ""),
        ("", SenderKind.HIDDEN, ""),
        ("+15550100123456789012", SenderKind.WORD, "+15550100123456789012"),
        ("+266696687", SenderKind.HIDDEN, ""),
        ("+7378742833", SenderKind.HIDDEN, ""),
        ("+86282452253", SenderKind.HIDDEN, ""),
        ("+8656696", SenderKind.HIDDEN, ""),
        ("Anonymous", SenderKind.HIDDEN, ""),
        ("+", SenderKind.HIDDEN, ""),
    ],
)
def test_senders_are_classified(raw: str, kind: SenderKind, value: str):
    """SM4, CI2: nothing that is no number becomes one."""
    for sender in (
        parse_inbound_sms(with_field(SMS, "From", raw)).sender,
        parse_inbound_call(with_field(CALL, "From", raw)).sender,
    ):
        assert (sender.kind, sender.value) == (kind, value)


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [
        (b"a%00b", "a\ufffdb"),
        (b"%ED%A0%BD", "\ufffd\ufffd\ufffd"),
        (b"hi+%F0%9F%91", "hi \ufffd"),
        (b"%FF%FE", "\ufffd\ufffd"),
        (b"a%E2%80%AEb", "ab"),
        (b"%CC%81" * 1600, "\u0301" * 1600),
        (b"x" * 1601, "x" * 1600),
        (b"O'Fallon", "O'Fallon"),
        (b"one%0Atwo", "one\ntwo"),
        (b"%F0%9F%91%8D", "👍"),
    ],
)
def test_bodies_become_storable(encoded: bytes, shown: str):
    """SM8: what arrives is stored once in a readable form."""
    fields = [*SMS[:3], *read_form(b"Body=" + encoded)]
    body = parse_inbound_sms(fields).body
    assert body == shown
    assert "\0" not in body
    body.encode("utf-8")


def test_repeated_name_is_refused():
    """SEC1b."""
    with pytest.raises(CallbackMalformed, match="Body"):
        parse_inbound_sms([*SMS, ("Body", "again")])


@pytest.mark.parametrize("sid", ["", "SM1", "CA" + "0" * 32, SMS_SID + "0", "SM" + "g" * 32])
def test_message_id_must_be_one(sid: str):
    with pytest.raises(CallbackMalformed, match="MessageSid"):
        parse_inbound_sms(with_field(SMS, "MessageSid", sid))


def test_pictures_are_listed():
    fields = [
        *SMS,
        ("NumMedia", "2"),
        ("MediaUrl0", "https://x/0"),
        ("MediaContentType0", "image/png"),
    ]
    media = parse_inbound_sms(fields).media
    assert [each.url for each in media] == ["https://x/0", ""]
    assert parse_inbound_sms([*SMS, ("NumMedia", "999999")]).media[10:] == ()


@pytest.mark.parametrize(
    ("verstat", "attestation"),
    [
        ("TN-Validation-Passed-A", "A"),
        ("TN-Validation-Passed-C-Diverted", "C"),
        ("TN-Validation-Failed-B", "failed-B"),
        ("No-TN-Validation", ""),
        ("A", ""),
        ("", ""),
    ],
)
def test_attestation_is_kept_as_a_hint(verstat: str, attestation: str):
    """SEC10."""
    call = parse_inbound_call([*CALL, ("StirVerstat", verstat), ("FromCity", "O'Fallon")])
    assert call.attestation == attestation
    assert call.place.city == "O'Fallon"


def test_status_callbacks_are_read():
    status = parse_message_status(
        [("MessageSid", SMS_SID), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")]
    )
    assert (status.state, status.error_code) == (MessageState.UNDELIVERED, 30003)
    call = parse_call_status(
        [("CallSid", CALL_SID), ("CallStatus", "completed"), ("CallDuration", "61")]
    )
    assert (call.state, call.duration_s) == (CallState.COMPLETED, 61)
    stream = parse_stream_status([("CallSid", CALL_SID), ("StreamEvent", "stream-error")])
    assert stream.event is StreamEvent.ERROR
    with pytest.raises(CallbackMalformed, match="MessageStatus"):
        parse_message_status([("MessageSid", SMS_SID), ("MessageStatus", "exploded")])


@pytest.mark.parametrize(
    ("status", "duration", "bridged", "outcome", "joined"),
    [
        ("completed", "61", "true", CallState.COMPLETED, True),
        ("answered", "61", "true", CallState.COMPLETED, True),
        ("completed", "9", "false", CallState.COMPLETED, False),
        ("completed", "9", "", CallState.COMPLETED, True),
        ("no-answer", "", "", CallState.NO_ANSWER, False),
        ("busy", "", "false", CallState.BUSY, False),
        ("canceled", "0", "", CallState.CANCELED, False),
    ],
)
def test_end_of_a_second_leg_is_read(
    status: str, duration: str, bridged: str, outcome: CallState, joined: bool
):
    told = {"DialCallStatus": status, "DialCallDuration": duration, "DialBridged": bridged}
    fields = [("CallSid", CALL_SID), ("CallStatus", "in-progress")]
    fields += [(name, value) for name, value in told.items() if value]
    ended = parse_dial_ended(fields)
    assert (ended.outcome, ended.joined) == (outcome, joined)


@pytest.mark.parametrize(
    ("answered_by", "machine"),
    [("human", False), ("unknown", False), ("", False), ("machine_start", True), ("fax", True)],
)
def test_what_answered_a_second_leg_is_read(answered_by: str, machine: bool):
    news = parse_leg_news([("CallSid", CALL_SID), ("AnsweredBy", answered_by)])
    assert (news.machine, news.state) == (machine, None)


def test_form_larger_than_a_callback_is_refused():
    with pytest.raises(FormError):
        read_form(b"x" * 1_000_001)
    with pytest.raises(FormError):
        read_form(b"a=b&" * 201)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_and_made_readable(body: bytes):
    for name, value in read_form(body):
        for text in (readable(name), readable(value)):
            text.encode("utf-8")
            assert "\0" not in text


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec=None), max_size=80))
def test_any_text_is_made_readable_once(text: str):
    once = readable(text)
    once.encode("utf-8")
    assert readable(once) == once


def test_ten_thousand_malformed_callbacks_raise_nothing_else():
    """faults.md, malformed input: CallbackMalformed and FormError only."""
    parsers = (
        parse_inbound_sms,
        parse_inbound_call,
        parse_message_status,
        parse_call_status,
        parse_stream_status,
        parse_dial_ended,
        parse_leg_news,
    )
    names = [
        "MessageSid",
        "CallSid",
        "DialCallStatus",
        "DialCallDuration",
        "From",
        "To",
        "Body",
        "CallStatus",
        "NumMedia",
        "%ff",
        "",
    ]
    good = [SMS_SID, CALL_SID, "+16502530000", "ringing", "٣", "9" * 30, "-1", "%00%ED%A0%BD"]
    dice = random.Random(3)
    parsed = 0
    for _ in range(10_000):
        pieces = [
            f"{dice.choice(names)}={dice.choice(good)}".encode() + dice.randbytes(dice.randrange(3))
            for _ in range(dice.randrange(12))
        ]
        try:
            dice.choice(parsers)(read_form(dice.choice([b"&", b"&&", b";"]).join(pieces)))
            parsed += 1
        except (CallbackMalformed, FormError):
            continue
    assert parsed < 10_000
