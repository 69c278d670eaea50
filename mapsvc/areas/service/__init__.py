"""Use cases of areas: importing borders, posts and duties, and checking what is stored."""
