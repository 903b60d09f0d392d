"""What was computed once and is remembered by content below `.cache/` (IVFNB_CACHE): where it lies and which code it depends on.

A cache saves time and can do nothing else: an entry that does not read is made anew, one that cannot be written costs a warning.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import joblib

from ivfnb import paths
from ivfnb.cache import libraries
from ivfnb.cache.entries import CacheWarning, folder, recall, remembering

__all__ = ["SINGLE", "CacheWarning", "code_hash", "folder", "has_source", "imported", "place", "recall", "remembering", "sources"]

SINGLE = ("ivfnb/baselines",)  # folders whose files stand for themselves: one comparison method each, so an edit of one leaves the others


@lru_cache
def _source(module: str) -> Path | None:
    """Source file of a module of this package or of the package a root belongs to, found without importing it; None where there is none."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    if not rest:
        return Path(spec.origin)
    place = Path(spec.origin).parent.joinpath(*rest)
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def has_source(module: str) -> bool:
    """Whether a name is that of a module with a source file, found without importing it.

    Parameters
    ----------
    module : str

    Returns
    -------
    bool

    Examples
    --------
    >>> has_source("ivfnb.files"), has_source("ivfnb.files.digest")
    (True, False)
    """
    return _source(module) is not None


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node but what stands under `if TYPE_CHECKING`, which never runs."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            yield node
            yield from _statements(node)


def imported(code: bytes | str, package: str = "") -> frozenset[str]:
    """Modules that Python code imports, anywhere in it, late imports included.

    Parameters
    ----------
    code : bytes or str
    package : str
        In which the code lies, where it imports relatively.

    Returns
    -------
    frozenset of str
        Names; those of functions and classes that it imports are among them and lead nowhere.

    Raises
    ------
    SyntaxError
        For what is no Python.

    Examples
    --------
    >>> sorted(imported("from ivfnb import files"))
    ['ivfnb', 'ivfnb.files']
    """
    found = set()
    for node in _statements(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) + 1 - node.level]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            found |= {origin} | {f"{origin}.{name.name}" for name in node.names}
    return frozenset(found)


@cache
def _named_in(file: Path, package: str) -> frozenset[str]:
    """Modules that a file of a package imports."""
    return imported(file.read_bytes(), package)


def _tops(*modules: str) -> set[str]:
    """Packages whose imports are followed."""
    return {"ivfnb", *(module.partition(".")[0] for module in modules)}


def _taking_part(*modules: str) -> dict[Path, str]:
    """See `sources`; each file with the package it lies in."""
    if lacking := [module for module in modules if _source(module) is None]:
        raise ValueError(f"modules: found no source of {', '.join(lacking)}, expected modules of installed packages")
    tops, waiting, seen, files = _tops(*modules), list(modules), set(), dict[Path, str]()
    while waiting:
        module = waiting.pop()
        if module in seen or module.partition(".")[0] not in tops or (file := _source(module)) is None:
            continue
        seen.add(module)
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        waiting += _named_in(file, package)
        alone = file.parent == paths.PACKAGE or any(file.parent.as_posix().endswith(single) for single in SINGLE)
        files |= dict.fromkeys([file] if alone else file.parent.glob("*.py"), package)
    return files


def sources(*modules: str) -> list[Path]:
    """Source files that take part when modules run: what they import, directly or not, and all files beside each of those.

    Parameters
    ----------
    *modules : str
        Names of modules.

    Returns
    -------
    list of Path
        Sorted.

    Raises
    ------
    ValueError
        For a module without a source file.

    Notes
    -----
    Followed are imports of this package and of the packages that `modules` belong to, late ones included. The files of a folder in `SINGLE`
    count each for itself.

    Examples
    --------
    >>> [file.name for file in sources("ivfnb.paths")]
    ['paths.py']
    """
    return sorted(_taking_part(*modules))


@lru_cache
def code_hash(*modules: str) -> str:
    """Hash of everything that takes part when modules run, source and versions of libraries: a result does not outlive its code.

    Parameters
    ----------
    *modules : str
        See `sources`.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    ValueError
        For a module without a source file.

    Examples
    --------
    >>> code_hash("ivfnb.files") == code_hash("ivfnb.files") != code_hash("ivfnb.images")
    True
    """
    files, tops = _taking_part(*modules), _tops(*modules)
    named = [b"%s\0%s" % (file.relative_to(file.parents[2]).as_posix().encode(), file.read_bytes()) for file in sorted(files)]
    beside = {name for place in files.items() for name in _named_in(*place) if name.partition(".")[0] not in tops}
    named += [library.encode() for library in libraries.versions(beside)]
    return hashlib.sha256(b"\0".join(named)).hexdigest()[:16]


def place(kind: str, content: Any, suffix: str) -> Path:
    """File in which what depends on some content is remembered.

    Parameters
    ----------
    kind : str
        Folder below the cache's, one for each kind of result.
    content : anything joblib can hash
        What the result depends on.
    suffix : str
        Of the file.

    Returns
    -------
    Path
        It need not exist.

    Examples
    --------
    >>> place("scores", ("EN", 3), ".json") == place("scores", ("EN", 3), ".json")
    True
    >>> place("scores", ("EN", 3), ".json") == place("scores", ("EN", 4), ".json")
    False
    """
    key = joblib.hash(content)
    return paths.cache_root() / kind / key[:2] / f"{key}{suffix}"
