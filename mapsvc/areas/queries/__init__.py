"""Reads of areas, borders, posts and duties; nothing here writes."""
