"""Patrols (巡查): who went where is kept for a while, what ground was walked is kept without names."""
