"""Statistics of the smallest tables that have any."""

import numpy as np
import pandas as pd
import pytest

from ivfnb.report import agreement, ranks

THREE = pd.DataFrame([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], columns=["a", "b", "c"])


def test_two_pairs_and_three_methods_are_enough_for_friedman():
    statistic, p = ranks.friedman(THREE)
    assert statistic == pytest.approx(3.0), "ranks 1, 2.5 and 2.5 on average: 12 / (2 * 3 * 4) * (4 + 25 + 25) - 3 * 2 * 4"
    assert p == pytest.approx(np.exp(-1.5))


@pytest.mark.parametrize("table", [THREE[:1], THREE[["a", "b"]], THREE * 0 + 7])
def test_fewer_are_not(table):
    assert np.isnan(ranks.friedman(table)).all()


def test_two_methods_agree_or_not():
    first = pd.DataFrame({"EN": [1.0, 2.0]}, index=["a", "b"])
    same, turned = agreement.agreement_of_orders(first, first), agreement.agreement_of_orders(first, first[::-1].set_axis(["a", "b"]))
    assert (same.loc["EN", "tau"], same.loc["EN", "exchanged"]) == (1.0, 0)
    assert (turned.loc["EN", "tau"], turned.loc["EN", "exchanged"]) == (-1.0, 1)
