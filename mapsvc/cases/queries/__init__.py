"""Reads of cases, each filtered in SQL by what the one who asks may see."""
