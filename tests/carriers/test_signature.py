"""Callback signatures (SEC1, SEC1b, SM8), held against the official validator."""

import base64
import random
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from twilio import request_validator

from offhook.carriers import callback_url, read_form, sign, verify_form, verify_json
from offhook.carriers.twilio.signature import OVERRIDES

TOKEN = "12345"
VALIDATOR: Any = request_validator.RequestValidator(TOKEN)  # the library has no annotations
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
VECTOR = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_published_vector_is_reproduced_and_accepted():
    assert sign(TOKEN, URL, FIELDS) == VECTOR
    assert verify_form(TOKEN, URL, FIELDS, VECTOR)


def test_signatures_are_those_of_the_official_validator():
    for seed in range(300):
        dice = random.Random(seed)
        fields = {
            "".join(dice.choices("ABCabc", k=5)): "".join(
                dice.choices("xé'😀 &=+%", k=dice.randrange(9))
            )
            for _ in range(dice.randrange(8))
        }
        url = f"https://example.com/a/{seed}?n={quote('é' * dice.randrange(3))}"
        theirs = VALIDATOR.compute_signature(url, fields)
        assert sign(TOKEN, url, list(fields.items())) == theirs
        assert verify_form(TOKEN, url, list(fields.items()), theirs)


def test_ten_thousand_mutations_are_refused():
    """SEC1: of the URL, the fields, the header; joints of the concatenation are SEC1b's."""
    dice = random.Random(1)
    concatenated = "".join(name + value for name, value in sorted(FIELDS))
    for _ in range(10_000):
        url, fields, signature = URL, list(FIELDS), VECTOR
        match dice.randrange(4):
            case 0:
                url = _mutated(dice, url)
            case 1:
                index = dice.randrange(len(fields))
                fields[index] = (fields[index][0], _mutated(dice, fields[index][1]))
            case 2:
                index = dice.randrange(len(fields))
                fields[index] = (_mutated(dice, fields[index][0]), fields[index][1])
            case _:
                signature = _mutated(dice, signature)
        same = "".join(name + value for name, value in sorted(fields)) == concatenated
        if (url, signature) == (URL, VECTOR) and same:
            continue
        assert not verify_form(TOKEN, url, fields, signature), (url, fields, signature)


def _mutated(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    other = chr(dice.choice([*range(33, 127), 0, 0x301, 0x20AC]))
    kind = dice.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + other + text[at:]
    return text[:at] + (other if other != text[at] else "~~") + text[at + 1 :]


@pytest.mark.parametrize(
    "signature", [None, "", "x", "ü", "RSOYDt4T1cUTdK1PDd93/VVr8B9=", VECTOR + "\n"]
)
def test_missing_or_broken_header_is_refused(signature: str | None):
    assert not verify_form(TOKEN, URL, FIELDS, signature)


def test_empty_token_never_verifies():
    assert not verify_form("", URL, FIELDS, sign("", URL, FIELDS))


def test_sender_cannot_choose_the_algorithm():
    """SEC1: a correct HMAC-SHA256 signature is no signature here."""
    stronger = VALIDATOR.compute_signature(URL, dict(FIELDS), "HMAC_SHA256")
    assert not verify_form(TOKEN, URL, FIELDS, stronger)


def test_repeated_name_is_refused_though_signed():
    """SEC1b: `A=B&C=D` and `A=BCD` sign alike, so a name may stand once only."""
    fields = [*FIELDS, ("Body", "one"), ("Body", "two")]
    assert not verify_form(TOKEN, URL, fields, sign(TOKEN, URL, fields))


@pytest.mark.parametrize(
    ("signed", "configured"),
    [
        ("https://a.example:443/x?y=1", "https://a.example/x?y=1"),
        ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://a.example/x", "https://a.example:8443/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://[::1]:443/x", "https://[::1]/x"),
        ("https://a.example/x?n=O'Brien", "https://a.example/x?n=O%27Brien"),
        ("https://a.example/x?n=O%27Brien", "https://a.example/x?n=O'Brien"),
        (f"https://a.example/x#{OVERRIDES}", "https://a.example/x"),
        ("https://a.example/x#rc=5&rp=all", "https://a.example/x#rc=5&rp=all"),
        ("https://a.example/x", "https://a.example/x#rc=5&rp=all"),
    ],
)
def test_spellings_of_one_url_are_accepted(signed: str, configured: str):
    """SEC1, SM8: port, apostrophe and fragment, for POST and for GET."""
    assert verify_form(TOKEN, configured, FIELDS, sign(TOKEN, signed, FIELDS))
    assert verify_form(TOKEN, configured, [], sign(TOKEN, signed))


@pytest.mark.parametrize(
    "other",
    [
        "http://a.example/x",
        "https://b.example/x",
        "https://a.example/x?",
        "::",
        "https://[::1/x",
    ],
)
def test_another_url_is_refused(other: str):
    assert not verify_form(TOKEN, other, FIELDS, sign(TOKEN, "https://a.example/x", FIELDS))


@pytest.mark.parametrize(
    "body",
    [
        b"Body=a%00b&From=%2B1",
        b"Body=%ED%A0%BD",
        b"Body=%F0%9F%91",
        b"Body=%FF%FE",
        b"Body=%E2%80%AEevil",
        b"Body=" + b"%CC%81" * 1600,
        b"FromCity=O%27Fallon%00&Body=x",
        b"FromCity=O'Fallon+Town&Body=",
    ],
)
def test_genuine_signature_over_odd_bytes_is_accepted(body: bytes):
    """SM8: the carrier signed the bytes, not what we make of them."""
    fields = read_form(body)
    assert verify_form(TOKEN, URL, fields, sign(TOKEN, URL, fields))
    assert not verify_form(TOKEN, URL, [*fields, ("x", "y")], sign(TOKEN, URL, fields))


def test_json_body_is_covered_by_its_hash():
    body = b'{"a": 1}'
    url = f"https://a.example/x?bodySHA256={sha256(body).hexdigest()}"
    signature = sign(TOKEN, url)
    assert VALIDATOR.validate(url, body.decode(), signature)
    assert verify_json(TOKEN, url, body, signature)
    assert not verify_json(TOKEN, url, body + b" ", signature)
    assert not verify_json(TOKEN, "https://a.example/x", body, sign(TOKEN, "https://a.example/x"))
    assert not verify_json(TOKEN, url, body, None)


def test_url_is_the_configured_one_with_the_requests_path():
    assert (
        callback_url("https://a.example/", b"/cb/sms", b"n=O'B") == "https://a.example/cb/sms?n=O'B"
    )
    assert callback_url("https://a.example", "/cb") == "https://a.example/cb"


def test_other_base64_spelling_of_the_signature_is_refused():
    raw = base64.b64decode(VECTOR)
    assert base64.b64decode("RSOYDt4T1cUTdK1PDd93/VVr8B9=") == raw
    assert not verify_form(TOKEN, URL, FIELDS, "RSOYDt4T1cUTdK1PDd93/VVr8B9=")
