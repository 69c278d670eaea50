"""Use cases of people: accounts, log-in, tokens, roles, persons, units; they check permission and never commit."""
