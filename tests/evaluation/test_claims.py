"""Verdicts follow from the tables."""

import numpy as np
import pandas as pd
import pytest

from ivfnb import images
from ivfnb.classifier import appraisal, network
from ivfnb.datasets import dataset
from ivfnb.evaluation import claims, competitors
from ivfnb.evaluation.claims import CONFIRMED, REFUTED, UNTESTABLE, Evidence

STEPS = pd.DataFrame(
    [
        ("SSR", "EN", 1.0, 0.5, 1.5, 5),
        ("SSR", "SF", 0.2, -0.1, 0.5, 5),
        ("SSR", "Nabf", -0.1, -0.2, -0.05, 5),
        ("CNN", "EN", -1, -2, 0.5, 5),
    ],
    columns=["step", "metric", "better_by", "low", "high", "pairs"],
)


def table(**values: dict[str, float]) -> pd.DataFrame:
    rows = [("CBF", 1.0, 0.5), ("CBF", 3.0, 0.1), ("VggML", 2.0, 0.2), ("Authors' images", 2.5, 0.6), (competitors.NO_CLASSIFIER, 9.0, 0.0)]
    return pd.DataFrame(rows, columns=["method", "EN", "Nabf"]).assign(pairs=8)


@pytest.fixture
def evidence():
    better = table()
    better.loc[better["method"] == "Authors' images", "EN"] = 5.0
    files = {"rank": "ranks.csv", "step": "steps.csv"}
    return Evidence({"standard": table(), "as_released": better}, STEPS, (0.97, 300), files)


def test_standing_counts_methods_not_rows():
    assert claims.standing(table(), "Authors' images", "EN") == (2, 3, "CBF", 3.0), "CBF counts once, with its better row"
    assert claims.standing(table(), "Authors' images", "Nabf") == (3, 3, "CBF", 0.1), "fewer artefacts are better"
    with pytest.raises(ValueError, match="found 0 rows of Nobody and 3 of its competitors"):
        claims.standing(table(), "Nobody", "EN")


def test_ranks_must_hold_in_every_convention(evidence):
    measured, verdict = claims.judge("best", "EN", evidence)
    assert verdict == REFUTED
    assert "standard 2.5, rank 2 of 3 on 8 pairs" in measured
    assert "as_released 5, rank 1 of 3" in measured
    assert "without a classifier: 9" in measured
    only_released = Evidence({"as_released": evidence.tables["as_released"]}, STEPS, (0, 0), {})
    assert claims.judge("best", "EN", only_released)[1] == CONFIRMED
    assert claims.judge("second", "EN", only_released)[1] == REFUTED
    assert claims.judge("poor", "Nabf", evidence)[1] == CONFIRMED
    assert claims.judge("poor", "EN", only_released)[1] == REFUTED


def test_our_released_protocol_stands_where_the_authors_images_are_not_at_hand(evidence):
    assert evidence.subject == competitors.AUTHORS_NAME
    without = {name: frame[frame["method"] != competitors.AUTHORS_NAME] for name, frame in evidence.tables.items()}
    assert Evidence(without, STEPS, (0, 0)).subject == "Ours, as released"


def test_no_competitor_no_verdict(evidence):
    alone = Evidence({"standard": table().iloc[3:]}, STEPS, (0, 0), {})
    assert claims.judge("best", "EN", alone)[1] == UNTESTABLE


def test_steps(evidence):
    measured, verdict = claims.judge("step", "SSR", evidence)
    assert verdict == CONFIRMED
    assert "better: EN, SF; worse: Nabf" in measured
    assert "leaves out 0 in 2 of 3" in measured
    assert claims.judge("step", "CNN", evidence)[1] == REFUTED
    assert claims.judge("step", "unheard of", evidence)[1] == UNTESTABLE


@pytest.mark.parametrize(("blocks", "verdict"), [((0.97, 300), CONFIRMED), ((0.9, 300), REFUTED), ((float("nan"), 0), UNTESTABLE)])
def test_cross_domain(evidence, blocks, verdict):
    assert claims.judge("cross_domain", "infrared", Evidence(evidence.tables, STEPS, blocks, {}))[1] == verdict


def test_every_claim_has_a_row(evidence):
    metrics = pd.DataFrame(1.0, index=range(5), columns=[name for name in claims.METRICS if name not in ("EN", "Nabf")])
    tables = {name: pd.concat([frame, metrics], axis=1) for name, frame in evidence.tables.items()}
    frame = claims.findings(Evidence(tables, STEPS, evidence.blocks, evidence.files))
    assert list(frame.columns) == ["claim", "said in", "measured here", "verdict", "evidence"]
    assert set(frame["verdict"]) <= {CONFIRMED, REFUTED, UNTESTABLE}
    assert (frame["measured here"] != "").all()
    claimed = " ".join(frame["claim"])
    assert all(f"best {name} of" in claimed for name in ("EI", "SF", "EN", "MI", "SD", "VIFF", "DF"))
    assert frame.loc[frame["claim"].str.startswith("best EI"), "evidence"].item() == "ranks.csv"
    with pytest.raises(ValueError, match="found 'guess'"):
        claims.judge("guess", "", evidence)


def test_infrared_blocks(one_thread):
    net = network.load()
    right, count = appraisal.infrared_blocks([images.to_gray(np.dstack([dataset("sample")["sentinel2"].infrared] * 3))], net, n=40)
    assert right > 0.9
    assert 0 < count <= 40
    assert appraisal.infrared_blocks([np.full((64, 64), 100, np.uint8)], net, n=8)[1] == 0, "flat blocks are not judged"
    assert appraisal.infrared_blocks([], net)[1] == 0
