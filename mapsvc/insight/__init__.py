"""What the office reads: rates by their names, control limits, months that stay as they were printed, briefings."""
