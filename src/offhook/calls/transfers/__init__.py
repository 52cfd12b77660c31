"""Transfers: a caller is put through to a person of the owner's list, and comes back if that fails.

    conversation   move(...): the call leaves its media process once everything said was heard
    web            routes.py: the carrier's questions about the second leg; `come_back` gives the
                   caller back to the same agent, with its memory
    worker         keeper.py: minutes and limits of calls that no media process carries

`rules` decides, `models` are the owner's targets and each transfer, `targets` and `service` are
the use cases.
"""
