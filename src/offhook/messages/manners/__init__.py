"""A number's manners by text: how long a burst settles, whom it answers, and when it stops.

    manners = await service.of(session, team_id, number_id)
    await service.change(session, team_id, number_id, by, settle_ms=5000, countries=("US", "CA"))
    known = await braking.lately(session, number, thread, instant)  # with what was texted lately
    why = braking.held_back(number, thread, known, instant)

Receiving asks before a text takes its unit, so that what is held back costs nothing; answering asks
again before the reply takes its own (SEC11).
"""
