"""Pure decisions about patrols: no database, no clock."""
