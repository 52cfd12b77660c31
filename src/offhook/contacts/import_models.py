"""Tables of imports: a file, how it is read, how far it came, and what was refused."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, TeamKeyed, TeamOwned, one_of, primary_key


class ImportState(StrEnum):
    """ASKING waits for a person to say what the columns mean."""

    ASKING = "asking"
    RUNNING = "running"
    DONE = "done"


class Import(TeamKeyed, Base):
    """One file. `data` is kept until its rows are taken; `columns` says what each column means."""

    __audit__ = Marks(
        "import",
        label="filename",
        without=("data", "rows_done", "created", "updated", "unchanged", "refused", "ended_at"),
        page="/contacts/import/{}",
    )
    __tablename__ = "contact_imports"
    __table_args__ = (Index("ix_contact_imports_list", "team_id", "created_at", "id"),)
    id: Mapped[str] = primary_key("imp")
    kind: Mapped[str] = mapped_column(String(20))
    filename: Mapped[str] = mapped_column(String(200))
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    encoding: Mapped[str] = mapped_column(String(20))
    separator: Mapped[str] = mapped_column(String(4))
    country: Mapped[str] = mapped_column(String(2))
    columns: Mapped[list[str]] = mapped_column(JSONB)
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    state: Mapped[ImportState] = mapped_column(one_of(ImportState))
    rows_total: Mapped[int]
    rows_done: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    started_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefusedRow(TeamOwned, Base):
    """A row that was not taken: where it stands, what it says, and why."""

    __tablename__ = "contact_import_refusals"
    __table_args__ = (Index("ix_contact_import_refusals_line", "import_id", "line"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    import_id: Mapped[str] = mapped_column(ForeignKey("contact_imports.id"))
    line: Mapped[int]
    cells: Mapped[list[str]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
