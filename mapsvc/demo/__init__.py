"""A seeded town, made through the services only."""
