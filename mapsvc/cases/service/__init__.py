"""Use cases of cases: check permission, decide by rules, write, emit events; never commit."""
