"""The tests of both halves, and of what they share: the plan folder."""
