"""The command line: one module a verb, light to start.

`app` names the verbs, `options` are what they share, `running` turns signals into a clean stop, `failures` turns errors
into sentences and exit codes, `screen` prints tables for people and JSON for programs. A verb imports what is heavy
inside its function, so that `--help` answers at once.
"""
