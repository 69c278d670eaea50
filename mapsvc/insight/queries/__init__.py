"""Figures counted from the cases in memory, for what the asker may see."""
