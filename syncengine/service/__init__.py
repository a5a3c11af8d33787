"""The daemon, and what its operator sees. In reading order:

`cron` (when a group is due: zones, jitter, what was missed), `nights` (what a night is, and its account), `reactions`
(what to do after an attempt), `group` (one group on one instance), `inbox` and `sidecar` (watched folders), `standing`
(where all of them stand), `daemon` (all of it together, and signals); then what is seen: `snapshot`, `page`, `metrics`,
`live`, `web`; then what is told: `notices`, `telling`.
"""
