"""The status page in a real browser: its figures are the journal's, on a desk and in a hand, scripts or not."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncengine.clock import SystemClock
from syncengine.config import GroupSettings, LimitSettings, Secret, Settings
from syncengine.service.schedule.nights import NightReport, StreamNight
from syncengine.service.seen.metrics import Metrics
from syncengine.service.seen.snapshots import Snapshots
from syncengine.service.seen.web import serving
from syncengine.service.standing import GroupStanding, InboxStanding, Problem, Standings
from tests.end_to_end.browser import AA, AA_LARGE, DESK, HAND_HELD, TEXTS, browser_beside, browsing, expect
from tests.unit.service.seen.written import (
    NOW,
    Hand,
    calling,
    journal_of,
    night,
    settings_of,
    standings,
    write_night,
)

OUTCOMES = {3: "partial", 9: "failed", 14: "stopped", 20: "skipped", 26: "interrupted"}
WORDS = {
    "done": "whole",
    "partial": "not whole",
    "failed": "failed",
    "stopped": "stopped, over its time",
    "skipped": "skipped",
    "interrupted": "interrupted",
}


@asynccontextmanager
async def served(settings: tuple[Settings, ...], known: Standings, **more: Any) -> AsyncIterator[str]:
    """The daemon's site over a state folder, at NOW by its instances' clock."""
    hand = Hand()
    clocks = {each.instance.name: hand.clock for each in settings}
    snapshots = Snapshots(settings, known, clocks, clock=SystemClock())
    given = {"token": None, "metrics": Metrics(), "heartbeat": lambda: True} | more
    async with serving("127.0.0.1:0", snapshots=snapshots, **given) as url:
        yield url


def nights() -> list[NightReport]:
    """Thirty-five nights of one group and five of another, each with figures of its own; some are not whole."""
    found = []
    for days in range(34, -1, -1):
        outcome = OUTCOMES.get(days, "done")
        began = night(days).began_at
        streams = {
            "leads": StreamNight(rows=1_200 + 7 * days, inserted=100 + days, changed=250, bytes=3_400_000 + days),
            "activities": StreamNight(rows=80_000 - days, inserted=7_900, bytes=21_000_000 + 70_000 * days),
        }
        found.append(
            night(
                days,
                outcome,
                streams=streams if outcome in {"done", "partial"} else {},
                calls=400 + 3 * days,
                problems=() if outcome == "done" else (f"<b>leads</b>: no room, {days} days ago",),
                ended_at=began + timedelta(minutes=30 + days),
            )
        )
        if days % 7 == 1:
            assets = night(days, group="assets", calls=42, streams={}, began_at=began + timedelta(hours=1))
            found.append(replace(assets, ended_at=assets.began_at + timedelta(minutes=5)))
    return found


async def written(folder: Path) -> tuple[Settings, ...]:
    """A state folder of two instances: the nights of acme, syncs among them, and nothing yet of emea."""
    schedule = {
        "nightly": GroupSettings(cron="30 2 * * *"),
        "assets": GroupSettings(cron="30 3 * * 0", zone="Europe/Berlin"),
    }
    settings = settings_of(folder, "acme", "emea", schedule=schedule, limits=LimitSettings(reserve_calls=10_000))
    hand = Hand()
    async with journal_of(settings[0], hand) as journal:
        for account in nights():
            hand.stand_at(account.began_at)
            run = await journal.begin_run("acme", "sync leads+activities", {"streams": ["leads", "activities"]})
            hand.stand_at(account.began_at + timedelta(minutes=3))
            report = {"streams": [{"rows": 9, "inserted": 4, "changed": 1}], "calls": account.calls}
            await journal.end_run(run, "done", report)
            await write_night(journal, hand, account)
    return settings


def known() -> Standings:
    """Where the daemon stands: one group backs off, one folder has files, and something went wrong."""
    found = standings()
    reason = "The destination is in use by another process."
    found.groups["acme", "nightly"] = GroupStanding(
        instance="acme", group="nightly", state="backing off", reason=reason, next_at=NOW, next_due=NOW
    )
    path = "/srv/a/very/long/path/without/any/blank/to/a/watched/folder/of/the/marketing/department/inbox"
    found.inboxes["inbox"] = InboxStanding(name="inbox", instance="acme", path=path, waiting=2, done=14)
    found.problems.append(Problem(NOW, "acme", "nightly", "x" * 200))
    return found


@dataclass
class Account:
    """What the journal says of an evening, read without the engine."""

    rows: int = 0
    moved: int = 0
    calls: int = 0
    size: int = 0
    minutes: int = 0
    outcomes: list[str] = field(default_factory=list)

    @property
    def cells(self) -> list[str]:
        """As a table shows it."""
        worst = next(
            each for each in ("failed", "interrupted", "stopped", "partial", "skipped", "done") if each in self.outcomes
        )
        figures = [f"{self.rows:,}", f"{self.moved:,}", f"{self.calls:,}", f"{self.size / 1e6:,.1f} MB"]
        return [WORDS[worst], *figures, f"{self.minutes} min"]


def runs_of(settings: Settings) -> list[tuple[Any, ...]]:
    """The rows of the journal's runs of acme, newest first."""
    with sqlite3.connect(settings.state.path / "journal.db") as connection:
        found = connection.execute(
            "SELECT id, kind, detail, started_at, ended_at, outcome, report FROM runs WHERE instance = 'acme'"
            " ORDER BY id DESC"
        ).fetchall()
    connection.close()
    return found


