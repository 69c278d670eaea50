"""Tiles of maps: borders, cases and heat."""
