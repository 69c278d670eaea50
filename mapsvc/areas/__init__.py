"""Areas, their border versions, generations, posts and duties, and the snapshot that answers who is responsible where."""
