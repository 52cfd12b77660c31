"""Telephone numbers as the rest of the product sees them.

An `E164` is a string that has been read and found possible; nothing else may call itself one.
What a carrier puts in a From field is a `Sender`, which may be no number at all: a short code,
a word, or nobody (hidden callers, P5). Where a country writes one number in two ways, `canonical`
is the same for both (P6). Knows `phonenumbers`; knows no team and no carrier.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from offhook.errors import Invalid

E164 = NewType("E164", str)

# Numbers that carriers send for callers who hide theirs: the keypad spelling of ANONYMOUS,
# RESTRICTED, UNAVAILABLE, UNKNOWN, and +1 with nothing behind (Twilio, "Why am I seeing calls
# from these phone numbers?").
HIDDEN_NUMBERS = frozenset(
    {"+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533", "+1", "+"}
)
HIDDEN_WORDS = frozenset({"", "anonymous", "restricted", "unavailable", "unknown", "private"})
# A mobile number of Mexico carried a 1 behind the country code until 2019 (and 044 or 045 before it
# inside the country), one of Argentina carries a 9 when it is dialled from abroad; the ten digits
# behind are unique without.
VARIANT = re.compile(r"(?:(\+52)(?:1|04[45])|(\+54)9)(\d{10})")
VARYING = ("+52", "+54")
EXTENSION = re.compile(
    r"(?:[\s,;]*(?:ext(?:n|ension)?\b\.?\s*=?|x|#)\s*)(\d{1,7})\s*$", re.IGNORECASE
)
BETWEEN_NUMBERS = re.compile(r"[/|;,&\n]|\bor\b|\band\b|(?<=\d)\s*(?=\+)", re.IGNORECASE)
MIN_NUMBER_DIGITS = 6
MAX_SHORT_CODE_DIGITS = 6
MIN_SHORT_CODE_DIGITS = 3


COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 codes of the countries with a numbering plan that is known."""


class PhoneNumberInvalid(Invalid):
    code = "phone_number_invalid"


class SenderKind(StrEnum):
    NUMBER = "number"
    SHORT_CODE = "short_code"
    WORD = "word"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a carrier says is calling or texting; only a NUMBER can be answered or called back."""

    kind: SenderKind
    value: str

    @property
    def e164(self) -> E164 | None:
        return E164(self.value) if self.kind is SenderKind.NUMBER else None


@dataclass(frozen=True, slots=True)
class Written:
    """A number as a person wrote it down, its extension kept apart (P6)."""

    e164: E164
    extension: str = ""


def parse(text: str, country: str = "US") -> E164:
    """Read `text` as a person writes numbers, `country` (ISO 3166) giving the default plan.

    Raises PhoneNumberInvalid with the reason; nothing is guessed (P6).
    """
    written = read(text, country)
    if written.extension:
        raise PhoneNumberInvalid(
            f"“{text.strip()[:60]}” has an extension.", remedy="Leave the extension out."
        )
    return written.e164


def read(text: str, country: str = "US") -> Written:
    """`parse`, for a field that may hold an extension too ("… ext. 12", "… x12", "…;ext=12").

    Raises PhoneNumberInvalid, also for two numbers in one field.
    """
    shown = text.strip()[:60]
    remedy = "Write the number with its country code, for example +1 650 253 0000."
    if _holds_several(shown):
        raise PhoneNumberInvalid(
            f"“{shown}” is more than one number.", remedy="Write one number in a field."
        )
    found = EXTENSION.search(shown)
    digits = shown[: found.start()] if found else shown
    if re.search(r"[A-Za-z]", digits):
        raise PhoneNumberInvalid(f"“{shown}” has letters in it.", remedy=remedy)
    try:
        number = phonenumbers.parse(digits, country)
    except NumberParseException:
        raise PhoneNumberInvalid(f"“{shown}” is not a phone number.", remedy=remedy) from None
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not _possible(written):
        raise PhoneNumberInvalid(
            f"“{shown}” has too many or too few digits for a number.", remedy=remedy
        )
    # Without Mexico's 1 a number is dialled everywhere; without Argentina's 9 it is not.
    e164 = E164(canonical(written) if written.startswith("+52") else written)
    return Written(e164, found.group(1) if found else number.extension or "")


def sender(raw: str) -> Sender:
    """Classify a carrier's From field; total, never raises (cases SM4, CI2)."""
    text = raw.strip()
    address = re.search(r"<([^<>]*)>$", text)  # "Anonymous" <sip:anonymous@anonymous.invalid>
    user = (address.group(1) if address else text).removeprefix("sip:").split("@", 1)[0]
    if is_hidden(user):
        return Sender(SenderKind.HIDDEN, "")
    if re.fullmatch(r"\+\d{7,15}", user) and _possible(user):
        return Sender(SenderKind.NUMBER, user)
    digits = user.removeprefix("+")
    if digits.isdigit() and MIN_SHORT_CODE_DIGITS <= len(digits) <= MAX_SHORT_CODE_DIGITS:
        return Sender(SenderKind.SHORT_CODE, digits)
    return Sender(SenderKind.WORD, text[:64])


