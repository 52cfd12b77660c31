"""Numbers of a team's own carrier account (A7): the account, the import, the way back.

`rules` decides, `accounts` keeps accounts and explains what is wrong with one, `imports` takes
orders, `bringing` carries them out and puts back what was there before. `api` and `pages` show it.
"""
