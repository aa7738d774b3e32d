"""Measurements, as commands: they print what they saw, and judge nothing."""
