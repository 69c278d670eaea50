"""HTTP only: parses a request, makes one call to a service or query, presents the answer."""
