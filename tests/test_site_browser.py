"""The finished site in a browser with the network off, on a screen and on a telephone: `make site` comes first in `.ci/run`."""

from pathlib import Path

import pytest

from ivfnb import paths

SITE = paths.root() / "site"
# what reaches beyond the screen, unless something around it scrolls or cuts
BEYOND = """width => [...document.querySelectorAll("article *")].filter(element => {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.right <= width + 1) return false;
    for (let around = element.parentElement; around; around = around.parentElement)
        if (getComputedStyle(around).overflowX !== "visible") return false;
    return true;
}).map(element => element.outerHTML.slice(0, 80))"""
BROKEN = "() => [...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"


class Reader:
    """Someone who opens pages without a network, on a screen of some width."""

    def __init__(self, browser, width: int):
        self.width, self.told = width, list[str]()
        self.page = browser.new_context(viewport={"width": width, "height": 900}, offline=True).new_page()
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda message: self.told.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.told.append(str(error)))

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.told.append(f"asks for {url}")

    def faults(self, path: Path) -> list[str]:
        """What is wrong on a page."""
        self.told.clear()
        self.page.goto(path.as_uri())
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        self.told += [f"{wide} pixels wide"] * (wide > self.width)
        self.told += [f"beyond the screen: {each}" for each in self.page.evaluate(BEYOND, self.width)]
        self.told += [f"no image: {each}" for each in self.page.evaluate(BROKEN)]
        return [f"{path.name} at {self.width}: {each}" for each in self.told]


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_the_screen_and_asks_for_nothing(browser, width):
    pages = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
    if not pages:
        pytest.skip("no site here: make site")
    reader = Reader(browser, width)
    assert [fault for path in pages for fault in reader.faults(path)] == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p style='width:500px'>x</p>", "beyond the screen: <p style"),
        ("<div style='overflow-x:auto'><p style='width:500px'>x</p></div>", ""),
        ("<img src='absent.png'>", "no image: file:"),
        ("<img src='https://elsewhere.org/i.png'>", "asks for https://elsewhere.org/i.png"),
        ("<script>throw new Error('here')</script>", "here"),
    ],
)
def test_faults_are_noticed(browser, tmp_path, body, said):
    (tmp_path / "a.html").write_text(f"<!doctype html><body><article>{body}</article></body>")
    found = "\n".join(Reader(browser, 390).faults(tmp_path / "a.html"))
    assert said in found if said else not found
