"""A number's manners on calls: when it is open and what happens otherwise, whom it screens, how
many calls it takes at once.

    manners = await service.of(session, team_id, number_id)         # the defaults where none are
    await service.change(session, team_id, number_id, by, caller_lines=3)
    answers = rules.answers(manners, instant, zone)                 # None: nobody answers now

Admission asks; `closing` is what a caller meets outside the hours. Every manner is off until it is
switched on, but for the caller's lines (SEC12).
"""
