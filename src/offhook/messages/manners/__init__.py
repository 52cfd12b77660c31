"""A number's manners by text: how long a burst settles, whom it answers, and when it stops.

    manners = await service.of(session, team_id, number_id)
    await service.change(session, team_id, number_id, by, settle_ms=5000, countries=("US", "CA"))
    talk = await braking.talk(session, thread, instant)             # what was texted lately
    why = await braking.held_back(session, number, thread, talk, manners, instant)

Receiving asks before a text takes its unit, so that what is held back costs nothing; answering asks
again before the reply takes its own (SEC11).
"""