def is_hidden(user: str) -> bool:
    """Whether carriers say this for callers who hide their number (P5)."""
    return user.casefold() in HIDDEN_WORDS or user in HIDDEN_NUMBERS


def canonical(number: str) -> str:
    """The same for every national spelling of one number (P6, CI4); total, never raises."""
    variant = VARIANT.fullmatch(number)
    return f"{number[:3]}{variant[3]}" if variant else number


def spellings(canonical_number: str) -> tuple[str, ...]:
    """Every way in which carriers and people spell a number that `canonical` gave."""
    if re.fullmatch(r"\+52\d{10}", canonical_number):
        return (canonical_number, f"+521{canonical_number[3:]}")
    if re.fullmatch(r"\+54\d{10}", canonical_number):
        return (canonical_number, f"+549{canonical_number[3:]}")
    return (canonical_number,)


def has_variants(number: str) -> bool:
    """Whether the country of `number` writes some numbers in two ways."""
    return number.startswith(VARYING)


def national(number: E164) -> str:
    """As people in its own country write it; where that is unknown, as people abroad do."""
    if not country_of(number):
        return international(number)
    return phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.NATIONAL)


def international(number: E164) -> str:
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL
        )
    except NumberParseException:
        return number


def country_of(number: E164) -> str:
    """ISO 3166 code of the number's country, or "" where it has none (satellite, unknown)."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except NumberParseException:
        return ""
    return region if region and region.isalpha() else ""


def flag(number: E164) -> str:
    """The country's flag as an emoji (two regional indicator symbols), or ""."""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in country_of(number))


def zones(number: E164) -> tuple[str, ...]:
    """Every time zone (IANA) that the number may be at home in; none where its plan is unknown."""
    # Its tables take a while to read, and most processes never ask.
    from phonenumbers import timezone  # noqa: PLC0415 - as above

    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != timezone.UNKNOWN_TIMEZONE)


def is_toll_free(number: E164) -> bool:
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return kind == PhoneNumberType.TOLL_FREE


def is_valid(number: E164) -> bool:
    """Whether its country's plan has such a number; `parse` asks for its length only."""
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def is_costly(number: E164) -> bool:
    """Whether calling it pays whoever holds it: premium rate, shared cost (SEC13)."""
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return kind in {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}


def is_mobile(number: E164) -> bool:
    """Whether the plan says so; where it does not tell mobile from fixed (+1), False."""
    return phonenumbers.number_type(phonenumbers.parse(number)) == PhoneNumberType.MOBILE


def _holds_several(text: str) -> bool:
    parts = BETWEEN_NUMBERS.split(text)
    return sum(sum(map(str.isdigit, part)) >= MIN_NUMBER_DIGITS for part in parts) > 1


def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(canonical(number)))
    except NumberParseException:
        return False
