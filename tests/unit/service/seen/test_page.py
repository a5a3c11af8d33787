"""The status page as text: what it says, and that nothing it is given can become a part of it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

from syncengine.config import GroupSettings, LimitSettings
from syncengine.exports import window
from syncengine.reports import RunSummary, StreamStatus
from syncengine.service.seen.live import values
from syncengine.service.seen.page import Page, first_day, kind_words, part
from syncengine.service.seen.snapshot import BulkJob, InstanceSnapshot, Snapshot, live_of
from syncengine.service.standing import GroupStanding, InboxStanding, Problem
from syncengine.transport.book import Spent
from syncengine.transport.use import GateUse
from tests.unit.service.seen.seen import all_seen, seen
from tests.unit.service.seen.written import NOW, night

CANARY = "<img src=x onerror=alert(1)>'\"&{{ 7 * 7 }}"
VOID = {"meta", "link", "rect", "line", "path", "img", "br", "input"}


class Read(HTMLParser):
    """The tags of a page with their attributes, the text of each element with an id or a live name, and its nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.live: dict[str, str] = {}
        self.text: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("data-live")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.wrong.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._open and (name := self._open[-1][1]):
            self.live[name] = self.live.get(name, "") + data

    @property
    def words(self) -> str:
        """All text, with single blanks between its pieces and none before a point or comma."""
        return re.sub(r" (?=[.,](?:\s|$))", "", " ".join(" ".join(self.text).split()))


def full(text: str = "leads: no room") -> Snapshot:
    """A snapshot in which every part of the page has something to say, `text` wherever a text is free."""
    use = GateUse(34, 50, 3, 5, Spent(12_345, 86_300_000), {text: 3}, NOW, NOW, frozenset({text}))
    acme = seen(
        groups=(
            GroupStanding(
                instance="acme", group="nightly", state="backing off", reason=text, next_at=NOW, next_due=NOW
            ),
            GroupStanding(instance="acme", group="assets"),
        ),
        schedule={"nightly": GroupSettings(cron="30 2 * * *", zone="Europe/Berlin")},
        nights=(night(0, "partial", problems=(text,), advice=(text,)), night(1), night(2, "failed", problems=(text,))),
        live=live_of(use, LimitSettings(share=0.5, reserve_calls=10_000), NOW),
        runs=(RunSummary("12", f"sync {text}", "done", NOW - timedelta(hours=1), NOW, 7, 3, 9),),
        streams=(
            StreamStatus("leads", NOW - timedelta(hours=2), 7_200.0, 1),
            StreamStatus("activities", None, None, 0),
        ),
        jobs=(BulkJob(queue="export", what=text, state=window.QUEUED, since=NOW),),
        inboxes=(
            InboxStanding(
                name="inbox", instance="acme", path=text, state="running", waiting=2, working=text, reason=text
            ),
        ),
        problems=tuple(Problem(NOW - timedelta(minutes=number), "acme", "nightly", text) for number in range(20)),
    )
    emea = seen("emea", journal_problem=text, destination_problem=text, live=live_of(None, LimitSettings(), NOW, text))
    return all_seen(acme, emea, problems=(Problem(NOW, "", "telling", text),), is_stopping=True, reloaded_at=NOW)


def pages() -> Iterator[tuple[Snapshot, str]]:
    """Pages with nothing, with one night, and with everything."""
    for snapshot in (all_seen(), all_seen(seen(nights=(night(),))), full()):
        yield snapshot, Page().render(snapshot)


def test_every_page_is_well_formed_and_its_ids_are_unique() -> None:
    """Every element is closed in its order; labels lead to what is there."""
    for _, text in pages():
        read = Read(text)
        assert [] == read.wrong
        ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
        assert sorted(set(ids), key=str) == sorted(ids, key=str)
        labels = {attrs["aria-labelledby"] for _, attrs in read.tags if "aria-labelledby" in attrs}
        assert labels <= set(ids)


def test_nothing_on_a_page_comes_from_elsewhere_or_runs_in_it() -> None:
    """Only this server's own style and script, no inline ones, no handler, no form, no cookie."""
    for _, text in pages():
        for tag, attrs in Read(text).tags:
            assert tag not in {"style", "form", "iframe", "img", "object", "input", "button"}
            assert not {name for name in attrs if name.startswith("on") or name == "style"}
            for name in ("src", "href"):
                assert (attrs.get(name) or "/")[0] in "/#"
                assert not (attrs.get(name) or "").startswith("//")
        assert not re.search(r"<script(?! src=\"/live\.js\" defer>)", text)


def test_whatever_a_text_holds_it_stays_text() -> None:
    """Problems, file names, reasons and holders may hold markup; the page has the tags that it has without it."""
    plain, marked = Read(Page().render(full("x"))), Read(Page().render(full(CANARY)))
    assert [tag for tag, _ in plain.tags] == [tag for tag, _ in marked.tags]
    assert CANARY in marked.words


