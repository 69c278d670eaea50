"""Errors, settings, clock, events, paths: what every other package may use; imports nothing of ours."""
