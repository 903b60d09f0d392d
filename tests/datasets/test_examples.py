"""The examples in the docstrings of the room say what is so."""

import doctest
import importlib
import pkgutil

import pytest

from ivfnb import datasets, provenance

MODULES = [*(f"ivfnb.datasets.{module.name}" for module in pkgutil.iter_modules(datasets.__path__)), provenance.__name__]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_the_functions_that_readers_call_have_examples():
    finder = doctest.DocTestFinder()
    shown = {test.name for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples}
    wanted = ("sets.dataset", "sets.Dataset", "fetch.fetch", "verify.verify", "manifest.load", "matching.match", "listing.state")
    assert {f"ivfnb.datasets.{name}" for name in wanted} <= shown
