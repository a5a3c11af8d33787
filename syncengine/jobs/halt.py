"""A word from above to whoever works on jobs: begin nothing more, and end what is under way.

Apart from the scheduler, of which a run may need several one after another: the word is for all of them.
"""

import anyio


class Halt:
    """Asked once, it stands for good."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    @property
    def is_asked(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._event.is_set()

    def ask(self) -> None:
        """Let whoever listens begin no further step."""
        self._event.set()

    async def wait(self) -> None:
        """Return when it has been asked."""
        await self._event.wait()
