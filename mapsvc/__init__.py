"""Grid mapping and patrol service: every report to the chief who answers for its place."""