def evenings_of(settings: Settings) -> dict[date, Account]:
    """The nights of the journal by evening, newest first, over the last thirty evenings."""
    found: dict[date, Account] = {}
    for _, kind, detail, began, ended, outcome, report in runs_of(settings):
        if not kind.startswith("night "):
            continue
        due = datetime.fromisoformat(json.loads(detail)["due"])
        account = found.setdefault((due - timedelta(hours=12)).date(), Account())
        for counts in json.loads(report)["streams"].values():
            account.rows += counts["rows"]
            account.moved += counts["inserted"] + counts["changed"]
            account.size += counts["bytes"]
        account.calls += json.loads(report)["calls"]
        account.minutes += round((instant(ended) - instant(began)).total_seconds() / 60)
        account.outcomes.append(outcome)
    return {day: account for day, account in found.items() if day > NOW.date() - timedelta(days=31)}


def instant(text: str) -> datetime:
    """An instant of the journal."""
    return datetime.fromisoformat(text).astimezone(UTC)


def day_text(day: date) -> str:
    """A day as the page shows it."""
    return f"{day:%a} {day.day} {day:%b}"


async def test_every_figure_is_the_journals(tmp_path: Path) -> None:
    """Headline, nights, bars and runs, against what SQLite holds; and the metrics say the same."""
    settings = await written(tmp_path)
    evenings = evenings_of(settings[0])
    last, newest = next(iter(evenings.items()))
    async with served(settings, known()) as url, browsing(url, viewport=DESK) as looked:
        shown = [row[:7] for row in await looked.cells("acme.nights")]
        assert [[day_text(day), *account.cells] for day, account in evenings.items()] == shown
        assert 30 == len(shown)
        costs = {
            name: await looked.page.locator(f'[data-figure="acme.{name}"]').inner_text()
            for name in ("moved", "calls", "export", "took")
        }
        _, _, moved, calls, export, took = newest.cells
        assert {"moved": moved, "calls": calls, "export": export, "took": took} == costs
        titles = await looked.page.locator("#acme figure g.night > title").all_text_contents()
        for place, account in enumerate(reversed(evenings.values())):
            words, _, moved, calls, export, took = account.cells
            for plot, figure in enumerate((f"{moved} rows moved", f"{calls} calls", f"{export} exported", took)):
                title = titles[30 * plot + place]
                assert f"{figure}; {words}" in title
        runs = runs_of(settings[0])[:20]
        assert [str(run[0]) for run in runs] == [row[0] for row in await looked.cells("acme.runs")]
        assert [run[5] for run in runs] == [row[4] for row in await looked.cells("acme.runs")]
        assert [f"{json.loads(run[6])['calls']:,}" for run in runs] == [
            row[7] for row in await looked.cells("acme.runs")
        ]
        assert [f"{json.loads(run[6])['rows']:,}" for run in runs if run[1].startswith("night")] == [
            row[5] for row in await looked.cells("acme.runs") if row[1].startswith("night")
        ]
        metrics = await (await looked.page.request.get(f"{url}metrics")).text()
        wanted = f'syncengine_night_calls{{group="nightly",marketo_instance="acme"}} {newest.calls}.0'
        assert wanted in metrics
        assert day_text(last) in await looked.page.locator("#acme .cost").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_fits_and_can_be_read(tmp_path: Path, scheme: Any) -> None:
    """At 1280 and at 360 pixels nothing sticks out, and every text has the contrast of WCAG AA."""
    settings = await written(tmp_path)
    async with served(settings, known()) as url, browsing(url, viewport=DESK, color_scheme=scheme) as looked:
        await looked.page.get_by_text("The same as a table").first.click()
        for size in (DESK, HAND_HELD):
            await looked.page.set_viewport_size(size)  # type: ignore[arg-type]  # width and height
            widths = await looked.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert [size["width"]] * 2 == widths
            outside = await looked.page.evaluate(
                "(width) => [...document.querySelectorAll('main *')].filter((e) => !e.closest('.scrolls') &&"
                " e.getBoundingClientRect().right > width + 0.5).map((e) => e.outerHTML.slice(0, 80))",
                size["width"],
            )
            assert [] == outside
            texts = await looked.page.evaluate(TEXTS)
            assert len(texts) > 200
            assert [] == [text for text in texts if text[1] < (AA_LARGE if text[2] else AA)]


