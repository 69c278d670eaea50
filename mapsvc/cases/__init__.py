"""Reported problems: intake, assignment, workflow, deadlines."""
