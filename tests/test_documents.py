"""Every shell and Python block of the README and of the pages that tell how to do something runs, or says why it is not run.

A block that is not run has a comment `<!-- not run: reason -->` on the line before it, which no reader of the page sees.
"""

import re
import shlex
from pathlib import Path

import pytest

from ivfnb import commands, paths
from ivfnb.datasets import dataset
from ivfnb.images import write_image

ROOT = paths.PACKAGE.parent
PAGES = ["README.md", "CONTRIBUTING.md", "data/README.md", "results/README.md"]
PAGES += sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/howto/*.md")])
FENCE = re.compile(r"^(?:<!-- not run: *(?P<why>.*?) *-->\n)?```(?P<language>[^\n]*)\n(?P<code>.*?)^```$", re.M | re.S)
RUN = ("sh", "python")
OTHERS = ("yaml", "text", "json", "{toctree}", "{eval-rst}")


def blocks(page: str) -> list[re.Match]:
    """Fenced blocks of a page."""
    return list(FENCE.finditer((ROOT / page).read_text(encoding="utf-8")))


def to_run(page: str) -> list[tuple[str, str]]:
    return [(each["language"], each["code"]) for each in blocks(page) if each["language"] in RUN and each["why"] is None]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder as a reader has it: ir.png, vis.png, fused.png and other.png, folders of them, and the checkout's data beside."""
    pair = dataset("sample", color=True)["sentinel2"]
    images = {"ir": pair.infrared[:96, :112], "vis": pair.visible[:96, :112], "fused": pair.infrared[:96, :112] // 2 + 60}
    images["other"] = images["fused"] // 2
    for name, image in images.items():
        for path in (f"{name}.png", f"{name}/1.png", f"{name}/2.png"):
            write_image(tmp_path / path, image)
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    return tmp_path


def run_line(line: str) -> None:
    """One line of a shell block, in this process."""
    words = shlex.split(line, comments=True)
    assert words[:1] == ["ivfnb"], f"only ivfnb is run here; say why this is not: {line}"
    try:
        status = commands.main(words[1:])
    except SystemExit as ended:  # --help
        status = ended.code or 0
    assert status == 0, line


@pytest.mark.parametrize("page", [page for page in PAGES if to_run(page)])
def test_blocks_run(page, folder, capsys):
    names: dict[str, object] = {"__name__": "__main__"}
    for language, code in to_run(page):
        if language == "python":
            exec(compile(code, page, "exec"), names)
        else:
            for line in code.replace("\\\n", " ").splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    run_line(line)


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_run_or_say_why_not(page):
    for block in blocks(page):
        language = block["language"].strip()
        assert language in (*RUN, *OTHERS), f"{page}: found a block of {language!r}, expected a known language: {block['code'][:40]!r}"
        if block["why"] is not None:
            assert len(block["why"].split()) > 1, f"{page}: a reason is missing before {block['code'][:40]!r}"


def test_most_of_them_run():
    run = sum(len(to_run(page)) for page in PAGES)
    skipped = sum(block["language"] in RUN and block["why"] is not None for page in PAGES for block in blocks(page))
    assert run >= 14
    assert skipped <= 25


def test_what_does_not_run_is_noticed(folder):
    with pytest.raises(AssertionError, match="say why this is not"):
        run_line("pip install something")
    with pytest.raises(AssertionError, match="no-such"):
        run_line("ivfnb score --fused no-such.png")
