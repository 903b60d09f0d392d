"""Each claim of the paper in one row: the claim, what was measured, the verdict, the file with the evidence. Verdicts are computed.

The claims stand in data/paper/claims.csv, each with the rule that judges it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from ivfnb import paths
from ivfnb.evaluation import competitors
from ivfnb.metrics import METRICS

CONFIRMED, REFUTED, UNTESTABLE = "confirmed", "not confirmed", "not testable"
FILES = MappingProxyType(
    {"rank": "tables/05_table2_common_*.csv", "step": "tables/05_step_effects.csv", "cross_domain": "tables/05_infrared_blocks.csv"}
)
TRANSFERS = 0.95  # share of textured infrared blocks that a classifier must judge rightly to be said to transfer


@dataclass(frozen=True)
class Evidence:
    """What the rules that judge claims look at.

    Parameters
    ----------
    tables : dict
        The table of methods (`competitors.table`) by convention, over pairs that all its rows cover.
    steps : DataFrame
        As `report.step_effects` makes it.
    blocks : (float, int)
        Share of infrared blocks judged rightly, and their number.
    files : mapping
        Names of the files below a results folder that hold each kind.
    """

    tables: dict[str, pd.DataFrame]
    steps: pd.DataFrame
    blocks: tuple[float, int]
    files: Mapping[str, str] = field(default_factory=lambda: FILES)  # a mapping proxy is no default of a field before Python 3.12

    @property
    def subject(self) -> str:
        """The row that stands for the paper's method: the authors' own images where the tables have them, else our released protocol."""
        at_hand = all(competitors.AUTHORS_NAME in set(table["method"]) for table in self.tables.values())
        return competitors.AUTHORS_NAME if at_hand else competitors.AS_RELEASED_NAME


def standing(table: pd.DataFrame, subject: str, metric: str) -> tuple[int, int, str, float]:
    """Where a row stands among the paper's competitors of a table.

    Parameters
    ----------
    table : DataFrame
        As `competitors.table` makes it.
    subject : str
        The row's name in the column "method".
    metric : str

    Returns
    -------
    rank : int
        1 is best.
    methods : int
        Competitors and the row itself.
    other : str
        The best competitor.
    value : float
        Its value.

    Raises
    ------
    ValueError
        Where the row or every competitor is missing.

    Notes
    -----
    A competitor with several rows (own implementation, published images) counts once, with its better row.

    Examples
    --------
    >>> table = pd.DataFrame({"method": ["CBF", "CBF", "DCHWT", "Ours"], "EN": [6.5, 7.0, 6.0, 6.8]})
    >>> standing(table, "Ours", "EN")
    (2, 3, 'CBF', 7.0)
    """
    sign = METRICS[metric].sign
    known = table.dropna(subset=[metric])
    others = known[known["method"].isin(competitors.NAMES)]
    mine = known[known["method"] == subject]
    if mine.empty or others.empty:
        raise ValueError(f"table: found {len(mine)} rows of {subject} and {len(others)} of its competitors, expected at least one of each")
    best = (sign * others[metric]).groupby(others["method"], sort=False).max()
    rank = 1 + int((best > sign * mine[metric].iloc[0]).sum())
    return rank, 1 + len(best), str(best.idxmax()), float(sign * best.max())


def _counted(pairs: int) -> str:
    return f"{pairs} pair{'s' * (pairs != 1)}"


def _of_rank(rule: str, metric: str, evidence: Evidence) -> tuple[str, str]:
    """Rules "best", "second" and "poor" (in the lower half): they must hold in every convention."""
    texts, holds = [], []
    for convention, table in evidence.tables.items():
        try:
            rank, count, other, value = standing(table, evidence.subject, metric)
        except ValueError as error:
            return f"{convention}: {error}", UNTESTABLE
        mine = table.loc[table["method"] == evidence.subject, metric].iloc[0]
        pairs = int(table.loc[table["method"] == evidence.subject, "pairs"].iloc[0])
        leader = f"best of the others: {other} {value:.3g}"
        plain = table.loc[table["method"] == competitors.NO_CLASSIFIER, metric]
        leader += f"; our pipeline without a classifier: {plain.iloc[0]:.3g}" if len(plain) else ""
        texts.append(f"{convention} {mine:.3g}, rank {rank} of {count} on {_counted(pairs)} ({leader})")
        holds.append({"best": rank == 1, "second": rank == 2, "poor": rank > (count + 1) / 2}[rule])
    return f"{evidence.subject}: " + "; ".join(texts), CONFIRMED if all(holds) else REFUTED


def _of_step(step: str, evidence: Evidence) -> tuple[str, str]:
    """Rule "step": better in more than half of the metrics, on average over all other choices of the ablation."""
    effects = evidence.steps[(evidence.steps["step"] == step) & (evidence.steps["metric"] != "MI")]  # MI is EN again as released
    if effects.empty:
        return "not in this run", UNTESTABLE
    better = effects[effects["better_by"] > 0]["metric"].tolist()
    worse = effects[effects["better_by"] < 0]["metric"].tolist()
    sure = int(((effects["low"] > 0) | (effects["high"] < 0)).sum())
    pairs = int(effects["pairs"].iloc[0])
    text = f"better: {', '.join(better) or 'none'}; worse: {', '.join(worse) or 'none'} ({_counted(pairs)}"
    text += f"; the 95 % interval leaves out 0 in {sure} of {len(effects)})" if pairs > 2 else ", too few for intervals)"
    return text, CONFIRMED if len(better) > len(effects) / 2 else REFUTED


def _of_blocks(evidence: Evidence) -> tuple[str, str]:
    """Rule "cross_domain": right on at least 95 % of textured infrared blocks."""
    right, count = evidence.blocks
    if not count or np.isnan(right):
        return "no infrared block with texture", UNTESTABLE
    text = f"{100 * right:.1f} % of {count} samples of textured infrared blocks, sharp against blurred (asked: {100 * TRANSFERS:.0f} %)"
    return text, CONFIRMED if right >= TRANSFERS else REFUTED


def judge(rule: str, subject: str, evidence: Evidence) -> tuple[str, str]:
    """What was measured of a claim, and the verdict, by the claim's rule.

    Parameters
    ----------
    rule : str
        "best", "second" or "poor" (in the lower half) among the competitors, "step" (better in more than half of the metrics),
        "cross_domain" (right on at least 95 % of textured infrared blocks) or "untestable".
    subject : str
        What the rule is about: a metric, a step, or the reason why nothing can be tested.
    evidence : Evidence

    Returns
    -------
    measured, verdict : str
        The verdict is `CONFIRMED`, `REFUTED` or `UNTESTABLE`.

    Raises
    ------
    ValueError
        For an unknown rule.

    Examples
    --------
    >>> judge("cross_domain", "", Evidence({}, pd.DataFrame(), (0.5, 40)))[1]
    'not confirmed'
    """
    if rule in ("best", "second", "poor"):
        return _of_rank(rule, subject, evidence)
    if rule == "step":
        return _of_step(subject, evidence)
    if rule == "cross_domain":
        return _of_blocks(evidence)
    if rule == "untestable":
        return subject, UNTESTABLE
    raise ValueError(f"rule: found {rule!r}, expected best, second, poor, step, cross_domain or untestable")


def findings(evidence: Evidence, claims: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row a claim, judged.

    Parameters
    ----------
    evidence : Evidence
    claims : DataFrame, optional
        Columns claim, said, rule, subject; None reads data/paper/claims.csv.

    Returns
    -------
    DataFrame
        Claim, where it was said, what was measured here, verdict, and the file with the evidence.

    Raises
    ------
    ValueError
        For an unknown rule.

    Examples
    --------
    >>> claims = pd.DataFrame({"claim": ["It transfers."], "said": ["conclusion"], "rule": ["cross_domain"], "subject": [""]})
    >>> findings(Evidence({}, pd.DataFrame(), (0.99, 40)), claims)["verdict"].tolist()
    ['confirmed']
    """
    claims = pd.read_csv(paths.root() / "data" / "paper" / "claims.csv") if claims is None else claims
    rows = []
    for claim in claims.to_dict("records"):
        rule = claim["rule"]
        measured, verdict = judge(rule, claim["subject"], evidence)
        kind = "rank" if rule in ("best", "second", "poor") else rule
        rows.append((claim["claim"], claim["said"], measured, verdict, evidence.files.get(kind, "")))
    return pd.DataFrame(rows, columns=["claim", "said in", "measured here", "verdict", "evidence"])
