"""Attributes, screening and receipts of erasures over REST."""

from fastapi import APIRouter

from offhook import phone
from offhook.contacts import defining, erasing, screening
from offhook.contacts.shapes import (
    AttributeChange,
    AttributeNew,
    AttributeOut,
    BlockedOut,
    ErasureOut,
    NumberNew,
    Removed,
    ScreeningOut,
)
from offhook.teams import AdminActor, CurrentActor, TeamSession

router = APIRouter(prefix="/api/v1", tags=["contacts"])


@router.get("/contact-attributes")
async def index(actor: CurrentActor, session: TeamSession) -> list[AttributeOut]:
    """What the team may know of a contact: the standard attributes, then its own."""
    return [AttributeOut.of(each) for each in await defining.attributes(session, actor.team_id)]


@router.post("/contact-attributes", status_code=201)
async def add(wanted: AttributeNew, actor: AdminActor, session: TeamSession) -> AttributeOut:
    """Define an attribute of the team's own."""
    return AttributeOut.of(await defining.add(session, actor.team_id, wanted.attribute()))


@router.patch("/contact-attributes/{key}")
async def change(
    key: str, wanted: AttributeChange, actor: AdminActor, session: TeamSession
) -> AttributeOut:
    """Change an attribute; of a standard one only whether agents fill it."""
    return AttributeOut.of(
        await defining.change(
            session,
            actor.team_id,
            key,
            label=wanted.label,
            description=wanted.description,
            choices=wanted.choices,
            agent_fills=wanted.agent_fills,
        )
    )


@router.delete("/contact-attributes/{key}")
async def remove(key: str, actor: AdminActor, session: TeamSession) -> Removed:
    """Remove an attribute of the team's own, with its values of all contacts."""
    return Removed(values=await defining.remove(session, actor.team_id, key))


@router.get("/screening")
async def screens(actor: CurrentActor, session: TeamSession) -> ScreeningOut:
    """Whether callers who hide their number are answered."""
    hidden = await screening.refuses_hidden(session, actor.team_id)
    return ScreeningOut(refuse_hidden=hidden)


@router.put("/screening")
async def screen(wanted: ScreeningOut, actor: AdminActor, session: TeamSession) -> ScreeningOut:
    """Set it for all numbers of the team."""
    await screening.refuse_hidden(session, actor.team_id, wanted.refuse_hidden, by=actor.who)
    return wanted


@router.get("/blocked-numbers")
async def blocked(actor: CurrentActor, session: TeamSession) -> list[BlockedOut]:
    """Every blocked number, the newest first; also of people who are no contacts any more."""
    return [BlockedOut.of(each) for each in await screening.blocked(session, actor.team_id)]


@router.post("/blocked-numbers", status_code=201)
async def block(wanted: NumberNew, actor: CurrentActor, session: TeamSession) -> list[BlockedOut]:
    """Block a number in all its spellings; all that are blocked."""
    number = phone.parse(wanted.number, actor.country)
    await screening.block(session, actor.team_id, number, by=actor.who)
    return await blocked(actor, session)


@router.delete("/blocked-numbers/{e164}", status_code=204)
async def unblock(e164: str, actor: CurrentActor, session: TeamSession) -> None:
    """Answer a number again."""
    await screening.unblock(session, actor.team_id, phone.parse(e164, actor.country))


@router.get("/contact-erasures")
async def receipts(actor: AdminActor, session: TeamSession) -> list[ErasureOut]:
    """Receipts of erasures, the newest first."""
    return [ErasureOut.of(each) for each in await erasing.receipts(session, actor.team_id)]


@router.get("/contact-erasures/{erasure_id}")
async def receipt(erasure_id: str, actor: AdminActor, session: TeamSession) -> ErasureOut:
    return ErasureOut.of(await erasing.receipt(session, actor.team_id, erasure_id))
