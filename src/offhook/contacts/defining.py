"""A team's attributes: the standard ones, as the team has set them, and its own (P3)."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from offhook.contacts import rules
from offhook.contacts.models import AttributeRow, Value
from offhook.contacts.rules import NAME, STANDARD, Attribute, Type
from offhook.db import Session, new_id, now, touch
from offhook.errors import Conflict, Invalid, NotFound

BY_KEY = {each.key: each for each in STANDARD}
TOPIC = "contact_attributes"


class AttributeNotFound(NotFound):
    code = "contact_attribute_not_found"


class AttributeInvalid(Invalid):
    code = "contact_attribute_invalid"


class AttributeTaken(Conflict):
    code = "contact_attribute_taken"


async def attributes(session: Session, team_id: str) -> list[Attribute]:
    """The standard attributes and the team's own, in the order of pages."""
    rows = await session.scalars(
        select(AttributeRow)
        .where(AttributeRow.team_id == team_id)
        .order_by(AttributeRow.created_at, AttributeRow.id)
    )
    by_key = {row.key: row for row in rows}
    standard = [
        replace(each, agent_fills=by_key[each.key].agent_fills) if each.key in by_key else each
        for each in STANDARD
    ]
    own = [_own(row) for key, row in by_key.items() if key not in BY_KEY]
    return [*standard, *own]


async def fillable(session: Session, team_id: str) -> list[Attribute]:
    """The attributes that agents fill from what was said (P3)."""
    return [each for each in await attributes(session, team_id) if each.agent_fills]


async def attribute(session: Session, team_id: str, key: str) -> Attribute:
    """Raises AttributeNotFound."""
    for each in await attributes(session, team_id):
        if each.key == key:
            return each
    raise AttributeNotFound(
        f"There is no attribute “{key[:40]}”.", remedy="Take a key from the list of attributes."
    )


async def add(session: Session, team_id: str, wanted: Attribute) -> Attribute:
    """Define an attribute of the team's own; without a key it is made from the label.

    Raises AttributeInvalid, AttributeTaken.
    """
    checked = _checked(wanted)
    own = select(func.count()).where(
        AttributeRow.team_id == team_id, AttributeRow.key.not_in(BY_KEY)
    )
    if (await session.scalar(own) or 0) >= rules.MAX_OWN_ATTRIBUTES:
        raise AttributeInvalid(
            f"The team has {rules.MAX_OWN_ATTRIBUTES} attributes of its own.",
            remedy="Remove one first.",
        )
    made = await session.scalar(
        insert(AttributeRow)
        .values(
            id=new_id("att"),
            team_id=team_id,
            key=checked.key,
            label=checked.label,
            type=checked.type,
            choices=list(checked.choices),
            description=checked.description,
            agent_fills=checked.agent_fills,
            created_at=await now(session),
        )
        .on_conflict_do_nothing()
        .returning(AttributeRow.id)
    )
    if made is None or checked.key in BY_KEY or checked.key == NAME:
        raise AttributeTaken(
            f"There is an attribute “{checked.key}” already.", remedy="Use another key."
        )
    await touch(session, team_id, TOPIC)
    return checked


async def change(
    session: Session,
    team_id: str,
    key: str,
    *,
    label: str | None = None,
    description: str | None = None,
    choices: Sequence[str] | None = None,
    agent_fills: bool | None = None,
) -> Attribute:
    """Change what is given. Key and type stay; of a standard attribute only `agent_fills` is the
    team's. Raises AttributeNotFound, AttributeInvalid.
    """
    present = await attribute(session, team_id, key)
    if present.standard and not (label is None and description is None and choices is None):
        raise AttributeInvalid(
            f"{present.label} is a standard attribute.",
            remedy="Only whether agents fill it can be changed.",
        )
    wanted = _checked(
        replace(
            present,
            label=present.label if label is None else label,
            description=present.description if description is None else description,
            choices=present.choices if choices is None else tuple(choices),
            agent_fills=present.agent_fills if agent_fills is None else agent_fills,
        )
    )
    values = {
        "label": wanted.label,
        "description": wanted.description,
        "choices": list(wanted.choices),
        "agent_fills": wanted.agent_fills,
    }
    await session.execute(
        insert(AttributeRow)
        .values(
            id=new_id("att"),
            team_id=team_id,
            key=key,
            type=wanted.type,
            created_at=await now(session),
            **values,
        )
        .on_conflict_do_update(index_elements=["team_id", "key"], set_=values)
    )
    await touch(session, team_id, TOPIC)
    return wanted


async def remove(session: Session, team_id: str, key: str) -> int:
    """Remove an attribute of the team's own with the values of all contacts; their number.

    Raises AttributeNotFound, AttributeInvalid for a standard one.
    """
    present = await attribute(session, team_id, key)
    if present.standard:
        raise AttributeInvalid(
            f"{present.label} is a standard attribute.", remedy="It cannot be removed."
        )
    await session.execute(
        delete(AttributeRow).where(AttributeRow.team_id == team_id, AttributeRow.key == key)
    )
    gone = await session.scalars(
        delete(Value).where(Value.team_id == team_id, Value.key == key).returning(Value.id)
    )
    await touch(session, team_id, TOPIC, "contacts")
    return len(gone.all())


def _own(row: AttributeRow) -> Attribute:
    return Attribute(
        row.key,
        row.label,
        Type(row.type),
        tuple(row.choices),
        row.description,
        agent_fills=row.agent_fills,
    )


def _checked(wanted: Attribute) -> Attribute:
    label = rules.tidy(wanted.label)
    if not label or len(label) > rules.MAX_LABEL_CHARACTERS:
        raise AttributeInvalid(
            f"A label of {len(label)} characters cannot be used.",
            remedy=f"Use 1 to {rules.MAX_LABEL_CHARACTERS}.",
        )
    key = wanted.key or rules.key_of(label)
    if not rules.KEY.fullmatch(key):
        raise AttributeInvalid(
            f"“{key[:40] or label}” cannot be a key.",
            remedy="Use a letter, then letters, digits and underscores, at most 40.",
        )
    description = rules.tidy(wanted.description)
    if len(description) > rules.MAX_DESCRIPTION_CHARACTERS:
        raise AttributeInvalid(
            f"The description has {len(description)} characters.",
            remedy=f"Use at most {rules.MAX_DESCRIPTION_CHARACTERS}.",
        )
    return replace(wanted, key=key, label=label, description=description, choices=_choices(wanted))


def _choices(wanted: Attribute) -> tuple[str, ...]:
    choices = tuple(dict.fromkeys(each for text in wanted.choices if (each := rules.tidy(text))))
    if wanted.type is not Type.CHOICE:
        return ()
    if not rules.MIN_CHOICES <= len(choices) <= rules.MAX_CHOICES:
        raise AttributeInvalid(
            f"{len(choices)} choices cannot be used.",
            remedy=f"Use {rules.MIN_CHOICES} to {rules.MAX_CHOICES}.",
        )
    longest = max(choices, key=len)
    if len(longest) > rules.MAX_CHOICE_CHARACTERS:
        raise AttributeInvalid(
            f"The choice “{longest[:40]}…” has {len(longest)} characters.",
            remedy=f"Use at most {rules.MAX_CHOICE_CHARACTERS}.",
        )
    return choices
