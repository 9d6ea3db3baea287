"""What must hold on every page: nothing that axe finds, nothing that jumps, nothing that runs out of the window."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = ((320, 640), (768, 1024), (1280, 800), (1920, 1080))
MOST_SHIFT = 0.01  # a tenth of what is called good
SCREENS = Path(__file__).parents[2] / "docs/screens"

RUN_AXE = """async rules => {
    const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
    return found.violations.flatMap(rule => rule.nodes.map(
        node => `${rule.id} at ${node.target.join(" ")}: ${rule.help}. ${node.failureSummary}`));
}"""
SHIFTS = """() => new Promise(done => {
    const told = [];
    const take = entries => entries.filter(each => !each.hadRecentInput).forEach(each => told.push(
        [each.value, each.sources.map(source => source.node?.outerHTML?.slice(0, 80) ?? "something that is gone")]));
    const observer = new PerformanceObserver(list => take(list.getEntries()));
    observer.observe({type: "layout-shift", buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
        take(observer.takeRecords());
        done(told);
    }, 50)));
})"""
OVERFLOW = """() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    return [...document.querySelectorAll("body, body *")]
        .filter(each => each.getBoundingClientRect().right > room + 0.5)
        .map(each => each.outerHTML.slice(0, 80));
}"""


async def no_violations(page: Page) -> None:
    """Axe finds nothing against WCAG 2.2 AA and good practice, in light and in dark."""
    await page.evaluate(AXE)
    found: dict[str, list[str]] = {}
    for colors in ("light", "dark"):
        await page.emulate_media(color_scheme=colors)
        found[colors] = await page.evaluate(RUN_AXE, RULES)
    await page.emulate_media(color_scheme=None)
    assert not any(found.values()), "\n".join(f"{colors}: {each}" for colors, all_ in found.items() for each in all_)


async def no_layout_shift(page: Page) -> None:
    """Nothing jumped since the page was loaded, but within half a second of a press."""
    shifts: list[tuple[float, list[str]]] = await page.evaluate(SHIFTS)
    assert sum(value for value, _ in shifts) < MOST_SHIFT, shifts


async def fits(page: Page) -> None:
    """No window, from an old phone to a wall, needs to be scrolled sideways."""
    before = page.viewport_size
    wide: dict[int, Any] = {}
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        wide[width] = await page.evaluate(OVERFLOW)
    if before:
        await page.set_viewport_size(before)
    assert not any(wide.values()), {width: found for width, found in wide.items() if found}


async def screenshot(page: Page, name: str) -> None:
    """Keep the window as `docs/screens/<name>.png`, when the run is told to by WRITE_SCREENS=1."""
    if os.environ.get("WRITE_SCREENS") == "1":
        await page.screenshot(path=SCREENS / f"{name}.png", animations="disabled", scale="css")
