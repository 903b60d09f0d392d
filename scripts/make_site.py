"""Make the site: python scripts/make_site.py [--into site]

Copies the sources together below .cache/site/, builds them with Sphinx, where a warning is an error, and checks the finished pages: every
link between them leads somewhere, nothing is loaded from elsewhere, no page shows the markup of a table, and all of them together take at
most 15 MB.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from ivfnb import paths

sys.path.insert(0, str(paths.root() / "docs"))
from _make import links, stage

LIMIT = 15_000_000  # bytes
MARK = ".nojekyll"  # for GitHub: folders that begin with _ are part of the pages


def build(source: Path, into: Path) -> int:
    """Sphinx over the sources; what it returns."""
    from sphinx.cmd.build import main as sphinx

    return sphinx(["-q", "-W", "--keep-going", "-b", "html", "-j", "2", "-d", str(source.parent / "doctrees"), str(source), str(into)])


def main() -> int:
    """Make the site; 1 where Sphinx warns or the pages have a fault."""
    parser = argparse.ArgumentParser(description="Make the site.")
    parser.add_argument("--into", type=Path, default=paths.root() / "site", help="folder of the finished pages (default: site/)")
    into, begun = parser.parse_args().into.resolve(), time.perf_counter()
    source = paths.cache_root() / "site" / "source"
    if into.exists() and any(into.iterdir()) and not (into / MARK).is_file():
        parser.error(f"--into {into}: found a folder that is no site made here, expected none, an empty one or an earlier site")
    for folder in (source.parent, into):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (source, into):
        folder.mkdir(parents=True)
    (into / MARK).touch()
    stage.stage(source)
    made = source.parent / "html"  # beside which myst-nb leaves what it does not need again
    if failed := build(source, made):
        return failed
    (made / ".buildinfo").unlink()
    shutil.copytree(made, into, dirs_exist_ok=True)
    found = links.faults(into)
    size = sum(path.stat().st_size for path in into.rglob("*") if path.is_file())
    if size > LIMIT:
        found.append(f"the site takes {size / 1e6:.1f} MB, expected at most {LIMIT / 1e6:.0f}")
    print(*found, sep="\n", end="\n" if found else "")
    pages = len(list(into.rglob("*.html")))
    print(f"{pages} pages, {size / 1e6:.1f} MB in {time.perf_counter() - begun:.0f} s: {into / 'index.html'}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
