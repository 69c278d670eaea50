"""Pure decisions of figures: formulas, intervals, limits, recurrence."""
