"""What members chose to be mailed; no row: as is usual for the role."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from offhook.audit import Marks
from offhook.db import Base, one_of
from offhook.notices.kinds import Kind


class Choice(Base):
    __tablename__ = "notice_choices"
    __audit__ = Marks("choice of mail", label="kind", key="user_id")
    user_id: Mapped[str] = mapped_column(String(40), ForeignKey("users.id"), primary_key=True)
    kind: Mapped[Kind] = mapped_column(one_of(Kind), primary_key=True)
    team_id: Mapped[str] = mapped_column(String(40), ForeignKey("teams.id"), primary_key=True)
    wanted: Mapped[bool]
