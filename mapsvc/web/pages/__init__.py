"""Pages for people: rendered on the server, reading without script, forms posting without it."""
