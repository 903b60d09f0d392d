"""Values reported elsewhere keep their digits, their source and their distance."""

import pandas as pd
import pytest

from ivfnb.evaluation import reported
from ivfnb.metrics import ELEVEN, METRICS


def test_every_value_is_a_number_of_a_known_metric_with_a_source():
    frame = reported.reported()
    assert set(frame["metric"]) <= set(ELEVEN)
    assert pd.to_numeric(frame["value"]).notna().all()
    assert (frame[["set", "method", "convention", "source"]].map(len) > 0).all(axis=None)
    assert not frame.duplicated(["set", "method", "metric", "convention", "source"]).any()
    low, high = zip(*(METRICS[name].value_range for name in frame["metric"]), strict=True)
    inside = pd.to_numeric(frame["value"]).between(pd.Series(low, frame.index), pd.Series(high, frame.index))
    assert inside.all()


def test_wide_leaves_the_unknown_empty():
    frame = reported.wide("tno21")
    assert list(frame.columns) == ["set", "method", "convention", "pairs", *ELEVEN, "source"]
    zca = frame[(frame["method"] == "DCHWT")].iloc[0]
    assert zca["Nabf"] == "0.12295"
    assert [name for name in ELEVEN if zca[name]] == ["Nabf"]
    released = frame[(frame["method"] == "Authors' images") & (frame["convention"] == "as_released")]
    assert len(released) == 1
    assert released.iloc[0]["SF"] == "21.210", "the printed digits are kept"
    assert len(reported.wide()) > len(frame)


def test_against_counts_printed_digits():
    means = pd.Series({"EI": 92.80476, "SF": 21.2106, "VIFF": 1.2239533})
    frame = reported.against(means, "tno21", "Authors' images", "as_released").set_index("metric")
    assert frame["equal to the printed digits"].to_dict() == {"EI": True, "SF": False, "VIFF": False}
    assert frame.loc["VIFF", "relative difference"] == pytest.approx(1.36e-5, rel=0.01)
    assert frame.loc["SF", "reported"] == "21.210"
