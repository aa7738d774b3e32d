"""The commands of the runner, one a file."""
