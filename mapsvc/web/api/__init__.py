"""The JSON front under /api: parse, call a service, present."""
