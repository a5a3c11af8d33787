"""What the verbs have in common: the configuration, JSON for programs, tracebacks for those who mend us."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from syncengine.cli.screen import Screen

if TYPE_CHECKING:
    from syncengine.config import Settings

Full = Annotated[tuple[str, ...], Parameter(name="--full", negative="", show_default=False)]

COMMON = Group("Common", sort_key=9)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """How a command speaks."""

    json: Annotated[bool, Parameter(negative="", show_default=False, group=COMMON)] = False
    """Print one JSON value on standard output instead of tables."""

    debug: Annotated[bool, Parameter(negative="", show_default=False, group=COMMON)] = False
    """Show the traceback of an error too (also SYNCENGINE_DEBUG=1)."""

    def screen(self) -> Screen:
        """Where to print."""
        return Screen(as_json=self.json)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Common(Printing):
    """How a command that works on an instance is told which, and how it speaks."""

    config: Annotated[Path | None, Parameter(name=["--config", "-c"], group=COMMON)] = None
    """The configuration: a TOML file. Default: SYNCENGINE_CONFIG, else ./syncengine.toml."""

    instance: Annotated[str | None, Parameter(name=["--instance", "-i"], group=COMMON)] = None
    """Which instance, where the configuration has several."""

    def settings(self) -> "Settings":
        """The configuration that applies. Raises ConfigError."""
        from syncengine.config import find, load

        return load(find(self.config), self.instance)

    def all_settings(self) -> "tuple[Settings, ...]":
        """The configuration of every instance, or of the one that is named. Raises ConfigError."""
        from syncengine.config import find, load_all
        from syncengine.config.reading import chosen

        found = load_all(find(self.config))
        return found if self.instance is None else (chosen(found, self.instance),)
