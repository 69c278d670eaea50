"""Persons, users, roles, units and the one permission table."""
