"""`doctor`: everything that a report of a bug needs, however broken things are, and nothing that is a secret."""
