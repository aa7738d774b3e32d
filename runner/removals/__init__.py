"""Removals at work: which phase each is in, what it waits for, and the way back."""
