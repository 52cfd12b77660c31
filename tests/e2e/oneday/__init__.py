"""A day in the life of an installation, and whether its books agree about it.

    history.py    the day as it was: by the carrier's log, by our database, by who stood beside
    checking.py   lists every disagreement among them (texts, calls, ledger, inbox, errands)
    ideal.py      a day without a fault, on which the checks are tried

The simulated carrier's log is the truth; nothing here asks the product's own code what is right.
"""
