"""The step kinds: what each does, proves and undoes."""
