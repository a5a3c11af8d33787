"""The status page as HTML: a snapshot put into a template that escapes whatever it is given.

The page is whole without scripts. What it decides is only how things are called; what is worth a word at its top is
decided in `headline`, and figures become texts in `figures`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from syncengine.service.schedule.nights import evening_of
from syncengine.service.seen import figures, plots
from syncengine.service.seen.bulk import WORDS
from syncengine.service.seen.headline import OUTCOMES, Headline, headline
from syncengine.service.seen.live import values
from syncengine.service.seen.plots import Bar, Plot
from syncengine.service.seen.snapshot import NIGHTS_SHOWN, Evening, InstanceSnapshot, Snapshot, evenings, took

if TYPE_CHECKING:
    from jinja2 import Template

NAMED_MAX = 3
PROBLEMS_SHOWN = 12
# Nights that take longer are drawn in hours.
LONG_SECONDS = 3 * 3600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing and what stands over it."""

    caption: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Part:
    """What the template says of one instance beside its snapshot."""

    headline: Headline
    evenings: tuple[Evening, ...]
    figures: tuple[Figure, ...]


@dataclass(slots=True)
class Page:
    """The template, read when the first page is asked for."""

    _template: "Template | None" = field(default=None, init=False)

    def render(self, snapshot: Snapshot) -> str:
        """The whole page."""
        if self._template is None:
            self._template = _template()
        parts = {each.name: part(each) for each in snapshot.instances}
        moods = {each.headline.mood for each in parts.values()}
        return self._template.render(
            snapshot=snapshot,
            parts=parts,
            live=values(snapshot),
            mood=next((mood for mood in ("bad", "good") if mood in moods), "new"),
            defs=plots.defs(),
            legend=plots.legend(),
        )


def part(instance: InstanceSnapshot) -> Part:
    """One instance's headline, evenings and plots."""
    found = tuple(each for each in evenings(instance) if each.day >= first_day(instance))
    return Part(headline(instance), found, _plots(instance, found))


def first_day(instance: InstanceSnapshot) -> date:
    """The oldest evening that is shown."""
    zones = [group.zone for group in instance.schedule.values()]
    return evening_of(instance.at, zones[0] if zones else "UTC") - timedelta(days=NIGHTS_SHOWN - 1)


def _plots(instance: InstanceSnapshot, shown: tuple[Evening, ...]) -> tuple[Figure, ...]:
    by_day = {each.day: each for each in shown}
    days = [first_day(instance) + timedelta(days=number) for number in range(NIGHTS_SHOWN)]
    # A group of a zone further east may have begun an evening that is still to come elsewhere.
    days += sorted(late for late in by_day if late > days[-1])

    longest = max((each.seconds for each in shown), default=0.0)
    unit, seconds = ("h", 3600.0) if longest > LONG_SECONDS else ("min", 60.0)

    def plot(key: str, what: str, value: Callable[[Evening], float], words: Callable[[Evening], str]) -> Figure:
        bars = [_bar(at, by_day.get(at), value, words) for at in days]
        title = f"{what} of each night, {figures.day(days[0])} to {figures.day(days[-1])}"
        return Figure(what, plots.draw(Plot(key=f"{instance.name}-{key}", title=title, bars=bars)))

    return (
        plot("moved", "Rows moved", lambda each: each.moved, lambda each: f"{figures.count(each.moved)} rows moved"),
        plot("calls", "Calls", lambda each: each.calls, lambda each: f"{figures.count(each.calls)} calls"),
        plot(
            "export",
            "Export, MB",
            lambda each: each.export_bytes / figures.MEGABYTE,
            lambda each: f"{figures.megabytes(each.export_bytes)} exported",
        ),
        plot(
            "took",
            f"Duration, {unit}",
            lambda each: each.seconds / seconds,
            lambda each: f"took {figures.span(each.seconds)}",
        ),
    )


def _bar(at: date, evening: Evening | None, value: Callable[[Evening], float], words: Callable[[Evening], str]) -> Bar:
    if evening is None:
        return Bar(at, None, "", "")
    problem = next((night.problems[0] for night in evening.last_words if night.problems and not night.is_whole), "")
    said = f"{figures.day(at)}: {words(evening)}; {outcome_word(evening.outcome)}"
    return Bar(at, value(evening), evening.outcome, f"{said}: {problem}" if problem else said)


def outcome_word(outcome: str) -> str:
    """How a night or a run ended, for people."""
    return OUTCOMES.get(outcome, outcome)


def kind_words(kind: str) -> str:
    """What a run worked on, in a few words."""
    verb, _, names = kind.partition(" ")
    number = names.count("+") + 1
    if number > NAMED_MAX:
        return f"{verb} {number} streams"
    return f"{verb} of {names}" if verb == "night" else kind.replace("+", ", ")


def tone(outcome: str) -> str:
    """How an outcome is coloured; each has words of its own, too."""
    if outcome in {"done", "waiting", "whole"}:
        return "good"
    if outcome in {"", "running"}:
        return "busy"
    return "warn" if outcome in {"partial", "paused", "skipped", "backing off", "off"} else "bad"


def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("syncengine.service.seen"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "count": figures.count,
        "mb": figures.megabytes,
        "span": figures.span,
        "utc": figures.utc,
        "clock_utc": figures.clock_utc,
        "local": figures.local,
        "machine": figures.machine,
        "day": figures.day,
        "percent": figures.percent,
        "took": took,
        "outcome_word": outcome_word,
        "kind_words": kind_words,
        "tone": tone,
        "state_word": lambda state: WORDS.get(state, state),
    }
    environment.filters.update(filters)
    environment.globals["problems_shown"] = PROBLEMS_SHOWN
    return environment.get_template("page.html")
