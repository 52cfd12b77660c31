"""Telephone numbers: read as people and carriers write them, refused with the reason (P6, CI2)."""

import pytest

from offhook import phone
from offhook.phone import E164, PhoneNumberInvalid, SenderKind


@pytest.mark.parametrize(
    ("text", "country", "e164", "extension"),
    [
        ("(650) 253-0000", "US", "+16502530000", ""),
        ("+1 650 253 0000", "DE", "+16502530000", ""),
        ("１６５０２５３００００", "US", "+16502530000", ""),
        ("1/650/253/0000", "US", "+16502530000", ""),
        ("07712 345678", "GB", "+447712345678", ""),
        ("447712345678", "GB", "+447712345678", ""),
        ("030/1234567", "DE", "+49301234567", ""),
        ("650 253 0000 ext. 12", "US", "+16502530000", "12"),
        ("650 253 0000 x12", "US", "+16502530000", "12"),
        ("650 253 0000 Extension 12", "US", "+16502530000", "12"),
        ("+16502530000;ext=12", "US", "+16502530000", "12"),
        ("650-253-0000,5", "US", "+16502530000", "5"),
        ("+52 1 55 8765 4321", "US", "+525587654321", ""),
        ("044 55 8765 4321", "MX", "+525587654321", ""),
        ("011 15-2345-6789", "AR", "+5491123456789", ""),
    ],
)
def test_a_number_is_read_as_people_write_it(
    text: str, country: str, e164: str, extension: str
) -> None:
    assert phone.read(text, country) == phone.Written(E164(e164), extension)


@pytest.mark.parametrize(
    ("text", "country", "reason"),
    [
        ("1-800-FLOWERS", "US", "has letters"),
        ("4,47712E+11", "GB", "has letters"),
        ("650 253 0000, 650 253 0001", "US", "more than one number"),
        ("+16502530000+16502530001", "US", "more than one number"),
        ("650 253 0000 or 650 253 0001", "US", "more than one number"),
        ("650 253 0000/0001", "US", "too many or too few digits"),
        ("07712 345678", "US", "too many or too few digits"),
        ("447712345678", "US", "too many or too few digits"),
        ("12", "US", "too many or too few digits"),
        ("", "US", "is not a phone number"),
        ("=HYPERLINK(1)", "US", "has letters"),
    ],
)
def test_what_is_no_number_is_refused_and_never_guessed(
    text: str, country: str, reason: str
) -> None:
    with pytest.raises(PhoneNumberInvalid, match=reason):
        phone.read(text, country)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+12025550142", "(202) 555-0142"),
        ("+493012345678", "030 12345678"),
        ("+447700900123", "+44 7700 900123"),  # of no region: nobody could tell whose 07700 it is
        ("+881612345678", "+881 6 123 45678"),
    ],
)
def test_a_number_is_shown_as_at_home_where_its_home_is_known(e164: str, shown: str) -> None:
    assert phone.national(E164(e164)) == shown


def test_a_number_to_call_or_text_has_no_extension() -> None:
    with pytest.raises(PhoneNumberInvalid, match="extension"):
        phone.parse("650 253 0000 ext. 12")


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        ("+5215587654321", "+525587654321"),
        ("+525587654321", "+525587654321"),
        ("+520445587654321", "+525587654321"),
        ("+5491123456789", "+541123456789"),
        ("+541123456789", "+541123456789"),
        ("+16502530000", "+16502530000"),
        ("+15215587654321", "+15215587654321"),
        ("", ""),
        ("SUPPORT", "SUPPORT"),
    ],
)
def test_every_national_spelling_of_a_number_is_the_same(number: str, canonical: str) -> None:
    """P6, CI4"""
    assert phone.canonical(number) == canonical
    assert phone.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "raw",
    [
        *("+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533"),
        *("Anonymous", "anonymous", "+", "", "  ", "Restricted", "UNKNOWN", "unavailable"),
        *("sip:anonymous@anonymous.invalid", '"Anonymous" <sip:anonymous@anonymous.invalid>'),
    ],
)
def test_every_way_to_hide_a_number_is_nobody(raw: str) -> None:
    """CI2, P5"""
    assert phone.sender(raw) == phone.Sender(SenderKind.HIDDEN, "")


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("+5215587654321", SenderKind.NUMBER, "+5215587654321"),
        ("+5491123456789", SenderKind.NUMBER, "+5491123456789"),
        ('"Ann" <sip:+14155550111@example.com>', SenderKind.NUMBER, "+14155550111"),
        ("68849", SenderKind.SHORT_CODE, "68849"),
        ("SUPPORT", SenderKind.WORD, "SUPPORT"),
        ("+15550100123456789012", SenderKind.WORD, "+15550100123456789012"),
    ],
)
def test_a_sender_is_what_the_carrier_said(raw: str, kind: SenderKind, value: str) -> None:
    """SM4: a number is kept as it came, since that is where a reply goes."""
    assert phone.sender(raw) == phone.Sender(kind, value)
