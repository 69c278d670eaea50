"""What is done with patrols: recorded, forgotten in time."""
