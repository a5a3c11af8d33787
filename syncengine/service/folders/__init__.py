"""Watched folders. In reading order: `drops` (what lies in a folder, and what of it is whole), `sidecar` (how a file is
imported), `drop_moves` (each step on disk), `drop_report` (how a drop ended, for people), `inbox` (one folder, file by
file), `watching` (the folder with an engine, for ever).
"""
