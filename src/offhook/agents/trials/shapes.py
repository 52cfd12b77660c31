"""The form of a test over REST, here and where a call is made one."""

from datetime import datetime

from pydantic import BaseModel

from offhook.agents.trials.models import Trial
from offhook.agents.trials.rules import State


class TestOut(BaseModel):
    """A test: a conversation that was, to be held again with the draft.
    GET /api/v1/agents/{agent_id}/tests/{id} tells what came of it.
    """

    id: str
    agent_id: str
    name: str
    channel: str
    conversation_id: str
    state: State
    ran_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, trial: Trial) -> "TestOut":
        return cls.model_validate(trial, from_attributes=True)
