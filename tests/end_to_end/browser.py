"""The status page in a real browser, Debian's chromium by playwright; skipped where one is missing."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page, Request

__all__ = ["AA", "AA_LARGE", "DESK", "HAND_HELD", "TEXTS", "browser_beside", "browsing", "expect"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
try:
    from playwright.async_api import async_playwright, expect
except ImportError:
    pytest.skip("the page is not looked at in a browser: playwright is not installed", allow_module_level=True)
if CHROMIUM is None:
    pytest.skip("the page is not looked at in a browser: there is no chromium here", allow_module_level=True)

DESK, HAND_HELD = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
AA, AA_LARGE = 4.5, 3.0
# Every text that can be seen, with its colours as the browser has worked them out, and how large it is.
TEXTS = """() => {
  const rgba = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reduceRight((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.body.querySelectorAll("*")].flatMap((element) => {
    const own = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join("");
    if (!own || !element.checkVisibility() || element.closest("title, noscript")) return [];
    const style = getComputedStyle(element);
    const under = ground(element);
    const ink = over(rgba(element.closest("svg") ? style.fill : style.color), under);
    const [a, b] = [light(ink.slice(0, 3)), light(under.slice(0, 3))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    return [[own, (a + 0.05) / (b + 0.05), large]];
  });
}"""
CELLS = """(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\\s+/g, " ")))"""


@dataclass
class Looked:
    """A page in a browser, and what went wrong while it was there."""

    page: "Page"
    origin: str
    wrong: list[str] = field(default_factory=list)

    async def cells(self, table: str) -> list[list[str]]:
        """The texts of a table's body."""
        found: list[list[str]] = await self.page.locator(f'[data-table="{table}"] tbody tr').evaluate_all(CELLS)
        return found

    async def live(self, name: str) -> str:
        """A live value as it is shown."""
        return (await self.page.locator(f'[data-live="{name}"]').text_content() or "").strip()

    def judge_request(self, request: "Request") -> None:
        """Everything comes from the daemon."""
        if not request.url.startswith(self.origin):
            self.wrong.append(f"asked {request.url}")


@asynccontextmanager
async def browsing(url: str, **options: Any) -> AsyncIterator[Looked]:
    """The page in a fresh browser; whatever it complains of fails the test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            context = await browser.new_context(**options)
            page = await context.new_page()
            looked = Looked(page, url)
            page.on("console", lambda message: looked.wrong.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: looked.wrong.append(f"error: {error}"))
            page.on("request", looked.judge_request)
            answer = await page.goto(url)
            assert answer is not None
            assert 200 == answer.status
            yield looked
            assert [] == looked.wrong
            assert [] == await context.cookies()
        finally:
            await browser.close()


@asynccontextmanager
async def browser_beside() -> AsyncIterator[Any]:
    """A browser that outlives the server; what it says of the lost connection is no fault."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        async def open_page(url: str) -> Looked:
            page = await browser.new_page(viewport=DESK)  # type: ignore[arg-type]  # width and height
            await page.goto(url)
            return Looked(page, url)

        try:
            yield open_page
        finally:
            await browser.close()
