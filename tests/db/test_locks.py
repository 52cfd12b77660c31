"""Row locks of the application never stand in the way of a foreign key.

An insert, and a second update of a row within a transaction, takes FOR KEY SHARE on the row that
its foreign key names. FOR UPDATE refuses that, so two transactions that lock a conversation and
one of its messages in different orders would deadlock; FOR NO KEY UPDATE lets it pass. Who
deletes the row takes the stronger lock with the DELETE.
"""

import re
from pathlib import Path

import offhook

LOCK = re.compile(r"with_for_update[(=][^\n]*")


def test_every_row_lock_leaves_the_key_to_foreign_keys() -> None:
    source = Path(offhook.__file__).parent
    found = [
        f"{path.relative_to(source)}: {line}"
        for path in sorted(source.rglob("*.py"))
        for line in LOCK.findall(path.read_text("utf-8"))
    ]
    assert found
    assert [line for line in found if "key_share" not in line] == []
