"""A group's nights. In reading order: `cron` (when it is due: zones, jitter, what was missed), `nights` (what a night
is, and its account), `reactions` (what follows an attempt), `attempting` (one attempt), `tally` (what it has moved so
far), `memo` (what the journal remembers between nights), `group` (all of it, for ever), `accounts` (files for people).
"""
