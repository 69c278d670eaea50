"""Areas, border versions, generations, posts and duties, and the snapshot that says who is responsible where."""
