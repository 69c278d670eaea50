"""Pure decisions about people: roles, the permission table, who acts as whom."""
