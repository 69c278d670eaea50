"""Use cases of figures: freeze a month, verify against the log, write a briefing."""
