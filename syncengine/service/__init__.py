"""The daemon, and what its operator sees and is told.

`daemon` is all of it together; read it first. `instance` keeps one instance going, by what `place` gives its tasks;
`standing` is where all of them stand, as values; `reload` and `upkeep` are what the names say; `world` is what the
engines of one process share.

`schedule` brings the nights of a group, `folders` import what is dropped into watched folders, `seen` is the status
page, the metrics and the health, `told` are the notices by webhook and mail. None of these knows another, but that
whoever works gives notice, and that what is seen are nights.
"""
