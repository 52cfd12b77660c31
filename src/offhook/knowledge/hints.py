"""Names and products that a caller may say, for a recogniser that has not heard of them.

What stands first in a table's row comes first (products, prices' subjects), then names inside
sentences, then headings. Pure but for one query; knows no recogniser.
"""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from offhook.db import Session
from offhook.knowledge.models import Passage, SourceAgent

MOST = 40
MAX_CHARS = 30
READ_PASSAGES = 400
_NAME = re.compile(r"(?<=[a-z0-9,;] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")
"""Capitals inside a sentence: streets, people, brands."""


def notable(subjects: Iterable[str], texts: Iterable[str], headings: Iterable[str]) -> list[str]:
    """At most 40 short hints, each once, the likeliest to be said first."""
    found: dict[str, None] = {}
    for each in (*subjects, *(name for text in texts for name in _NAME.findall(text)), *headings):
        words = " ".join(each.split())
        if words and len(words) <= MAX_CHARS and re.search(r"[^\W\d_]{3}", words):
            found.setdefault(words)
    return list(found)[:MOST]


async def hints(session: Session, team_id: str, agent_id: str) -> list[str]:
    """What callers of this agent are likely to name."""
    sources = select(SourceAgent.source_id).where(
        SourceAgent.team_id == team_id, SourceAgent.agent_id == agent_id
    )
    rows = await session.execute(
        select(Passage.cells, Passage.text, Passage.headings)
        .where(Passage.team_id == team_id, Passage.source_id.in_(sources))
        .order_by(Passage.source_id, Passage.position)
        .limit(READ_PASSAGES)
    )
    known = rows.all()
    return notable(
        subjects=[_subject(cells) for cells, _, _ in known],
        texts=[text for _, text, _ in known],
        headings=[headings[-1] for _, _, headings in known if headings],
    )


def _subject(cells: Sequence[Sequence[str]]) -> str:
    """The first cell of a table's row; a row is (column head, value) pairs."""
    return str(cells[0][1]) if cells else ""