async def test_without_scripts_the_page_is_whole(tmp_path: Path) -> None:
    """The same texts, and it says that it is not live; what a problem's text holds is text."""
    settings = await written(tmp_path)
    async with served(settings, known()) as url:
        async with browsing(url, viewport=HAND_HELD, java_script_enabled=False) as looked:
            text = await looked.page.locator("body").inner_text()
            assert "Something is missing" not in await looked.page.title()
            assert "Last night was good" in text
            assert "No night has ended yet" in text
            assert "not live: the page is renewed each minute" in text
            assert "<b>leads</b>: no room, 3 days ago" in (await looked.page.content()).replace("&lt;", "<").replace(
                "&gt;", ">"
            )
            without = await looked.cells("acme.nights")
        async with browsing(url, viewport=HAND_HELD) as looked:
            assert without == await looked.cells("acme.nights")


async def test_live_values_follow_what_happens(tmp_path: Path) -> None:
    """A call that begins is seen without a reload; the page says that it is live, and when it no longer is."""
    settings = await written(tmp_path)
    hand = Hand()
    async with browser_beside() as open_page:
        async with served(settings, known()) as url:
            looked = await open_page(url)
            state = looked.page.locator("#live-state")
            await expect(state).to_have_text("live")
            assert ("0", "nobody") == (await looked.live("acme.in_flight"), await looked.live("acme.holders"))
            async with calling(settings[0], hand.clock, holder="pid 7 on etl"):
                await expect(looked.page.locator('[data-live="acme.in_flight"]')).to_have_text("1")
                assert ("1", "pid 7 on etl (1)", "1") == (
                    await looked.live("acme.window"),
                    await looked.live("acme.holders"),
                    await looked.live("acme.calls"),
                )
            bar = looked.page.locator('[data-live-width="acme.calls.bar"]')
            assert "0.00" == await bar.get_attribute("width")
        await expect(state).to_have_text("not live, trying again")


async def test_a_keyboard_and_a_token_are_enough(tmp_path: Path) -> None:
    """The browser asks for the token as a password; whoever tabs through the page sees where they are."""
    settings, token = await written(tmp_path), Secret("a-token-of-some-length")
    credentials = {"username": "anybody", "password": token.reveal()}
    async with (
        served(settings, known(), token=token) as url,
        browsing(url, viewport=DESK, http_credentials=credentials) as looked,
    ):
        await expect(looked.page.locator("#live-state")).to_have_text("live")
        seen = []
        for _ in range(5):
            await looked.page.keyboard.press("Tab")
            seen.append(
                await looked.page.evaluate(
                    "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle,"
                    " parseFloat(getComputedStyle(document.activeElement).outlineWidth)]"
                )
            )
        assert ["A", "A", "SUMMARY", "DIV", "SUMMARY"] == [each[0] for each in seen]
        assert {("solid", 3)} == {(each[1], each[2]) for each in seen}
