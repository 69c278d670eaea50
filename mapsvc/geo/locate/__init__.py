"""Points in, area numbers out: the exact cell index over a coverage of areas."""
