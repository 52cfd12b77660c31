"""Words of a question and of a passage made comparable: stems, and the everyday synonyms of
questions that callers put to a business.

The embedding understands most paraphrases; this catches those where one word decides (`Amex`,
`wheelchair`, `refund`). Pure, English; other languages go by their stems and the embedding alone.
"""

import re
import unicodedata
from functools import lru_cache

_STOP = (
    "a about after again ah all also am an and any anybody anyone anything are around as ask "
    "at away be because been before being but by can cannot could d did do does doing done "
    "don down each ever every everyone for from get gets getting give given go goes going got "
    "had has have having he hello her here hey hi him his how however i if i'd i'll i'm i've "
    "in into is isn it its itself just kind know let like ll look looking m many may maybe me "
    "mean might mine more most much must my need needs no nor not now of off oh ok okay on "
    "one or other our out over own people per place please possible put quite rather re "
    "really s say see she should sir so some somebody someone something somewhere sort stuff "
    "such t take takes tell than thank thanks that the their them then there these they thing "
    "things think this those to too try under until up upon us use used very want wants was "
    "way we well were what when where which while who whom whose why will wish with within "
    "without won would yes yet you your yours yourself "
)
STOP = frozenset(_STOP.split())

_FAINT = (
    "use come bring leave buy sell make serve find keep happen moment end day time today "
    "tomorrow tonight yesterday morning afternoon evening mother father husband wife friend "
    "office home house run begin start work big long late early far ahead number old new good "
    "best week month year minute hour offer accept available currently "
    "already always sometimes usually actually maybe safe two three buy need"
)
IRREGULAR = {
    "children": "child", "kids": "kid", "men": "man", "women": "woman", "teeth": "tooth",
    "feet": "foot", "loaves": "loaf", "knives": "knife", "halves": "half", "wives": "wife",
    "frozen": "freeze", "froze": "freeze", "freezer": "freeze", "bought": "buy", "sold": "sell",
    "paid": "pay", "payment": "pay", "payments": "pay", "held": "hold", "kept": "keep",
    "brought": "bring", "sent": "send", "spoken": "speak", "spoke": "speak", "forgotten": "forget",
    "forgot": "forget", "taught": "teach", "chosen": "choose", "ate": "eat", "eaten": "eat",
    "made": "make", "met": "meet", "ran": "run", "running": "run", "began": "begin",
    "begun": "begin", "lost": "lose", "found": "find", "written": "write", "wrote": "write",
    "drove": "drive", "driven": "drive", "delivery": "deliver", "deliveries": "deliver",
    "cancellation": "cancel", "reservation": "reserve", "booking": "book", "accessible": "access",
    "baking": "bake", "baker": "bake", "bakery": "bakery", "application": "apply",
    "collection": "collect", "organically": "organic", "cheaply": "cheap", "cheaper": "cheap",
}  # fmt: skip

# Each line is one idea; words that mean it in the mouth of a caller or on a page.
CONCEPTS: dict[str, str] = {
    "access": "wheelchair access accessibility ramp lift elevator disabled mobility stairs walker",
    "address": "address directions located location street road lane avenue square",
    "afraid": "afraid terrified anxious anxiety nervous scared fear phobia",
    "allergy": "allergy allergic allergen intolerant intolerance trace peanut nut sesame",
    "apprentice": "apprentice apprenticeship trainee internship intern trade",
    "assistance": "help support assistance",
    "boss": "boss owner own manager director founder run",
    "break": "wrong broken mouldy moldy stale damaged faulty defective spoiled",
    "cancel": "cancel cancelled postpone reschedule",
    "card": "card credit debit visa mastercard amex",
    "celebrate": "celebrate celebration party birthday wedding anniversary retirement jubilee",
    "cheap": "cheap discount reduced reduction bargain sale",
    "child": "child kid toddler baby son daughter boy girl",
    "christmas": "christmas xmas december",
    "class": "class course workshop lesson seminar teach learn",
    "collect": "collect pickup takeaway takeout",
    "cost": "price cost fee charge expensive rate surcharge tariff",
    "cup": "cup mug",
    "deliver": "deliver courier bring ship house door van",
    "deposit": "deposit upfront prepay prepayment",
    "dog": "dog puppy pet animal",
    "emergency": "emergency urgent acute",
    "exchange": "refund reimburse return exchange replace",
    "freeze": "freeze",
    "gift": "gift present voucher certificate",
    "gluten": "gluten coeliac celiac glutenfree",
    "instalment": "instalment installment financing",
    "insurance": "insurance insurer insured",
    "internet": "internet wifi wireless wlan network",
    "invoice": "invoice bill billing",
    "job": "job hire vacancy employment career recruit position staff",
    "language": "language english german french spanish speak",
    "lost": "lose forget",
    "milk": "milk dairy lactose",
    "old": "founded established since begin",
    "opening": "open opening close closing closed hours",
    "organic": "organic bio",
    "park": "park parking car garage vehicle",
    "phone": "phone telephone mobile smartphone",
    "photo": "photo picture image photograph",
    "regular": "regular loyalty reward bonus",
    "rent": "rent venue private",
    "reserve": "reserve book appointment",
    "slice": "slice cut",
    "small": "small smaller little half portion",
    "store": "store keep storage preserve",
    "toilet": "toilet restroom bathroom loo wc",
    "transport": "tram bus train metro subway underground transport station",
    "vegan": "vegan vegetarian plantbased",
    "weight": "weight weigh heavy kilo gram kg",
    "wholesale": "wholesale trade reseller bulk",
}

