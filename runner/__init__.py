"""The runner: carries a plan folder out against databases, checkpoint by checkpoint."""
