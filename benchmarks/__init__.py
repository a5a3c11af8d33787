"""Measurements, apart from the tests: what depends on the machine is printed here and never asserted there.

`saturation` lets real processes press on the sandbox's limits: the engine alone, three of it on one state folder, and
two limiters that others use. `pipeline` measures how fast a file becomes rows, and what memory that takes.
`imports` brings a million people into the sandbox and compares each. `instance` measures the sandbox itself. Run all
with `make bench`, one with `python -m benchmarks NAME`.
"""
