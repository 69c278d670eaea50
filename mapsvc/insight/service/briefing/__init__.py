"""The briefing of an area (通报): as Word, as Excel, as a picture for a group."""
