"""Marketo -> files that Git can diff, and tables: every marketing asset, and what changed of it.

In reading order:

What there is      `kind` (what one is), `asking` (what else is asked of an asset, and when), `kinds` (the table)
As files           `names` (one component of a path), `places` (Marketo's folders on disk), `documents` (one version of
                   one asset), `entry` (the same without its content), `disk`, `marker` (whose folder it is), `tree`
From Marketo       `crew` (several calls at a time), `lists` (all pages of a list, or none), `folders`, `contents` (what
                   one asset costs and holds), `file_bytes`
A pull             `parts` (what it works with), `survey` (lists against the folder: what is due), `store` (files to
                   where the lists are), `states`, `pull` (kinds as jobs), `run` (from claim to report)
As tables          `usage` (who uses what), `history`, `tables`, `apply`
What is different  `changes`, `differences` (in words and lines)
Beforehand         `cost`
Its door           `desk`
"""
