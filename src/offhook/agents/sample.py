"""The sample agent: a bakery that a newcomer can text and call at once."""

from offhook import knowledge
from offhook.agents import service
from offhook.agents.models import Agent
from offhook.db import Session

NAME = "Daily Bread Bakery"
GREETING = "Daily Bread Bakery, hello! How can I help you?"
INSTRUCTIONS = (
    "You answer calls and texts for Daily Bread, a neighbourhood bakery. Be friendly and brief. "
    "Tell opening hours, prices and what the bakery offers from the knowledge. When it does not "
    "say, say so and offer that somebody gets back."
)
PAGE = """# Daily Bread Bakery

## Opening hours

| Day | Hours |
| --- | --- |
| Monday | closed |
| Tuesday to Friday | 7:00 - 18:00 |
| Saturday | 7:00 - 16:00 |
| Sunday | 8:00 - 12:00 |

On public holidays we keep Sunday hours; on 25 December we are closed.

## Where we are

You find us at 22 Mill Street, across from the town hall.

You can park behind the shop for 30 minutes.

## Bread

| Loaf | Weight | Price |
| --- | --- | --- |
| Rye loaf | 1 kg | 4.80 |
| Sourdough | 750 g | 5.20 |
| Baguette | 250 g | 1.70 |
| Gluten-free loaf | 500 g | 6.50 |

The gluten-free loaf is baked on Thursdays; please order it a day ahead.

All our bread can be sliced for free.

## Cakes and orders

Birthday cakes are made to order with two days' notice and cost from 28.00.

Orders for the next day are taken until 15:00, by phone or by text.

We deliver within the town on Fridays for 3.00; orders over 30.00 are free of charge.

## Allergies

Our kitchen handles wheat, milk, eggs, nuts and sesame, so traces cannot be ruled out.

The rye loaf and the baguette contain no animal products and are suitable for vegans.

## Paying

We take cash, cards and phone payments. Gift vouchers are sold in any amount from 10.00.

If something is not right, bring it back within a day and we replace it.
"""
PAIRS = (
    ("Do you have coffee?", "Yes, coffee and tea to take away; a coffee costs 2.40."),
    ("Are dogs allowed in the shop?", "Dogs have to wait outside; there is a hook and water."),
    ("Are you hiring?", "We are looking for weekend counter staff; ask for Lena in the shop."),
)


async def create(session: Session, team_id: str, *, by: str = "") -> Agent:
    """The sample agent, live, with its knowledge; one more each time it is asked for."""
    agent = await service.create(
        session, team_id, NAME, greeting=GREETING, instructions=INSTRUCTIONS
    )
    await knowledge.add_text(session, team_id, NAME, PAGE, [agent.id])
    for question, answer in PAIRS:
        await knowledge.add_pair(session, team_id, question, answer, [agent.id])
    return await service.make_live(session, team_id, agent.id, by=by)
