"""Who connects us to the phone network: the port, and one folder per carrier.

Knows the carriers' formats and clients; knows no team, no number of ours and no database.
"""
