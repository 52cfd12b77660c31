"""The kinds of task "label" and "note": marks on the conversation, for the team's eyes only.

Written in the transaction of the run itself; the other side notices nothing, so no yes is needed.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from offhook import tasks
from offhook.db import Session
from offhook.inbox import handling, service
from offhook.inbox.models import Speaker
from offhook.inbox.rules import MAX_LABEL, clean_label
from offhook.tasks import templating

CHOICE = "label"


class LabelConfig(BaseModel):
    """The labels that the agent may put on a conversation; with several it chooses one."""

    model_config = ConfigDict(extra="forbid")
    labels: list[str] = Field(min_length=1, max_length=30, examples=[["complaint", "order"]])
    answer: str = Field(default="I have noted that.", max_length=400, title="What the agent says")

    @field_validator("labels")
    @classmethod
    def _clean(cls, labels: list[str]) -> list[str]:
        kept = list(dict.fromkeys(clean for each in labels if (clean := clean_label(each))))
        if not kept:
            raise ValueError(f"write labels of 1 to {MAX_LABEL} characters")
        return kept


class NoteConfig(BaseModel):
    """A line in the conversation; `{{input}}` stands for an input."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=1_000, examples=["Wants a call back: {{about}}"])
    answer: str = Field(default="I have noted that.", max_length=400, title="What the agent says")


async def _show_label(_: tasks.Means, order: tasks.Order) -> dict[str, str]:
    return {CHOICE: order.inputs.get(CHOICE, order.config.labels[0])}


async def _label(session: Session, order: tasks.Order) -> tasks.Outcome:
    config: LabelConfig = order.config
    label = order.inputs.get(CHOICE, config.labels[0])
    await handling.add_label(session, order.scope.team_id, order.scope.conversation_id, label)
    return tasks.Done(config.answer)


async def _show_note(_: tasks.Means, order: tasks.Order) -> dict[str, str]:
    return {"note": templating.text(order.config.text, order.inputs.get)}


async def _note(session: Session, order: tasks.Order) -> tasks.Outcome:
    config: NoteConfig = order.config
    text = templating.text(config.text, order.inputs.get)
    await service.add_turn(
        session,
        order.scope.team_id,
        order.scope.conversation_id,
        speaker=Speaker.NOTICE,
        text=f"Note: {text}",
    )
    return tasks.Done(templating.text(config.answer, order.inputs.get))


def _which(config: LabelConfig) -> list[tasks.Input]:
    if len(config.labels) == 1:
        return []
    return [tasks.Input(CHOICE, tasks.InputType.CHOICE, choices=tuple(config.labels))]


def _records(_: Any) -> tasks.Effect:
    return tasks.Effect.RECORD


KINDS = (
    tasks.Kind(
        name="label",
        title="Label",
        description="Puts a label on the conversation.",
        icon="tag",
        config=LabelConfig,
        effect=_records,
        inside=_label,
        show=_show_label,
        inputs=_which,
    ),
    tasks.Kind(
        name="note",
        title="Note",
        description="Writes a line for the team into the conversation.",
        icon="sticky-note",
        config=NoteConfig,
        effect=_records,
        inside=_note,
        show=_show_note,
    ),
)
