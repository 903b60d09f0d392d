"""Write the README's sections Results and Speed anew from `results/paper/`: python scripts/refresh_readme.py [--check]

`--check` writes nothing and ends with 1 where the README says something else than the tables.
"""

import re
import sys
from pathlib import Path

import pandas as pd

from ivfnb import paths

PAPER = Path("results") / "paper"
SIZES = ("456x456", "768x576", "1280x1024")


def table(name: str) -> pd.DataFrame:
    """Table of the run that is kept in the repository."""
    return pd.read_csv(paths.root() / PAPER / "tables" / f"{name}.csv")


def link(name: str) -> str:
    """Link to a table as GitHub shows it."""
    return f"[{name}]({PAPER.as_posix()}/tables/{name}.md)"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Table in Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows))


def main_table() -> str:
    """Rows of Table 2 that cover every pair, with its marks of best and second."""
    lines = (paths.root() / PAPER / "tables" / "05_table2_standard.md").read_text(encoding="utf-8").splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|"))
    frame = pd.DataFrame(rows, columns=header)
    whole = frame[frame["pairs"] == str(frame["pairs"].astype(int).max())]
    name = whole["method"] + whole["variant"].where(whole["variant"] == "", ": " + whole["variant"])
    shown = pd.concat([name.rename("method"), whole[["source", *(column for column in header if column[-1] in "↑↓")]]], axis=1)
    return markdown(list(shown), shown.to_numpy().tolist())


def results() -> str:
    """The section Results."""
    verdicts = table("05_findings")["verdict"].value_counts()
    enhanced = table("03_against_authors")["pixels that differ"]
    alike = table("04_against_authors").groupby("dataset")["as_released"].agg(["mean", "count"])
    rest = table("04_where_the_rest_goes").set_index("protocol")["mean"]
    kept = table("04_target_retention").query("dataset == 'tno21'").mean(numeric_only=True)
    return f"""One run of `make reproduce PROFILE=paper`, its notebook 5 once more over all pairs (`--only 05 --set switch_pairs=0 --set slow_pairs=0`). Every table
and figure is in [{PAPER.as_posix()}/]({PAPER.as_posix()}/), every claim of the paper with its verdict in {link("05_findings")}:
of {verdicts.sum()} claims {verdicts.get("confirmed", 0)} confirmed, {verdicts.get("not confirmed", 0)} not confirmed, {verdicts.get("not testable", 0)} not testable.

* **Enhancement: reproduced exactly.** {(enhanced == 0).sum()} of the authors' {len(enhanced)} enhanced TNO files come out equal in every pixel, once ours are stored as
  JPEG of quality 75 as theirs were.
* **Fusion: reproduced closely.** Mean SSIM of `AS_RELEASED` to the authors' fused images: {alike.loc["tno21", "mean"]:.3f} on {alike.loc["tno21", "count"]} TNO pairs, {alike.loc["vot40", "mean"]:.3f} on {alike.loc["vot40", "count"]} of the 40
  TNO and VOT-RGBT pairs. Without the JPEG stage {rest["enhanced images not stored as JPEG"]:.3f} on TNO; with a network trained on grey instead of gradients {rest["network trained on grey"]:.3f}. What is left is
  the authors' weights, which were never released ({link("04_where_the_rest_goes")}).
* **What it costs.** Hot targets of the infrared images keep {kept["as_released, in deviations"]:.2f} of their contrast (in deviations of the image) as released, {kept["as_paper, in deviations"]:.2f} as the text says
  ({link("04_target_retention")}).
* **What carries the gains**: {link("05_effects")}, {link("05_ablation")}, {link("05_switches")}.

Means over all {int(pd.to_numeric(table("05_table2_standard")["pairs"]).max())} TNO pairs, standard convention, of the rows that cover them all ({link("05_table2_standard")} has all 17 methods with their coverage and
variants; {link("05_table2_common_standard")} compares on common pairs). Bold: best, underlined: second.

{main_table()}"""


def speed() -> str:
    """The section Speed."""
    bench = pd.read_csv(paths.root() / PAPER / "bench.csv")
    value = bench.set_index("what")["value"]
    rows = [
        ["loop of single windows, as released (timed on a sample of windows)"]
        + [f"{value[f'{size}, loop of single windows (timed on a sample)']:.3g} s" for size in SIZES],
        ["dense, the same numbers", *(f"{value[f'{size}, dense']:.3g} s" for size in SIZES)],
        ["ratio", *(f"{value[f'{size}, dense: faster than loop of single windows']:.0f}" for size in SIZES)],
        ["peak memory of the dense process", *(f"{value[f'{size}, dense: peak memory of a process']:.0f} MB" for size in SIZES)],
    ]
    check = pd.read_csv(paths.root() / PAPER / "dense_check.csv")
    return f"""`python -m ivfnb bench`, one run on two cores of an {bench["processor"].iloc[-1]} ([{PAPER.as_posix()}/bench.csv]({PAPER.as_posix()}/bench.csv) has all rows, with their provenance):

{markdown(["scores of all windows of a pair, stride 8, both orders", *SIZES], rows)}

On {check["pair"].nunique()} TNO pairs and both networks the dense logits differ from the window-by-window ones by at most {check["largest"].max():.1g}, and {check["differ"].sum()} of {check["windows"].sum():,} decisions
differ ([dense_check.csv]({PAPER.as_posix()}/dense_check.csv), by `scripts/check_dense.py`). All eleven metrics of one 768x576 triple take {1000 * value["all 11, one 768x576 triple"]:.0f} ms."""


def main() -> int:
    """Write the README, or compare it."""
    path = paths.root() / "README.md"
    before = after = path.read_text(encoding="utf-8")
    for title, text in (("Results", results()), ("Speed", speed())):
        after = re.sub(rf"(?<=^## {title}\n\n).*?(?=\n\n## )", lambda _: text, after, flags=re.S | re.M)  # noqa: B023
    if "--check" in sys.argv[1:]:
        return int(after != before)
    path.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
