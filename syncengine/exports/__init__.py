"""Marketo -> destination: what is due, how it is asked for, and how its rows get home.

Two ways in, one way on. In reading order:

What there is         `streams` (the table of them), `asking` (the same in words), `fields` (which columns and types)
What is due           `slice` (algebra of time), `due`, `budget` (megabytes), `catalog` (what the instance has),
                      `changes`, `plan` (all of it asked and put together), `cost` (counted)
Bulk, by files        `window` (states and facts), `request`, `fetch`, `records`, `cells`, `parse`, `join`, `assemble`,
                      `attempts` (what comes after a failure), `run` (the flow)
Paged, by answers     `reading` (states), `asked` (keys), `pages` (how a listing is read to its end), `readers`
                      (which listing), `answers`, `spool`, `readings` (the flow)
Home                  `privacy` (hashes), `marks` (deleted, merged), `load`, `views`, `tally`
One run of all        `bring` (streams in turns), `sync` (leases around it, and how it ended)
"""
