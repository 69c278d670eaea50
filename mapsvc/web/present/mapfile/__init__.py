"""Stand-alone maps: one HTML file each, with what the asker may see."""
