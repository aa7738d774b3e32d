"""Removals: columns, or whole tables, that go in four phases, each with a plan of its own and a way back."""
