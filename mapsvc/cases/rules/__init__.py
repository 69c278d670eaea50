"""Pure decisions about cases: calendar, deadlines, workflow, assignment, reasons; no database, no clock."""
