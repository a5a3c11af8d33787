"""One observer made of several: a listener that fails is let go, and the engine never notices."""

import logging

from syncengine.observe.events import Event, Observer


class Observers:
    """Tells every subscriber of every event in the order given; one that raises is told nothing more."""

    def __init__(self, *subscribers: Observer) -> None:
        self._subscribers = list(subscribers)

    def __call__(self, event: Event) -> None:
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(event)
            except Exception as error:  # noqa: BLE001  # a full log disk or a closed terminal must not end a sync
                self._subscribers.remove(subscriber)
                # The class alone: messages of foreign errors may quote what they choked on.
                logging.getLogger(__name__).warning("an observer failed and is let go: %s", type(error).__name__)
