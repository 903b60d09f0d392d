"""`ivfnb conformance`: what it prints and returns for right and wrong implementations, and what it refuses."""

import pytest

from ivfnb.commands import main

CODE = """
import numpy as np

def right(fused, infrared, visible):
    return {"SD": fused.std(ddof=1)}

def wrong(fused, infrared, visible):
    return {"SD": fused.std(), "SF": 1 / 0 if fused.std() == 0 else 0}

class Group:
    number = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_metrics_of_a_test.py").write_text(CODE)
    (tmp_path / "lacking_of_a_test.py").write_text("import no_such_module_at_all")
    monkeypatch.chdir(tmp_path)
    return "my_metrics_of_a_test"


def test_one_that_agrees(module, capsys):
    assert main(["conformance", f"{module}:right"]) == 0
    said = capsys.readouterr().out
    assert "6 of 6 values agree with the convention 'standard'" in said
    assert "not given: EI, CE" in said
    assert "expected" not in said


def test_every_value(module, capsys):
    assert main(["conformance", f"{module}:right", "--every", "--convention", "as_released"]) == 0
    said = capsys.readouterr().out
    assert "7 of 7 values" in said
    assert sum(line.startswith("SD ") for line in said.splitlines()) == 8


def test_one_that_does_not(module, capsys):
    assert main(["conformance", f"{module}:wrong"]) == 1
    said = capsys.readouterr().out
    assert "0 of 6" in said
    assert "raised on 'constant': ZeroDivisionError" in said
    assert "0 of 12 values agree" in said


def test_a_function_of_another_package(capsys):
    assert main(["conformance", "skimage.measure:shannon_entropy", "--metric", "EN"]) == 0
    assert "6 of 6 values agree" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("right", "found 'right', expected MODULE:FUNCTION"),
        ("no_such_module:f", "found no module 'no_such_module'"),
        ("my_metrics_of_a_test:rihgt", "has no attribute 'rihgt', expected a function of my_metrics_of_a_test"),
        ("my_metrics_of_a_test:Group.number", "found int, expected a function"),
    ],
)
def test_refusals(module, name, message, capsys):
    assert main(["conformance", name]) == 2
    assert message in capsys.readouterr().err


def test_nothing_of_the_kit(module, capsys):
    assert main(["conformance", "builtins:dict", "--metric", "XY"]) == 2
    assert "metric: found 'XY', expected one of" in capsys.readouterr().err


def test_a_module_that_lacks_another_one_says_so(module):
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        main(["conformance", "lacking_of_a_test:f"])
