"""Tests of an agent: conversations that were, held again with its draft.

    kept = await agents.keep_test(session, team_id, agent_id, past, by=actor.who)
    await agents.ask_test(session, team_id, agent_id, kept.id)   # a worker holds it, told live

Each reply of the draft is given what had really been said before it, at the time that it was then;
tasks are shown and not done (running.py). `rules` judges what is the same: the facts of an answer,
the tasks with their inputs, else the meaning; wording is free. A test holds what a person said: it
goes when they are erased (contact_keeping.py).
"""
