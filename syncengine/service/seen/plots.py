"""Bars, one an evening, as SVG that we write ourselves: no library, no script, and colours that the page's style gives.

A night that was not whole is told by the shape over its bar and the pattern in it, and in words when it is pointed at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

from markupsafe import Markup

from syncengine.service.seen.figures import day, short

# Drawn at about the size at which it is shown, so that its letters are neither large nor small there.
WIDTH, HEIGHT = 320, 148
LEFT, RIGHT, TOP, BOTTOM = 40, 4, 18, 18
BAR_SHARE = 0.72
MARK = 3.2
# What the shape over a bar says.
SHAPES = {
    "done": "",
    "": "running",
    "paused": "partial",
    "partial": "partial",
    "skipped": "skipped",
    "stopped": "failed",
    "interrupted": "failed",
    "failed": "failed",
}
FILLS = {"": "bar", "partial": "hatched", "running": "hollow", "failed": "hollow", "skipped": "hollow"}
NICE = (1, 2, 4, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """One evening: its figure, None for an evening without a night, how its nights ended, and all of it in words."""

    day: date
    value: float | None
    outcome: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A series of evenings, oldest first; `key` is unique on the page."""

    key: str
    title: str
    bars: Sequence[Bar]


def draw(plot: Plot) -> Markup:
    """The plot as an SVG element; it needs `defs()` on the same page."""
    top = ceiling(max((bar.value or 0.0 for bar in plot.bars), default=0.0))
    parts = [
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{}">').format(WIDTH, HEIGHT, plot.key)
    ]
    parts.append(Markup('<title id="{}">{}</title>').format(plot.key, plot.title))
    parts += [_line(top, share) for share in (0.0, 0.5, 1.0)]
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(plot.bars))
    parts += [_bar(bar, LEFT + slot * place, slot, top) for place, bar in enumerate(plot.bars)]
    parts += _days(plot.bars, slot)
    return Markup("").join([*parts, Markup("</svg>")])


def defs() -> Markup:
    """The pattern that the plots of a page share."""
    return Markup(
        '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
        '<pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatch-ground" width="4" height="4"/><rect class="hatch-line" width="2" height="4"/>'
        "</pattern></defs></svg>"
    )


def legend() -> Markup:
    """What the shapes mean."""
    words = (("", "whole"), ("partial", "not whole"), ("failed", "failed or stopped"), ("skipped", "skipped"))
    parts = []
    for shape, word in words:
        ground = Markup('<rect class="{}" x="4" y="8" width="8" height="8"/>').format(FILLS[shape])
        parts.append(
            Markup('<li><svg class="key" viewBox="0 0 16 17" aria-hidden="true">{}{}</svg>{}</li>').format(
                ground, _mark(shape, 8, 4), word
            )
        )
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(parts))


def ceiling(most: float) -> float:
    """The round number at the top of the axis: the smallest that is not below the largest value."""
    if most <= 0:
        return 1.0
    power = 10 ** floor(log10(most))
    return float(next((nice * power for nice in NICE if nice * power >= most), ceil(most)))


def _height(value: float, top: float) -> float:
    return (HEIGHT - TOP - BOTTOM) * value / top


def _line(top: float, share: float) -> Markup:
    y = HEIGHT - BOTTOM - _height(top * share, top)
    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
        "grid" if share else "axis", LEFT, WIDTH - RIGHT, y, y
    )
    text = Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
        LEFT - 5, y + 3.5, short(top * share)
    )
    return line + text


def _bar(bar: Bar, x: float, slot: float, top: float) -> Markup:
    if bar.value is None:
        return Markup("")
    shape = SHAPES.get(bar.outcome, "failed")
    height = _height(bar.value, top)
    ground, left, width = HEIGHT - BOTTOM, x + slot * (1 - BAR_SHARE) / 2, slot * BAR_SHARE
    drawn = Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
        FILLS[shape], left, ground - height, width, height
    )
    # The whole column can be pointed at, however small its bar.
    column = Markup('<rect class="column" x="{:.2f}" y="{}" width="{:.2f}" height="{}"/>').format(
        x, TOP - 14, slot, ground - TOP + 14
    )
    mark = _mark(shape, x + slot / 2, ground - height - 6)
    return Markup('<g class="night" data-outcome="{}"><title>{}</title>{}{}{}</g>').format(
        bar.outcome or "running", bar.words, column, drawn, mark
    )


def _mark(shape: str, x: float, y: float) -> Markup:
    match shape:
        case "partial":
            path = f"M{x:.2f} {y - MARK:.2f}l{MARK} {MARK * 2}h-{MARK * 2}z"
        case "failed":
            path = f"M{x - MARK:.2f} {y - MARK:.2f}l{MARK * 2} {MARK * 2}m0 -{MARK * 2}l-{MARK * 2} {MARK * 2}"
        case "skipped":
            path = f"M{x - MARK:.2f} {y:.2f}h{MARK * 2}"
        case _:
            return Markup("")
    return Markup('<path class="mark {}" d="{}"/>').format(shape, path)


def _days(bars: Sequence[Bar], slot: float) -> list[Markup]:
    """The first day, the one in the middle, and the last."""
    if not bars:
        return []
    places = {0: "start", len(bars) // 2: "middle", len(bars) - 1: "end"}
    found = []
    for place, anchor in places.items():
        x = {"start": LEFT, "middle": LEFT + slot * (place + 0.5), "end": WIDTH - RIGHT}[anchor]
        found.append(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                x, HEIGHT - 4, anchor, day(bars[place].day).partition(" ")[2]
            )
        )
    return found
