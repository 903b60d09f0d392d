"""What of the full run stands on the pages: tables that sort, figures, and what made them."""

import csv
import html
import re
from pathlib import Path

from PIL import Image

from ivfnb import files, paths

from .links import label

PAPER = paths.root() / "results" / "paper"
_TABLE = re.compile(r"<table>.*?</table>", re.S)
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?")
PHOTOGRAPH = 1 << 16  # colours
_CAPTION = re.compile(r"<caption>(.*?)</caption>", re.S)
FORMATS = (".csv", ".md", ".tex")


def raw(text: str) -> str:
    """HTML as a block of Markdown that is handed on as it is."""
    return f"````{{raw}} html\n{text}\n````\n"


def _digits(text: str) -> str:
    """A number with five digits, anything else as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.5g}" if "." in text or "e" in text else text


def _of_csv(path: Path) -> str:
    """A table that has no HTML of its own."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)

    def cell(text: str) -> str:
        shown = _digits(text)
        kind = ' class="number"' if _NUMBER.fullmatch(shown) else ""
        return f"<td{kind}>{html.escape(shown)}</td>"

    head = "".join(f"<th>{html.escape(each)}</th>" for each in header)
    body = "\n".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def table(path: Path, page: str) -> str:
    """A table of the run: it sorts by the heading that is clicked, and its files can be had."""
    own = path.with_suffix(".html")
    text = _TABLE.search(own.read_text(encoding="utf-8"))[0] if own.is_file() else _of_csv(path.with_suffix(".csv"))
    caption = "".join(_CAPTION.findall(text))  # outside the part that scrolls
    text = _CAPTION.sub("", text).replace("<table>", f'<table class="sortable" aria-label="{caption}">', 1)
    text = re.sub(r"<td>([0-9a-f]{10})[0-9a-f]{30}</td>", r"<td>\1</td>", text)  # a commit is known by its beginning
    text = re.sub(r"<td>([^<]{100,})</td>", r'<td class="long">\1</td>', text)
    text = re.sub(r"<td>([^<]{30,})</td>", r'<td class="text">\1</td>', text)
    up = "../" * page.count("/")
    named = [path.with_suffix(suffix) for suffix in FORMATS if path.with_suffix(suffix).is_file()]
    links = " ".join(f'<a href="{up}_static/tables/{file.name}">{file.suffix[1:]}</a>' for file in named)
    told, offered = f'<p class="table-caption">{caption}</p>', f'<p class="files">{path.stem}: {links}</p>'
    block = raw(f'{told}\n<div class="table-wrap" id="{label(path.stem)}">{text}</div>\n{offered}')
    return f"({label(path.stem)})=\n{block}"


def figure(name: str, words: str, page: str) -> str:
    """A figure of the run, with the words for those who do not see it."""
    return f"![{words}]({'../' * page.count('/')}figures/{name}.{_form(PAPER / 'figures' / f'{name}.png')})\n"


def _form(path: Path) -> str:
    """Format in which a figure is shown: photographs have more colours than a palette holds."""
    return "jpg" if Image.open(path).convert("RGB").getcolors(PHOTOGRAPH) is None else "png"


def write_figures(into: Path) -> None:
    """Figures of the run as pages show them: charts with a palette, figures of photographs as JPEG, which takes a third of the room."""
    for path in sorted((PAPER / "figures").glob("*.png")):
        image = Image.open(path).convert("RGB")
        if _form(path) == "jpg":
            image.save(into / f"{path.stem}.jpg", quality=85, optimize=True)
        else:
            image.quantize(256).save(into / path.name, optimize=True)


def run_facts() -> str:
    """What made the results: commit, date, versions and minutes."""
    record = files.read_json(PAPER / "run.json")
    minutes = sum(record["seconds"].values()) / 60
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items() if version)
    return (
        f"The tables on these pages come from commit `{record['commit'][:10]}`, run on {record['time'][:10]} with Python "
        f"{record['python']} ({versions}) on {record['cores']} cores; the five notebooks took {minutes:.0f} minutes together.\n"
    )


def stem(name: str) -> Path:
    """Where a table of the run lies, without its suffix; ValueError where there is none."""
    for folder in (PAPER / "tables", PAPER):
        if (folder / f"{name}.csv").is_file():
            return folder / name
    raise ValueError(f"{name}: found no such table in {PAPER}, expected {name}.csv")


def names() -> list[str]:
    """Tables of the run."""
    return sorted(path.stem for path in [*(PAPER / "tables").glob("*.csv"), *PAPER.glob("*.csv")])
