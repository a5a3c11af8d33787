"""Events and those who listen to them: `events` are told by the engine, `logs` and `progress` subscribe.

On the lowest floor, so that every room may tell and no room knows who listens.
"""

from syncengine.observe.observers import Observers

__all__ = ["Observers"]
