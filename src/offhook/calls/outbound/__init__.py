"""Calls that we start (C8): a member, a program or a task has an agent call somebody.

    start(session, team_id, order)   every question at once, the first minute reserved, then a job
    worker      dialling.py: the carrier is asked once, whatever dies; who rings too long is let go
    web         carrier.py: answered (the same media stream as any call), over, person or machine
    media       the conversation of any call, with an opening line of its own

`rules` decides, `models` are a number's rules and what each such call has beside it, `settings` and
`starting` are the use cases. A call that was answered is a call like any other.
"""
