"""Rewrite the pins at the end of data/manifest.yaml from a provenance table and from data/sample/; the rest of it is written by hand.

The table has tab-separated columns file, bytes, sha256, source_repo, path, commit (and more, unused); `path` may be `ARCHIVE.zip!MEMBER`.

    python scripts/make_manifest.py PROVENANCE.tsv
"""

import argparse
import csv
import json
from pathlib import Path

from ivfnb import paths
from ivfnb.datasets.manifest import digest

MARK = "# Pins, made by scripts/make_manifest.py: change nothing below this line by hand."


def pins(table: Path) -> str:
    """YAML text of `sources` (short name -> URL of a pinned commit) and `pins` ([file, bytes, sha256, source, path in the source])."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file, delimiter="\t"), key=lambda row: row["file"])
    commits = {row["source_repo"]: row["commit"] for row in rows}
    if any(commits[row["source_repo"]] != row["commit"] for row in rows):
        raise SystemExit(f"{table}: found two commits of one repository, expected one commit each")
    lines = ["sources:"]
    lines += [f"  {name}: https://raw.githubusercontent.com/{name}/{commit}" for name, commit in sorted(commits.items())]
    lines += ["pins:  # [file below a data root, bytes, sha256, source, path in the source (ARCHIVE!MEMBER for a member of an archive)]"]
    pinned = [[row["file"], int(row["bytes"]), row["sha256"], row["source_repo"], row["path"]] for row in rows]
    lines += ["- " + json.dumps(pin, ensure_ascii=False) for pin in pinned + sample()]
    return "\n".join(lines) + "\n"


def sample() -> list[list]:
    """Pins of the sample pairs, which ship with the repository and so have no source."""
    data = paths.root() / "data"
    files = sorted((data / "sample").glob("*/*.png"))
    return [[str(file.relative_to(data)), file.stat().st_size, digest(file, "sha256").partition(":")[2], None, None] for file in files]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="the provenance table (PROVENANCE.tsv)")
    table = parser.parse_args().table
    manifest = paths.root() / "data" / "manifest.yaml"
    by_hand, mark, _ = manifest.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise SystemExit(f"{manifest}: found no line {MARK!r}, expected it after the hand-written part")
    manifest.write_text(by_hand + MARK + "\n" + pins(table), encoding="utf-8")


if __name__ == "__main__":
    main()
