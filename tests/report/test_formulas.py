"""Formulas become drawings that need nothing else."""

import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("ziamath", reason="ziamath, which draws formulas, is not installed (extra notebooks)")

from ivfnb.report.formulas import svg

SOME = [r"\sqrt{g_x^2+g_y^2}", r"\begin{cases}a & b>0\\ c & \text{else}\end{cases}", r'a < b \& "c"', r"\operatorname{corr}(F-B,\,A)"]


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("formula", SOME)
def test_it_is_one_element_of_paths_in_the_colour_of_the_text(formula, display):
    element = ElementTree.fromstring(svg(formula, display))
    assert element.tag.endswith("svg")
    assert element.attrib["aria-label"] == formula
    kinds = {child.tag.rpartition("}")[2] for child in element.iter()} - {"svg"}
    assert kinds <= {"path", "rect", "g"}
    assert {child.attrib["fill"] for child in element.iter() if "fill" in child.attrib} <= {"currentColor", "none"}
    assert "href" not in svg(formula, display)


def test_the_baseline_is_that_of_the_text():
    """What goes below the line is lowered by as much, and what does not is hardly."""
    shift = {letter: float(re.search(r"vertical-align:([-\d.]+)em", svg(letter))[1]) for letter in "xg"}
    assert -0.1 < shift["x"] <= 0
    assert shift["g"] < shift["x"] - 0.1


def test_limits_stand_above_and_below_where_it_stands_alone():
    height = [float(re.search(r'height="([\d.]+)em"', svg(r"\sum_{i=1}^{n} i", display))[1]) for display in (False, True)]
    assert height[1] > 1.3 * height[0]
