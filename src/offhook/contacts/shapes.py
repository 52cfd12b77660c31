"""What the REST API tells and takes of contacts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from offhook.contacts.models import BlockedNumber, Contact, ContactNumber, Erasure, Note, Value
from offhook.contacts.rules import Attribute, Source, Type
from offhook.web import shapes

Text = Annotated[str, StringConstraints(max_length=2_000)]
Label = Annotated[shapes.Text, StringConstraints(max_length=2_000), shapes.told(maxLength=60)]
Key = Annotated[str, StringConstraints(max_length=40)]
Number = shapes.Phone


class ContactOut(BaseModel):
    """`e164` is the first of the contact's numbers."""

    id: str
    e164: str
    name: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, contact: Contact) -> "ContactOut":
        return cls.model_validate(contact, from_attributes=True)


class NumberOut(BaseModel):
    """`blocked`: whoever calls or texts from it is not answered."""

    e164: str
    extension: str
    blocked: bool
    created_at: datetime

    @classmethod
    def of(cls, number: ContactNumber, blocked: set[str]) -> "NumberOut":
        return cls(
            e164=number.e164,
            extension=number.extension,
            blocked=number.canonical in blocked,
            created_at=number.created_at,
        )


class ValueOut(BaseModel):
    """What is known under one key. From an agent it names conversation and turn."""

    text: str
    source: Source
    set_by: str
    conversation_id: str | None
    turn_id: str | None
    at: datetime

    @classmethod
    def of(cls, value: Value) -> "ValueOut":
        return cls.model_validate(value, from_attributes=True)


class NoteOut(BaseModel):
    id: str
    text: str
    source: Source
    written_by: str
    conversation_id: str | None
    at: datetime

    @classmethod
    def of(cls, note: Note) -> "NoteOut":
        return cls.model_validate(note, from_attributes=True)


class ProfileOut(ContactOut):
    """A contact with everything known of it; `merged` are contacts that became a part of it."""

    numbers: list[NumberOut]
    values: dict[str, ValueOut]
    notes: list[NoteOut]
    merged: list[str]


class ContactNew(shapes.Body):
    """`number` as a person writes it, read in the team's country; an extension is kept apart."""

    number: Number
    values: dict[Key, Text] = Field(default={}, max_length=60)


class ContactChange(shapes.Body):
    """Values by key, `name` among them; an empty one is removed, and no machine fills it again."""

    name: Text | None = None
    values: dict[Key, Text] = Field(default={}, max_length=60)

    def all(self) -> dict[str, str]:
        return self.values | ({} if self.name is None else {"name": self.name})


class NumberNew(shapes.Body):
    number: Number


class Blocked(shapes.Body):
    blocked: bool


class NoteNew(shapes.Body):
    text: Annotated[shapes.Text, StringConstraints(max_length=2_000)]


class Merge(shapes.Body):
    """The contact that becomes a part of this one."""

    other_id: Annotated[str, StringConstraints(max_length=40)]


class Erase(shapes.Body):
    """One of the contact's numbers, typed again."""

    confirm: Number


class ErasureOut(BaseModel):
    """The receipt. `digest` is the SHA-256 of the contact's export at that instant."""

    id: str
    contact_ids: list[str]
    counts: dict[str, int]
    kept: list[str]
    digest: str
    erased_by: str
    at: datetime

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureOut":
        return cls.model_validate(erasure, from_attributes=True)


class AttributeOut(BaseModel):
    key: str
    label: str
    type: Type
    choices: list[str]
    description: str
    agent_fills: bool
    standard: bool

    @classmethod
    def of(cls, attribute: Attribute) -> "AttributeOut":
        return cls.model_validate(attribute, from_attributes=True)


class AttributeNew(shapes.Body):
    """Without a key one is made from the label. `agent_fills`: from what is said (P3)."""

    label: Label
    key: Annotated[Key, shapes.told(pattern="^([a-z][a-z0-9_]*)?$")] = ""
    type: Type = Type.TEXT
    choices: list[Text] = Field(default=[], max_length=200)
    description: Text = ""
    agent_fills: bool = False

    def attribute(self) -> Attribute:
        return Attribute(
            self.key,
            self.label,
            self.type,
            tuple(self.choices),
            self.description,
            agent_fills=self.agent_fills,
        )


class AttributeChange(shapes.Body):
    """What is given is changed; key and type stay."""

    label: Label | None = None
    description: Text | None = None
    choices: Sequence[Text] | None = Field(default=None, max_length=200)
    agent_fills: bool | None = None


class Removed(BaseModel):
    """How many values went with it."""

    values: int


class ScreeningOut(shapes.Body):
    """`refuse_hidden`: callers who hide their number are not answered."""

    refuse_hidden: bool


class BlockedOut(BaseModel):
    e164: str
    blocked_by: str
    at: datetime

    @classmethod
    def of(cls, row: BlockedNumber) -> "BlockedOut":
        return cls.model_validate(row, from_attributes=True)
