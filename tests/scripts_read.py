"""Programs of scripts/, which are no package, as modules."""

import importlib.util
from types import ModuleType

from ivfnb import paths


def script(name: str) -> ModuleType:
    """`scripts/<name>.py` as a module of its own, anew with each call."""
    spec = importlib.util.spec_from_file_location(name, paths.root() / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
