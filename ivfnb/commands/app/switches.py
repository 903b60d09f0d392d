"""The switches of `Protocol` as widgets in the sidebar, each with its own documentation beside it."""

import re
from dataclasses import asdict, fields
from functools import cache
from typing import Any

import streamlit as st

from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, CHOICES, Protocol

STARTS = {"paper's text": AS_PAPER, "released code": AS_RELEASED}
GROUPS = {
    "Sizes and windows": ("size", "stride"),
    "Who judges sharpness": ("classifier", "branches", "trained_on", "classifier_infrared", "normalisation", "ties", "weighting"),
    "Enhancement and storage": ("enhance_infrared", "enhance_visible", "eight_bit", "jpeg_quality", "stretch"),
    "Retinex": ("ssr", "ssr_sigma", "ssr_unit", "clip"),
}
WIDEST = {"pixels": 2000.0, "image": 2.0}  # surrounds beyond these are flat on any image the page takes, and slow
_OWN = "own"  # an option of the size: height and width in two fields of their own


@cache
def documentation() -> dict[str, str]:
    """What the docstring of `Protocol` says of each field.

    Examples
    --------
    >>> documentation()["eight_bit"][:34]
    'Whether images pass between the st'
    >>> sorted(documentation()) == sorted(field.name for field in fields(Protocol))
    True
    """
    section = re.split(r"\n    (?:Raises|Examples)\n", re.split(r"Parameters\n    -+\n", Protocol.__doc__ or "")[1])[0]
    found = {}
    for heads, _, body in re.findall(r"^    ([\w, ]+) : ([^\n]*)\n((?:        [^\n]*\n?)+)", section, re.M):
        found |= dict.fromkeys(heads.split(", "), " ".join(body.split()))
    return found


def _key(name: str) -> str:
    return f"protocol.{name}"


def _start() -> None:
    """Set every widget to the protocol that was chosen to start from."""
    for name, value in asdict(STARTS[st.session_state[_key("start")]]).items():
        st.session_state[_key(name)] = value
    _spread()


def _spread() -> None:
    """Fields that have several widgets: those of the size, and whether there is JPEG at all."""
    size, quality = st.session_state[_key("size")], st.session_state[_key("jpeg_quality")]
    height, width = size or (456, 456)
    st.session_state.update({_key("size.kind"): _OWN if size else "the pair's", _key("size.height"): height, _key("size.width"): width})
    st.session_state.update({_key("jpeg"): quality is not None, _key("jpeg.quality"): quality or 75})


def _size(said: str) -> tuple[int, int] | None:
    kind = st.selectbox("size", ["the pair's", _OWN], key=_key("size.kind"), help=said)
    if kind != _OWN:
        return None
    for side in ("height", "width"):  # forgotten with their widgets
        st.session_state.setdefault(_key(f"size.{side}"), 456)
    down, across = st.columns(2)
    height = down.number_input("height", min_value=32, max_value=4096, step=8, key=_key("size.height"))
    width = across.number_input("width", min_value=32, max_value=4096, step=8, key=_key("size.width"))
    return int(height), int(width)


def _quality(said: str) -> int | None:
    if not st.toggle("jpeg_quality: stored as JPEG", key=_key("jpeg"), help=said):
        return None
    st.session_state.setdefault(_key("jpeg.quality"), 75)
    return int(st.slider("quality", 1, 100, key=_key("jpeg.quality")))


def _widget(name: str) -> Any:
    said = documentation()[name]
    if name == "size":
        return _size(said)
    if name == "jpeg_quality":
        return _quality(said)
    if name == "stride":
        return int(st.number_input(name, 1, 32, step=1, key=_key(name), help=said))
    if name == "ssr_sigma":
        widest = max(WIDEST.values())
        return float(st.number_input(name, 0.01, widest, step=10.0, key=_key(name), help=said))
    if CHOICES[name] == (False, True):
        return bool(st.toggle(name, key=_key(name), help=said))
    return st.selectbox(name, CHOICES[name], key=_key(name), help=said)


def protocol() -> Protocol:
    """The protocol that the sidebar's widgets say, where they are drawn.

    Raises
    ------
    ValueError
        For a surround that is wider than the page computes.
    """
    if _key("start") not in st.session_state:
        st.session_state[_key("start")] = next(iter(STARTS))
        _start()
    said = "All switches below are set to what this says; then change any of them."
    st.segmented_control("Start from", list(STARTS), key=_key("start"), required=True, on_change=_start, help=said)
    chosen: dict[str, Any] = {}
    for group, names in GROUPS.items():
        with st.expander(group):
            chosen |= {name: _widget(name) for name in names}
    widest = WIDEST[chosen["ssr_unit"]]
    if chosen["ssr_sigma"] > widest:
        raise ValueError(f"ssr_sigma: found {chosen['ssr_sigma']:g}, expected at most {widest:g} with the unit {chosen['ssr_unit']!r}")
    return Protocol(**chosen)


def differences(chosen: Protocol) -> list[str]:
    """Fields in which a protocol differs from the paper's text, with their values.

    Examples
    --------
    >>> differences(Protocol(ties="score"))
    ["ties='score'"]
    """
    return [f"{each.name}={value!r}" for each in fields(chosen) if (value := getattr(chosen, each.name)) != getattr(AS_PAPER, each.name)]
