"""Business facts: what every agent of a team knows, said once (name, address, hours, rules).

Told to a language model with each reply, and kept as a source of knowledge of all agents, so that
the answerer that needs no key finds its answers in them as well.
"""

from sqlalchemy import select

from offhook import knowledge
from offhook.agents import problems
from offhook.agents.models import Agent, BusinessFacts
from offhook.agents.rules import MAX_FACTS_CHARS
from offhook.db import Session, now, one_at_a_time, touch

TITLE = "Business facts"


async def of(session: Session, team_id: str) -> str:
    """The team's facts; "" where there are none."""
    row = await _row(session, team_id)
    return row.text if row is not None else ""


async def save(session: Session, team_id: str, text: str) -> str:
    """Set the facts for all agents, from the next turn on. Raises AgentInvalid."""
    facts = knowledge.clean(text).strip()
    if len(text) > MAX_FACTS_CHARS:
        raise problems.AgentInvalid(
            f"The facts have {len(text):,} characters; {MAX_FACTS_CHARS:,} are allowed.",
            remedy="Put what is longer into the knowledge.",
            fields={"facts": "Too long."},
        )
    await one_at_a_time(session, f"facts of {team_id}")
    row = await _row(session, team_id, lock=True)
    if row is None:
        row = BusinessFacts(team_id=team_id, text="", updated_at=await now(session))
        session.add(row)
    row.text, row.updated_at = facts, await now(session)
    if row.source_id is not None:
        await _forget(session, row)
    if facts:
        agents = await session.scalars(select(Agent.id).where(Agent.team_id == team_id))
        source = await knowledge.add_text(session, team_id, TITLE, facts, list(agents))
        row.source_id = source.id
    await session.flush()
    await touch(session, team_id, "agents")
    return facts


async def tell(session: Session, agent: Agent) -> None:
    """A new agent knows the facts too."""
    row = await _row(session, agent.team_id)
    used = await knowledge.agents_of(session, agent.team_id)
    if row is not None and row.source_id in used:
        await knowledge.use(session, agent.team_id, row.source_id, agent.id, used=True)


async def _forget(session: Session, row: BusinessFacts) -> None:
    """Take the source away, unless somebody deleted it among the others."""
    known = {each.id for each in await knowledge.listed(session, row.team_id)}
    if row.source_id in known:
        await knowledge.delete(session, row.team_id, row.source_id)
    row.source_id = None


async def _row(session: Session, team_id: str, *, lock: bool = False) -> BusinessFacts | None:
    query = select(BusinessFacts).where(BusinessFacts.team_id == team_id)
    return await session.scalar(query.with_for_update(key_share=True) if lock else query)