def test_live_values_stand_where_their_names_are() -> None:
    """What the page says of them is what the events will say; every name on the page is one that they have."""
    for snapshot, text in pages():
        read, live = Read(text), values(snapshot)
        assert read.live == {name: live[name] for name in read.live}
        widths = {attrs["data-live-width"]: attrs["width"] for _, attrs in read.tags if "data-live-width" in attrs}
        assert widths == {str(name): live[str(name)] for name in widths}
        bars = 2 * len(snapshot.instances)
        assert set(live) == {*read.live, *map(str, widths), "revision"}
        assert bars == len(widths)


def test_without_scripts_the_page_renews_itself_each_minute() -> None:
    """With one it does not need to."""
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in Page().render(all_seen())


def test_the_whole_story_is_on_the_page() -> None:
    """Each part says its figures and reasons in words."""
    words = Read(Page().render(full())).words
    for said in (
        "Something is missing: nightly",
        "nightly, not whole: leads: no room",
        "12,345 of 50,000 calls",
        "86.3 MB of 500.0 MB bulk export",
        "Back at 06:00Z. 10,000 calls are left to others. We take 50 % of the rate.",
        "Marketo says that today's calls are used up: nothing of it before 2026-03-02 08:00Z.",
        "34 of 100 50 for us",
        "due Mon 2 Mar 03:30 CET",
        "Mon 2 Mar 09:00 CET 2026-03-02 08:00Z",
        "leads 2 h 00 min 2026-03-02 06:00Z 1",
        "1 of ours in the export queue, 0 in the import queue",
        "queued or running since 2026-03-02 08:00Z",
        "2 waiting, 0 done, 0 failed since the start",
        "The journal cannot be read: leads: no room",
        "The destination cannot be read: leads: no room",
        "The limits cannot be read: leads: no room",
        "Problems of the daemon itself",
        "The daemon is stopping",
        "Configuration read again 2026-03-02 08:00Z.",
    ):
        assert said in words


def test_in_summer_the_page_says_both_hours_of_the_reset() -> None:
    """The earlier reading, and the one at the latest."""
    summer = NOW.replace(month=7)
    words = Read(Page().render(all_seen(seen(live=live_of(None, LimitSettings(), summer))))).words
    assert "Back at 05:00Z, 06:00Z at the latest." in words


def test_an_index_is_there_when_there_is_more_than_one_instance() -> None:
    """With each one's verdict, so that the first screen says everything."""
    assert "<nav" not in Page().render(all_seen(seen()))
    read = Read(Page().render(all_seen(seen("acme"), seen("emea", nights=(night(0, "failed"),)))))
    assert ["#acme", "#emea"] == [attrs["href"] for tag, attrs in read.tags if tag == "a" and attrs["href"] != "/"]
    assert {"href": "/icon-bad.svg", "rel": "icon"} in [attrs for _, attrs in read.tags]


def instance_in(zone: str) -> InstanceSnapshot:
    """An instance whose group is due in a zone."""
    return seen(schedule={"nightly": GroupSettings(cron="30 2 * * *", zone=zone)})


def test_plots_show_thirty_evenings_up_to_today() -> None:
    """By the clock of the group's zone: the morning still belongs to the evening before."""
    assert NOW.date() - timedelta(days=30) == first_day(instance_in("UTC"))
    assert NOW.date() - timedelta(days=29) == first_day(instance_in("Pacific/Auckland"))
    old = replace(instance_in("UTC"), nights=tuple(night(days) for days in range(35)))
    shown = part(old)
    assert (30, date(2026, 1, 31)) == (len(shown.evenings), shown.evenings[-1].day)
    assert [30] * 4 == [each.drawing.count("<g ") for each in shown.figures]
    assert ["Rows moved", "Calls", "Export, MB", "Duration, min"] == [each.caption for each in shown.figures]


def test_long_nights_are_drawn_in_hours() -> None:
    """Nobody reads 400 minutes."""
    long = night(ended_at=night().began_at + timedelta(hours=5))
    assert "Duration, h" == part(seen(nights=(long,))).figures[-1].caption


def test_a_run_is_named_in_a_few_words() -> None:
    """A table has no room for the names of twenty streams."""
    assert "sync leads, activities" == kind_words("sync leads+activities")
    assert "sync 4 streams" == kind_words("sync a+b+c+d")
    assert "night of nightly" == kind_words("night nightly")
    assert "import leads" == kind_words("import leads")


def test_a_tab_says_how_it_is_by_its_title_and_its_icon() -> None:
    """One bad instance among good ones is what counts; before the first night nothing is praised."""
    new, good, bad = seen("a"), seen("b", nights=(night(),)), seen("c", nights=(night(0, "failed"),))
    for instances, title, icon in (
        ((new,), "No night yet", "good"),
        ((new, good), "Good", "good"),
        ((new, good, bad), "Something is missing", "bad"),
    ):
        text = Page().render(all_seen(*instances))
        assert f"<title>{title} · syncengine</title>" in text
        assert f'href="/icon-{icon}.svg"' in text
