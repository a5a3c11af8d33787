"""Marketo -> files that Git can diff, and tables: every marketing asset, and what changed of it.

In reading order:

What there is      `kinds` (the table of them)
As files           `names` (one component of a path), `places` (Marketo's folders on disk), `documents` (one version of
                   one asset), `tree` (the folder on disk)
From Marketo       `lists` (all pages of a list, or none), `contents` (what one asset costs and holds)
A pull             `survey` (lists against the folder: what is due), `states`, `keep` (changes of the folder),
                   `pull` (the flow, as jobs)
As tables          `usage` (who uses what), `tables`
What is different  `diff`
Its door           `desk`
"""
