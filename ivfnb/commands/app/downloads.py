"""Everything that the page computed of a pair, as one zip with its provenance."""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from ivfnb import provenance
from ivfnb.commands.app.computing import Outcome
from ivfnb.commands.app.pictures import histograms, png
from ivfnb.commands.app.uploads import Pair
from ivfnb.metrics import METRICS

READ_ME = """What this zip holds
===================
inputs/          the two files as they were given
METHOD/          fused.png, and every image between, levels of 8 bits (weight_of_the_visible_image.png: 255 is all visible)
metrics.csv      the metrics of each method, in the convention that provenance.json names
histograms.csv   percent of the pixels by grey level
provenance.json  version, commit, parameters, and the sha256 of inputs and weights
"""


def metrics_table(outcomes: Sequence[Outcome], convention: str) -> pd.DataFrame:
    """Metrics of outcomes, a row a metric: its name, which values are better, its unit, and a column a method.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Scored in the convention.
    convention : str

    Returns
    -------
    DataFrame
    """
    rows = [
        {
            "metric": name,
            "better": METRICS[name].direction,
            "unit": METRICS[name].unit,
            **{each.choice.name: each.scores[convention][name] for each in outcomes},
        }
        for name in outcomes[0].scores[convention]
    ]
    return pd.DataFrame(rows)


def record(pair: Pair, outcomes: Sequence[Outcome], convention: str) -> dict[str, Any]:
    """Provenance of everything in the zip, as JSON knows it: what went in, what was done to it, by which version.

    Parameters
    ----------
    pair : Pair
    outcomes : sequence of Outcome
    convention : str

    Returns
    -------
    dict
    """
    methods = [
        {
            "name": each.choice.name,
            "folder": each.choice.slug,
            "protocol": asdict(each.choice.protocol) if each.choice.protocol else None,
            "weights": each.choice.weights,
            "seconds": {"fused": each.seconds, "scored": each.scoring[convention]},
            "sources for the metrics": each.fitted[convention],
            "warnings": list(each.warned),
        }
        for each in outcomes
    ]
    inputs = {role: {"name": given.name, "sha256": given.sha256} for role, given in pair.files.items()}
    width, height = pair.size
    read = {"pair": pair.name, "width": width, "height": height, "inputs": inputs, "warnings": list(pair.notes)}
    return provenance.stamp(**read, convention=convention, methods=methods)


def everything(pair: Pair, outcomes: Sequence[Outcome], convention: str) -> bytes:
    """Zip of everything that was computed of a pair.

    Parameters
    ----------
    pair : Pair
    outcomes : sequence of Outcome
        Scored in the convention.
    convention : str

    Returns
    -------
    bytes
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:  # images are compressed already
        archive.writestr("README.txt", READ_ME)
        for role, given in pair.files.items():
            archive.writestr(f"inputs/{role}.{given.name.rpartition('.')[2].lower()}", given.stored)
        for each in outcomes:
            for name, image in list(each.stages.items())[2:]:  # the first two are the sources
                archive.writestr(f"{each.choice.slug}/{name.lower().replace(' ', '_')}.png", png(image))
        archive.writestr("metrics.csv", metrics_table(outcomes, convention).to_csv(index=False))
        curves = [histograms(each.stages).assign(method=each.choice.name) for each in outcomes]
        archive.writestr("histograms.csv", pd.concat(curves).to_csv(index=False))
        archive.writestr("provenance.json", json.dumps(record(pair, outcomes, convention), indent=1, default=str) + "\n")
    return whole.getvalue()
