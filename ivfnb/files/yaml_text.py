"""YAML read safely: the manifest, the profiles and the values of `--set`. Apart, since YAML is slow to import."""

import reprlib
from collections.abc import Hashable
from typing import Any

import yaml

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxdict, _repr.maxlist, _repr.maxstring, _repr.maxother = 2, 3, 3, 60, 60


def short(found: object) -> str:
    """What was found, in so few words that it may be anything, of any size: aliases make a list of a billion entries of a few lines.

    Parameters
    ----------
    found : object

    Returns
    -------
    str

    Examples
    --------
    >>> short([1, [2, [3, [4]]], 5, 6])
    '[1, [2, [...]], 5, ...]'
    """
    return _repr.repr(found)


def parsed(text: str) -> Any:
    """Content of a YAML text.

    Parameters
    ----------
    text : str

    Returns
    -------
    object
        Mappings, lists and scalars, nothing else; None for an empty text.

    Raises
    ------
    ValueError
        In one line, where the text is no YAML, is nested too deeply, has a scalar without a value (a month 13), or a key twice in one
        mapping, of which the first would be lost in silence.

    Examples
    --------
    >>> parsed("n_pairs: 3")
    {'n_pairs': 3}
    """
    try:
        return _parsed(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from error


def _parsed(text: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        top = loader.get_single_node()
        nodes, seen = [top] if top else [], set()
        while nodes:
            node = nodes.pop()
            if isinstance(node, yaml.ScalarNode) or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                nodes += node.value
                continue
            keys: set[Hashable] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys:
                        raise ValueError(f"the key {short(key.value)} twice (line {key.start_mark.line + 1})")
                    keys.add(key.value)
                nodes.append(value)
        return loader.construct_document(top) if top else None
    finally:
        loader.dispose()
