"""The cases of the store as columns in memory: for maps, heat and rates over a million of them."""
