"""Reads of patrols: effort without names."""