PHRASES = {
    r"\bplant[- ]based\b": "plantbased",
    r"\bplant milk\b": "oat soy milk",
    r"\banimal products\b": "vegan",
    r"\bup[- ]front\b": "upfront",
    r"\bin advance\b": "upfront",
    r"\bmoney back\b": "refund",
    r"\bwi-?fi\b": "wifi",
    r"\bpick(?:ed|ing)?(?: \w+)? up\b": "pickup",
    r"\bhalf[- ]price\b": "half price discount",
    r"\bgluten[- ]free\b": "gluten glutenfree",
    r"\bamerican express\b": "american express amex",
    r"\bpublic transport\b": "transport",
    r"\b(?:call|calling|called) off\b": "cancel",
    r"\b(?:can't|cannot|can not) (?:make it|come)\b": "cancel",
    r"\bdon't (?:need|want)\b": "cancel",
    r"\bleft (?:\w+ ){1,3}(?:behind|there|at your)\b": "forgot",
}


def fold(text: str) -> str:
    """Lower case without accents, with straight quotes."""
    text = text.replace("’", "'").replace("‘", "'")
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its inflection; rougher than a dictionary and stable."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    bare = re.sub(r"'s?$", "", word)
    for ending, keep in (
        ("ies", "y"),
        ("sses", "ss"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("xes", "x"),
    ):
        if bare.endswith(ending) and len(bare) > len(ending) + 1:
            return _bare(bare[: -len(ending)] + keep)
    if bare.endswith("s") and not bare.endswith(("ss", "us", "is")) and len(bare) > 3:  # noqa: PLR2004 - gas, bus
        bare = bare[:-1]
    return IRREGULAR.get(bare) or _bare(bare)


def _bare(word: str) -> str:
    for ending in ("ing", "ed"):
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) > 2 and re.search(r"[aeiouy]", root):  # noqa: PLR2004 - red, king
            doubled = len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz"  # noqa: PLR2004 - running, spelling
            return (root[:-1] if doubled else root).removesuffix("e")
    return word.removesuffix("e") if len(word) > 3 else word  # noqa: PLR2004 - pie, tie


def words(text: str) -> list[str]:
    """Lower-case words and figures in order, phrases made one word."""
    folded = fold(text)
    for pattern, meant in PHRASES.items():
        folded = re.sub(pattern, meant, folded)
    folded = re.sub(r"(?:'(?:s|m|d|ll|re|ve)|n't)\b", " ", folded)
    return re.findall(r"[a-z0-9]+(?:[.:'][a-z0-9]+)*", folded)


def terms(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order."""
    return [stem(each) for each in words(text) if each not in STOP]


def concepts(stems: set[str] | frozenset[str]) -> set[str]:
    """The ideas that the stems stand for."""
    return {idea for each in stems for idea in _ideas().get(each, ())}


def synonyms(each: str) -> set[str]:
    """Other stems for the same ideas."""
    return {other for idea in _ideas().get(each, ()) for other in _members()[idea] if other != each}


# Stems that seldom decide what is asked for.
FAINT = frozenset(stem(each) for each in _FAINT.split())


@lru_cache(maxsize=1)
def _members() -> dict[str, set[str]]:
    return {idea: {stem(word) for word in line.split()} for idea, line in CONCEPTS.items()}


@lru_cache(maxsize=1)
def _ideas() -> dict[str, set[str]]:
    ideas: dict[str, set[str]] = {}
    for idea, members in _members().items():
        for member in members:
            ideas.setdefault(member, set()).add(idea)
    return ideas
