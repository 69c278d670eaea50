"""Tables as offices keep them: xlsx and CSV in, error workbooks and guarded CSV out."""
