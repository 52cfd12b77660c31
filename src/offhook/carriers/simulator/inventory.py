"""What the simulated carrier has for sale: the same numbers on every machine, and their prices.

Ranges that regulators keep for fiction where there are such, so that nobody's telephone is among
them. Pure; knows what is sold only as an argument.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import phonenumbers

LISTED_PER_BLOCK = 60
_STRIDE = 37  # coprime to the blocks' sizes: neighbours do not follow each other


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers `prefix` + `width` digits, all of one kind and place."""

    country: str
    type: str
    prefix: str
    width: int
    locality: str = ""
    region: str = ""
    sms: bool = True

    def numbers(self) -> Iterator[str]:
        size = 10**self.width
        for index in range(min(size, LISTED_PER_BLOCK)):
            yield f"{self.prefix}{(index * _STRIDE + 11) % size:0{self.width}d}"


BLOCKS = (
    Block("US", "Local", "+141555501", 2, "San Francisco", "CA"),
    Block("US", "Local", "+121255501", 2, "New York", "NY"),
    Block("US", "Local", "+131255501", 2, "Chicago", "IL"),
    Block("US", "Local", "+151255501", 2, "Austin", "TX"),
    Block("US", "Local", "+120655501", 2, "Seattle", "WA"),
    Block("US", "Local", "+161755501", 2, "Boston", "MA"),
    Block("US", "TollFree", "+180055501", 2),
    Block("US", "TollFree", "+188855501", 2),
    Block("CA", "Local", "+141655501", 2, "Toronto", "ON"),
    Block("CA", "Local", "+160455501", 2, "Vancouver", "BC"),
    Block("CA", "Local", "+151455501", 2, "Montreal", "QC"),
    Block("CA", "TollFree", "+187755501", 2),
    Block("GB", "Local", "+442079460", 3, "London", sms=False),
    Block("GB", "Local", "+441614960", 3, "Manchester", sms=False),
    Block("GB", "Local", "+441314960", 3, "Edinburgh", sms=False),
    Block("GB", "Mobile", "+447700900", 3),
    Block("GB", "TollFree", "+448081570", 3, sms=False),
    Block("DE", "Local", "+493023125", 3, "Berlin", sms=False),
    Block("DE", "Local", "+498999998", 3, "Munich", sms=False),
    Block("DE", "Local", "+494066969", 3, "Hamburg", sms=False),
    Block("DE", "Mobile", "+4915228817", 3),
    Block("DE", "TollFree", "+49800555", 4, sms=False),
    Block("FR", "Local", "+3319900", 4, "Paris", sms=False),
    Block("FR", "Local", "+3346571", 4, "Marseille", sms=False),
    Block("FR", "Mobile", "+3363998", 4),
    Block("FR", "TollFree", "+3380555", 4, sms=False),
    Block("AU", "Local", "+6125550", 4, "Sydney", "NSW", sms=False),
    Block("AU", "Local", "+6135550", 4, "Melbourne", "VIC", sms=False),
    Block("AU", "Mobile", "+61491570", 3),
    Block("AU", "TollFree", "+6118009757", 2, sms=False),
)
COUNTRIES = {
    "US": "United States",
    "CA": "Canada",
    "GB": "United Kingdom",
    "DE": "Germany",
    "FR": "France",
    "AU": "Australia",
}
# Monthly prices in US dollars, as (local, mobile, toll-free); None: not sold.
PRICES: dict[str, tuple[str, str | None, str]] = {
    "US": ("1.15", None, "2.15"),
    "CA": ("1.15", None, "2.15"),
    "GB": ("1.15", "1.15", "2.15"),
    "DE": ("1.15", "6.00", "18.00"),
    "FR": ("1.15", "6.00", "18.00"),
    "AU": ("3.00", "6.50", "16.00"),
}
PRICE_NAMES = ("local", "mobile", "toll free")
TYPE_NAMES = ("Local", "Mobile", "TollFree")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search; `contains` as Twilio reads it: digits, `*` for one, a leading + for the start."""

    country: str
    type: str
    area_code: str = ""
    contains: str = ""
    voice: bool = False
    sms: bool = False
    mms: bool = False


def sold_here(country: str, kind: str) -> bool:
    return any((block.country, block.type) == (country, kind) for block in BLOCKS)


def search(wanted: Wanted, *, taken: Collection[str]) -> list[tuple[Block, str]]:
    """The numbers on offer and their blocks, in a fixed order, places taking turns."""
    blocks = [
        block
        for block in _blocks(wanted)
        if (block.sms or not wanted.sms) and (_mms(block) or not wanted.mms)
    ]
    rows = [list(block.numbers()) for block in blocks]
    longest = max(map(len, rows), default=0)
    return [
        (block, row[index])
        for index in range(longest)
        for block, row in zip(blocks, rows, strict=True)
        if index < len(row) and row[index] not in taken and _matches(row[index], wanted.contains)
    ]


def block_of(number: str) -> Block | None:
    """The block that a number for sale belongs to."""
    for block in BLOCKS:
        if number.startswith(block.prefix) and number in block.numbers():
            return block
    area_code = number[2:5]
    for country in ("US", "CA"):
        block = _other_area(country, area_code)
        if block and number in block.numbers():
            return block
    return None


def _blocks(wanted: Wanted) -> list[Block]:
    blocks = [b for b in BLOCKS if (b.country, b.type) == (wanted.country, wanted.type)]
    if not wanted.area_code:
        return blocks
    found = [block for block in blocks if block.prefix[2:5] == wanted.area_code]
    if not found and wanted.type == "Local":
        other = _other_area(wanted.country, wanted.area_code)
        return [other] if other else []
    return found


def _other_area(country: str, area_code: str) -> Block | None:
    """Any other area code of the North American plan has its fictitious numbers too."""
    block = Block(country, "Local", f"+1{area_code}55501", 2)
    try:
        number = phonenumbers.parse(f"{block.prefix}00")
    except phonenumbers.NumberParseException:
        return None
    return block if phonenumbers.region_code_for_number(number) == country else None


def _mms(block: Block) -> bool:
    return block.sms and block.country in {"US", "CA"}


def capabilities(block: Block) -> dict[str, bool]:
    return {"voice": True, "sms": block.sms, "mms": _mms(block), "fax": False}


def address_requirement(block: Block) -> str:
    """Germany's local numbers want an address on file; the simulated carrier only says so."""
    return "local" if (block.country, block.type) == ("DE", "Local") else "none"


def listed(block: Block, number: str) -> dict[str, Any]:
    """A number on offer as the API lists it."""
    parsed = phonenumbers.parse(number)
    style = phonenumbers.PhoneNumberFormat.NATIONAL
    return {
        "friendly_name": phonenumbers.format_number(parsed, style),
        "phone_number": number,
        "lata": None,
        "locality": block.locality or None,
        "rate_center": None,
        "latitude": None,
        "longitude": None,
        "region": block.region or None,
        "postal_code": None,
        "iso_country": block.country,
        "address_requirements": address_requirement(block),
        "beta": False,
        "capabilities": capabilities(block),
    }


def _matches(number: str, pattern: str) -> bool:
    if not pattern:
        return True
    if pattern.startswith("+"):
        return _match_at(number[1:], pattern[1:], 0)
    return any(_match_at(number[1:], pattern, at) for at in range(len(number) - len(pattern)))


def _match_at(digits: str, pattern: str, at: int) -> bool:
    part = digits[at : at + len(pattern)]
    return len(part) == len(pattern) and all(
        want in {"*", have} for want, have in zip(pattern, part, strict=True)
    )
