"""What the full run found, in sentences whose numbers are those of its tables; README and site say the same."""

import pandas as pd

from ivfnb import paths

PAPER = "results/paper"
SIZES = ("456x456", "768x576", "1280x1024")


def table(name: str) -> pd.DataFrame:
    """Table of the run that is kept in the repository."""
    return pd.read_csv(paths.root() / PAPER / "tables" / f"{name}.csv")


def link(words: str, name: str) -> str:
    """Words that lead to a table as a forge shows it."""
    return f"[{words}]({PAPER}/tables/{name}.md)"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Table in Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows))


def findings() -> str:
    """The main findings, five items."""
    verdicts = table("05_findings")["verdict"].value_counts()
    judged = ", ".join(f"{verdicts.get(verdict, 0)} are {verdict}" for verdict in ("confirmed", "not confirmed", "not testable"))
    differing = table("03_against_authors")["pixels that differ"]
    alike = table("04_against_authors").groupby("dataset")["as_released"].agg(["mean", "count"])
    tno, vot = (alike.loc[name] for name in ("tno21", "vot40"))
    kept = table("04_target_retention").query("dataset == 'tno21'").mean(numeric_only=True)
    rows = table("05_switches").set_index("method")
    whole, without, dull = (
        "EI {EI:.1f}, SF {SF:.1f} and VIFF {VIFF:.2f}".format(**rows.loc[name]) for name in ("base", "no classifier", "no SSR")
    )
    items = {
        "The claims": f"Of the paper's {verdicts.sum()} claims {judged} ({link('claims and verdicts', '05_findings')}).",
        "Enhancement is reproduced exactly": f"{(differing == 0).sum()} of the authors' {len(differing)} enhanced TNO files come out "
        f"equal in every pixel, once ours are stored as JPEG of quality 75, as theirs were "
        f"({link('image by image', '03_against_authors')}).",
        "Fusion is reproduced closely": "The mean SSIM of our images, by the released code's rules, to the authors' fused images is "
        f"{tno['mean']:.3f} on {tno['count']:.0f} TNO pairs and {vot['mean']:.3f} on {vot['count']:.0f} TNO and VOT-RGBT pairs. "
        f"The authors' weights were never released ({link('where the rest goes', '04_where_the_rest_goes')}).",
        "The last step, not the network, carries the gains": f"The released method has {whole}. Without its classifier it has {without}; "
        f"without Single Scale Retinex, {dull} ({link('one switch at a time', '05_switches')}).",
        "It costs hot targets": "Measured in standard deviations of the image, they keep "
        f"{100 * kept['as_released, in deviations']:.0f} % of their contrast with the released code and "
        f"{100 * kept['as_paper, in deviations']:.0f} % with the method as the paper describes it "
        f"({link('pair by pair', '04_target_retention')}).",
    }
    return "\n".join(f"* **{title}.** {text}" for title, text in items.items())


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def _bench() -> pd.DataFrame:
    """What `ivfnb bench` measured in the full run, by what was measured."""
    return pd.read_csv(paths.root() / PAPER / "bench.csv").set_index("what")


def speed() -> str:
    """What `ivfnb bench` measured."""
    bench, check = _bench(), pd.read_csv(paths.root() / PAPER / "dense_check.csv")
    value = bench["value"]
    header = ["scores of all windows of a pair, stride 8, both orders", *SIZES]
    whats = {
        "loop of single windows, as released (timed on a sample of windows)": ("loop of single windows (timed on a sample)", _seconds),
        "dense, the same numbers": ("dense", _seconds),
        "ratio": ("dense: faster than loop of single windows", "{:.0f}".format),
        "peak memory of the dense process": ("dense: peak memory of a process", "{:.0f} MB".format),
    }
    rows = [[label, *(form(value[f"{size}, {what}"]) for size in SIZES)] for label, (what, form) in whats.items()]
    compared = f"{check['pair'].nunique()} TNO pairs and {check['weights'].nunique()} networks"
    return f"""The numbers come from `ivfnb bench`, on two cores of an {bench["processor"].iloc[-1]}.

{markdown(header, rows)}

*Dense* means that the network runs once over the whole image instead of once per window. On {compared} its outputs differ from
those of single windows by at most {check["largest"].max():.2g}, and {check["differ"].sum()} of {check["windows"].sum():,} decisions
differ (`scripts/check_dense.py`).

All eleven metrics of one 768x576 triple take {1000 * value["all 11, one 768x576 triple"]:.0f} ms. HDRC and SSR of one 768x576 image take
{value["HDRC and SSR, one 768x576 image"]:.0f} ms. Training takes {value["training, cutting samples included"]:.0f} samples a second."""


def growth() -> str:
    """How `ivfnb bench growth` found seconds and memory to grow."""
    value = _bench()["value"]
    return f"""A fusion of {value["456x456, fuse"]:.2g} s at 456×456 takes {value["2048x2048, fuse"]:.3g} s at 2048×2048 and
{value["4096x4096, fuse"]:.3g} s at 4096×4096: {value["2048x2048, fuse: time per pixel over that of 456x456"]:.2f} and
{value["4096x4096, fuse: time per pixel over that of 456x456"]:.2f} times as long per pixel as the smallest of the three, and at most
{value["4096x4096, fuse: peak memory of a process"] / 1000:.1f} GB of memory. Of 1000 small pairs, fused and scored, each takes
{value["1000 pairs over 10: time a pair"]:.2f} times as long as each of ten, and memory grows
{value["1000 pairs over 10: peak memory"]:.2f}-fold."""
