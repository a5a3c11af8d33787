"""Bars that tell how a night ended by more than their colour."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from syncengine.service.schedule.nights import OUTCOMES
from syncengine.service.seen.plots import BOTTOM, HEIGHT, TOP, WIDTH, Bar, Plot, ceiling, defs, draw, legend

DAY = date(2026, 2, 1)


def drawn(bars: Sequence[Bar], title: str = "Calls") -> ET.Element:
    """The plot, as what a browser reads."""
    return ET.fromstring(draw(Plot(key="acme-calls", title=title, bars=bars)))  # noqa: S314  # our own text


def bar(value: float | None = 10.0, outcome: str = "done", words: str = "words") -> Bar:
    """One evening."""
    return Bar(DAY, value, outcome, words)


def test_each_night_is_a_bar_of_its_height_with_its_words() -> None:
    """Half the figure is half the bar, and whoever points at it reads the figure."""
    plot = drawn([bar(100.0, words="100 calls"), bar(50.0, words="50 calls"), bar(0.0), bar(None)])
    nights = plot.findall("g")
    assert ["100 calls", "50 calls", "words"] == [night.findtext("title") for night in nights]
    heights = [float(night.findall("rect")[1].attrib["height"]) for night in nights]
    assert [HEIGHT - TOP - BOTTOM, (HEIGHT - TOP - BOTTOM) / 2, 0.0] == heights


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_night_that_was_not_whole_has_a_shape_and_a_pattern(outcome: str) -> None:
    """Colour alone says nothing to some, and to a printer."""
    (night,) = drawn([bar(outcome=outcome)]).findall("g")
    shapes, fill = night.findall("path"), night.findall("rect")[1].attrib["class"]
    assert (outcome == "done") == (not shapes)
    assert (outcome == "done") == (fill == "bar")


def test_axes_have_numbers_and_days() -> None:
    """From nothing to a round number that holds all bars; first, middle and last day."""
    days = [Bar(DAY + timedelta(days=number), 90.0, "done", "") for number in range(30)]
    assert ["0", "50", "100", "1 Feb", "16 Feb", "2 Mar"] == [each.text for each in drawn(days).findall("text")]


def test_the_plot_has_a_name_and_escapes_what_it_is_given() -> None:
    """A problem's text may hold anything."""
    plot = drawn([bar(words='<script>&"')], title="<Calls>")
    assert ("<Calls>", "acme-calls") == (plot.findtext("title"), plot.attrib["aria-labelledby"])
    assert '<script>&"' == plot.findall("g")[0].findtext("title")
    assert "<script>" not in draw(Plot(key="k", title="t", bars=[bar(words="<script>")]))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=31), st.sampled_from(OUTCOMES))
def test_every_bar_stays_within_the_plot(values: list[float | None], outcome: str) -> None:
    """Whatever the figures are, nothing is drawn below the axis, above the top or beside it."""
    for rect in drawn([bar(value, outcome) for value in values]).iter("rect"):
        x, y = float(rect.attrib["x"]), float(rect.attrib["y"])
        assert 0 <= x <= x + float(rect.attrib["width"]) <= WIDTH
        assert 0 <= y <= y + float(rect.attrib["height"]) <= HEIGHT - BOTTOM + 0.02


@given(st.floats(1e-6, 1e15))
def test_the_top_of_the_axis_is_round_and_holds_the_largest(most: float) -> None:
    """Not below it, and not so far above that the bars are small."""
    assert most <= ceiling(most) <= 2.01 * most


def test_nothing_at_all_still_has_an_axis() -> None:
    """A plot before the first night is empty, and no fault."""
    assert 1.0 == ceiling(0.0)
    assert ["0", "0.5", "1"] == [each.text for each in drawn([]).findall("text")]


@pytest.mark.parametrize("part", [defs(), legend()])
def test_what_plots_share_is_well_formed(part: Markup) -> None:
    """Pattern and legend stand once on a page."""
    assert len(ET.fromstring(part))  # noqa: S314  # our own text
