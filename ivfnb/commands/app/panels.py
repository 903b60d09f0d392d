"""What stands in tabs below the result: methods side by side, stages, weight map, histograms, the metrics' meaning, provenance."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from ivfnb.commands.app.computing import Outcome
from ivfnb.commands.app.downloads import record
from ivfnb.commands.app.pictures import coloured, histograms, overlay, shown
from ivfnb.commands.app.uploads import Pair
from ivfnb.metrics import METRICS
from ivfnb.report.figures import colours

COLUMNS = 3
SLIDES = 0.6  # opacity of the weight map at first


def marked_metrics(outcomes: Sequence[Outcome], convention: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Metrics as text: the name with its arrow, and a value a method, the better of several in bold.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Scored in the convention.
    convention : str

    Yields
    ------
    name : str
    values : dict
        Name of the method -> value.
    """
    for name in outcomes[0].scores[convention]:
        values = [each.scores[convention][name] for each in outcomes]
        texts = [f"{value:.3f}" for value in values]
        best = max(values) if METRICS[name].direction == "higher" else min(values)
        bold = len(set(texts)) > 1
        marked = [f"**{text}**" if bold and value == best else text for text, value in zip(texts, values, strict=True)]
        yield f"{name} {METRICS[name].arrow}", {each.choice.name: text for each, text in zip(outcomes, marked, strict=True)}


def _side_by_side(outcomes: Sequence[Outcome]) -> None:
    for column, outcome in zip(st.columns(len(outcomes)), outcomes, strict=True):
        column.image(shown(outcome.fused), outcome.choice.name, width="stretch", output_format="PNG")


def _stages(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if len(outcomes) > 1:
            st.markdown(f"**{outcome.choice.name}**")
        items = list(outcome.stages.items())
        for start in range(0, len(items), COLUMNS):
            row = zip(st.columns(COLUMNS), items[start : start + COLUMNS], strict=False)
            for column, (name, image) in row:
                column.image(shown(image), name, width="stretch", output_format="PNG")


def _weights(pair: Pair, outcomes: Sequence[Outcome]) -> None:
    having = [(outcome, outcome.weight) for outcome in outcomes if outcome.weight is not None]
    if not having:
        st.info(f"{' and '.join(each.choice.name for each in outcomes)}: no weight map. The paper's pipeline has one.")
        return
    opacity = st.slider("Opacity of the weight map", 0.0, 1.0, SLIDES, 0.05, key="opacity")
    for column, (outcome, weight) in zip(st.columns(max(2, len(having))), having, strict=False):
        said = f"{outcome.choice.name}: mean weight of the visible image {weight.mean():.2f}"
        column.image(shown(overlay(pair.visible, weight, opacity)), said, width="stretch", output_format="PNG")
    strip = np.tile(np.linspace(0, 1, 256), (10, 1))
    st.image(coloured(strip), "Weight of the visible image: 0, all infrared (left), to 1, all visible (right)", width=256)


def _histograms(outcomes: Sequence[Outcome]) -> None:
    several = len(outcomes) > 1
    found = {name: outcomes[0].stages[name] for name in ("Infrared", "Visible")}
    for outcome in outcomes:
        said = f": {outcome.choice.name}" if several else ""
        found |= {f"{name}{said}": image for name, image in outcome.stages.items() if name not in found and "Weight" not in name}
    default = [name for name in found if name in ("Infrared", "Visible") or name.startswith("Fused")]
    names = st.pills("Images", list(found), selection_mode="multi", default=default, key=f"histograms.{len(outcomes)}.{len(found)}")
    if not names:
        st.info("Choose at least one image.")
        return
    shades = colours(list(found))
    spec = {
        "mark": {"type": "line", "interpolate": "step", "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": "level", "type": "quantitative", "title": "grey level", "scale": {"domain": [0, 255]}},
            "y": {"field": "share", "type": "quantitative", "title": "pixels, %"},
            "color": {
                "field": "image",
                "type": "nominal",
                "scale": {"domain": names, "range": [shades[name] for name in names]},
                "legend": {"orient": "top", "title": None, "labelLimit": 300, "columns": 2},
            },
            "tooltip": [{"field": "image"}, {"field": "level"}, {"field": "share", "format": ".2f"}],
        },
    }
    alt = f"Histograms of {', '.join(names)}"
    st.vega_lite_chart(histograms({name: found[name] for name in names}), spec, width="stretch", height=320, alt=alt)


def _meaning(name: str) -> str:
    """The first line of a metric's documentation."""
    return (METRICS[name].function.__doc__ or "").strip().splitlines()[0]


def _meanings(outcomes: Sequence[Outcome], convention: str) -> None:
    marked = marked_metrics(outcomes, convention)
    rows = []
    for name, (said, values) in zip(outcomes[0].scores[convention], marked, strict=True):
        low, high = METRICS[name].value_range
        spread = f"{low:g} to {high:g}".replace("inf", "∞")
        rows.append({"Metric": said, **values, "Unit": METRICS[name].unit, "Range": spread, "What it means": _meaning(name)})
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
    st.caption("F is the fused image. No single metric says which image is better to look at.")


@st.fragment
def tabs(pair: Pair, outcomes: Sequence[Outcome], convention: str) -> None:
    """Everything that is known of the outcomes, in tabs; what lies in a closed one is not made.

    Parameters
    ----------
    pair : Pair
    outcomes : sequence of Outcome
        Scored in the convention.
    convention : str
    """
    panels: dict[str, Callable[[], object]] = {"Side by side": lambda: _side_by_side(outcomes)} if len(outcomes) > 1 else {}
    panels |= {
        "Stages": lambda: _stages(outcomes),
        "Weight map": lambda: _weights(pair, outcomes),
        "Histograms": lambda: _histograms(outcomes),
        "What the metrics mean": lambda: _meanings(outcomes, convention),
        "Provenance": lambda: st.json(record(pair, outcomes, convention)),
    }
    for tab, panel in zip(st.tabs(list(panels), on_change="rerun", key=f"tabs.{len(outcomes)}"), panels.values(), strict=True):
        if tab.open:
            with tab:
                panel()
