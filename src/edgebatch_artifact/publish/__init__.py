"""From numbers to figures, tables, the paper's values and the report."""
