"""Sources, passages and their search.

A team adds texts, question-answer pairs and files, each used by any of its agents; each is cut
into passages that are found by words and by meaning. `search` gives the passages that answer a
question and says whether any does: `hits[0].answerable`. Knows no agents but by their id.
"""

from offhook.documents import clean
from offhook.knowledge.asking import (
    Wants,
    asked,
    day_name,
    days_in,
    is_amount,
    is_opening,
    price_cell,
    tells,
)
from offhook.knowledge.embedding import likeness
from offhook.knowledge.hints import hints
from offhook.knowledge.jobs import register as register_jobs
from offhook.knowledge.models import Source, SourceKind, SourceState
from offhook.knowledge.passages import Kind, plain, row_text, sentences
from offhook.knowledge.ranking import Hit
from offhook.knowledge.searching import Use, search, search_by
from offhook.knowledge.service import (
    add_file,
    add_pair,
    add_text,
    agents_of,
    delete,
    forget_agent,
    get,
    link,
    listed,
    passages,
    replace_file,
    replace_source,
    use,
)
from offhook.knowledge.websites import EVERY_HOURS, accept, add_web, keep, schedule, sync
from offhook.knowledge.words import concepts, fold, stem, terms

__all__ = [
    "EVERY_HOURS",
    "Hit",
    "Kind",
    "Source",
    "SourceKind",
    "SourceState",
    "Use",
    "Wants",
    "accept",
    "add_file",
    "add_pair",
    "add_text",
    "add_web",
    "agents_of",
    "asked",
    "clean",
    "concepts",
    "day_name",
    "days_in",
    "delete",
    "fold",
    "forget_agent",
    "get",
    "hints",
    "is_amount",
    "is_opening",
    "keep",
    "likeness",
    "link",
    "listed",
    "passages",
    "plain",
    "price_cell",
    "register_jobs",
    "replace_file",
    "replace_source",
    "row_text",
    "schedule",
    "search",
    "search_by",
    "sentences",
    "stem",
    "sync",
    "tells",
    "terms",
    "use",
]
