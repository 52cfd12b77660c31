"""A day in the life of an installation, and whether its books agree about it.

    script.py     who does what at which hour, from a seed, and what the rules promise (tally.py)
    playing.py    plays it against real processes (telephones.py, members.py, witness.py)
    history.py    the day as it was: by the carrier's log, by our database (books.py), by who saw it
    checking.py   lists every disagreement among them (texts, calls, ledger, inbox, errands)
    sheet.py      what came of it for each person, in the shape of the promise
    replaying.py  the carrier tells the whole day again, and nothing may change
    ideal.py      a day without a fault, on which the checks are tried

The simulated carrier's log is the truth; nothing here asks the product's own code what is right.
"""
