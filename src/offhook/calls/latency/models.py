"""The table of measured replies: one row for each turn of an agent that answers a caller's."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from offhook.calls.latency.rules import Stage, Times
from offhook.db import Base, TeamKeyed, primary_key


class ReplyTimes(TeamKeyed, Base):
    """One reply. `at` is the end of what it answers, each `…_ms` the time since then (`Stage`)."""

    __tablename__ = "reply_times"
    __table_args__ = (
        Index("ix_reply_times_number", "team_id", "number_id", "at"),
        Index("ix_reply_times_agent", "team_id", "agent_id", "at"),
    )
    id: Mapped[str] = primary_key("rpt")
    call_id: Mapped[str] = mapped_column(String(40), index=True)
    turn_id: Mapped[str] = mapped_column(String(40), unique=True)
    number_id: Mapped[str] = mapped_column(String(40))
    agent_id: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    decided_ms: Mapped[int]
    words_ms: Mapped[int]
    text_ms: Mapped[int]
    voice_ms: Mapped[int]
    sent_ms: Mapped[int]

    @property
    def times(self) -> Times:
        """Milliseconds since `at`."""
        return {
            Stage.DECIDED: self.decided_ms,
            Stage.WORDS: self.words_ms,
            Stage.TEXT: self.text_ms,
            Stage.VOICE: self.voice_ms,
            Stage.SENT: self.sent_ms,
        }
