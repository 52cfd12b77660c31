"""The table of what came with texts."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from offhook.db import Base, TeamOwned, one_of, primary_key


class MediaState(StrEnum):
    """WAITING is being fetched; of one that is REFUSED or LOST nothing is kept."""

    WAITING = "waiting"
    KEPT = "kept"
    REFUSED = "refused"
    LOST = "lost"


class MessageMedia(TeamOwned, Base):
    """One file. `claimed_type` is the carrier's word, `content_type` what its bytes say."""

    __tablename__ = "message_media"
    __table_args__ = (
        Index(
            "ix_message_media_waiting",
            "created_at",
            postgresql_where=f"state = '{MediaState.WAITING}'",
        ),
    )
    id: Mapped[str] = primary_key("med")
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    position: Mapped[int]
    url: Mapped[str] = mapped_column(Text)
    claimed_type: Mapped[str] = mapped_column(String(100))
    state: Mapped[MediaState] = mapped_column(one_of(MediaState))
    content_type: Mapped[str] = mapped_column(String(100), default="")
    size_bytes: Mapped[int] = mapped_column(default=0)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
