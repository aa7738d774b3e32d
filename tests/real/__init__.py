"""Tests with databases that others made."""
