"""Teams, members, sign-in, roles and API keys."""
