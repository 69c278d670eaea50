"""The words on screens, Chinese first: one TOML file per tongue with the same keys."""
