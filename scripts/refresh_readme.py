"""Write the README's sections Results and Speed anew from `results/paper/`: python scripts/refresh_readme.py [--check]

`--check` writes nothing and ends with 1 where the README says something else than the tables.
"""

import re
import sys

import pandas as pd

from ivfnb import paths

PAPER = "results/paper"
SIZES = ("456x456", "768x576", "1280x1024")


def table(name: str) -> pd.DataFrame:
    """Table of the run that is kept in the repository."""
    return pd.read_csv(paths.root() / PAPER / "tables" / f"{name}.csv")


def link(name: str) -> str:
    """Link to a table as GitHub shows it."""
    return f"[{name}]({PAPER}/tables/{name}.md)"


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
    judged = ", ".join(f"{verdicts.get(verdict, 0)} {verdict}" for verdict in ("confirmed", "not confirmed", "not testable"))
    differing = table("03_against_authors")["pixels that differ"]
    alike = table("04_against_authors").groupby("dataset")["as_released"].agg(["mean", "count"])
    tno, vot = (alike.loc[name] for name in ("tno21", "vot40"))
    rest = table("04_where_the_rest_goes").set_index("protocol")["mean"]
    kept = table("04_target_retention").query("dataset == 'tno21'").mean(numeric_only=True)
    return f"""One run of `make reproduce PROFILE=paper`, and notebook 5 again over all pairs (`switch_pairs` and `slow_pairs` 0).
Every table and figure is in [{PAPER}/]({PAPER}/), every claim of the paper with its verdict in {link("05_findings")}:
of {verdicts.sum()} claims {judged}.

* **Enhancement: reproduced exactly.** {(differing == 0).sum()} of the authors' {len(differing)} enhanced TNO files come out equal
  in every pixel, once ours are stored as JPEG of quality 75 as theirs were.
* **Fusion: reproduced closely.** Mean SSIM of `AS_RELEASED` to the authors' fused images:
  {tno["mean"]:.3f} on {tno["count"]:.0f} TNO pairs, {vot["mean"]:.3f} on {vot["count"]:.0f} of the 40 TNO and VOT-RGBT pairs.
  Without the JPEG stage {rest["enhanced images not stored as JPEG"]:.3f} on TNO;
  with a network trained on grey instead of gradients {rest["network trained on grey"]:.3f}.
  What is left is the authors' weights, which were never released ({link("04_where_the_rest_goes")}).
* **What it costs.** Hot targets of the infrared images keep {kept["as_released, in deviations"]:.2f} of their contrast
  (in deviations of the image) as released, {kept["as_paper, in deviations"]:.2f} as the text says ({link("04_target_retention")}).
* **What carries the gains**: {link("05_effects")}, {link("05_ablation")}, {link("05_switches")}.

Means over all TNO pairs, standard convention, of the rows that cover them all. {link("05_table2_standard")}
has all 17 methods with their coverage and variants; {link("05_table2_common_standard")}
compares on common pairs. Bold: best, underlined: second.

{main_table()}"""


def speed() -> str:
    """The section Speed."""
    bench, check = (pd.read_csv(paths.root() / PAPER / name) for name in ("bench.csv", "dense_check.csv"))
    value = bench.set_index("what")["value"]
    header = ["scores of all windows of a pair, stride 8, both orders", *SIZES]
    whats = {
        "loop of single windows, as released (timed on a sample of windows)": ("loop of single windows (timed on a sample)", "{:.3g} s"),
        "dense, the same numbers": ("dense", "{:.3g} s"),
        "ratio": ("dense: faster than loop of single windows", "{:.0f}"),
        "peak memory of the dense process": ("dense: peak memory of a process", "{:.0f} MB"),
    }
    rows = [[label, *(form.format(value[f"{size}, {what}"]) for size in SIZES)] for label, (what, form) in whats.items()]
    commits = sorted(set(bench["commit"].str[:7]))
    runs = "one run" if len(commits) == 1 else f"in runs at the commits {', '.join(commits)},"
    compared = f"{check['pair'].nunique()} TNO pairs and {check['weights'].nunique()} networks"
    return f"""`ivfnb bench`, {runs} on two cores of an {bench["processor"].iloc[-1]}
([{PAPER}/bench.csv]({PAPER}/bench.csv) has all rows, with their provenance):

{markdown(header, rows)}

On {compared} the dense logits differ from those of single windows by at most {check["largest"].max():.2g},
and {check["differ"].sum()} of {check["windows"].sum():,} decisions differ
([dense_check.csv]({PAPER}/dense_check.csv), by `scripts/check_dense.py`).
All eleven metrics of one 768x576 triple take {1000 * value["all 11, one 768x576 triple"]:.0f} ms;
HDRC and SSR of one 768x576 image {value["HDRC and SSR, one 768x576 image"]:.0f} ms;
training takes {value["training, cutting samples included"]:.0f} samples a second."""


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
