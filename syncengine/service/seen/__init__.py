"""What an operator sees. In reading order: `snapshot` (everything that is shown, as values), `bulk` and `looking` (how
they are read), `kept` and `snapshots` (how often), `headline`, `figures`, `plots` and `page` (the status page),
`readiness` (whether last night came in time), `counting`, `gauges` and `metrics` (for Prometheus), `guard` and `door`
(who may look, and for how long), `live` and `web` (over HTTP).
"""
