"""The compiler: specs and catalogs in, a plan folder out; it never connects to a database."""
