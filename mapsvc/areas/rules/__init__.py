"""Decisions about areas and posts: values in, values out; no database, no clock."""
