"""Faults of the world around a run: rows.py lists them, report.py shows what became of each."""
