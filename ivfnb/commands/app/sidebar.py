"""The sidebar: which pair, which methods, which convention of the metrics."""

from dataclasses import dataclass, replace

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

import ivfnb
from ivfnb.commands.app import switches
from ivfnb.commands.app.computing import OURS, Choice, listening, ours
from ivfnb.commands.app.limits import Limits
from ivfnb.commands.app.uploads import Given, Pair, member_of_zip, pairs_of_zip, read_pair, sample_pair
from ivfnb.datasets import matching
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED
from ivfnb.metrics import CONVENTIONS

SOURCES = ("Sample", "Two images", "Zip")
SUFFIXES = sorted(suffix.removeprefix(".") for suffix in matching.SUFFIXES)
MEANT = {
    "as their files say": None,
    "full: the whole range of 16 bits": "full",
    "minmax: from each image's least to its greatest value": "minmax",
}
NOBODY = "no other method"
SAID = {
    "standard": "Each metric by its published definition, sources and fused image of one size.",
    "as_released": "As the paper's released evaluator computes them: 8 bits, sources resized to the fused image, MI as twice the entropy.",
    "vifb": "The thirteen metrics of the benchmark VIFB by its rules, colour channel by colour channel.",
}
ORIGINS = {
    True: "Simulated from a photograph: one half is sharp in the visible image, the other in the infrared one.",
    False: "Real: near infrared and colour. Contains modified Copernicus Sentinel data.",
}


@dataclass(frozen=True)
class Wish:
    """What a user asks for; `pair` is None as long as no pair is there."""

    pair: Pair | None
    choices: tuple[Choice, ...]
    convention: str


def plain(text: str) -> str:
    """Text with every sign escaped that Markdown would read as its own, such as in the name of an uploaded file.

    Examples
    --------
    >>> plain("![a](b)_c")
    '\\\\!\\\\[a\\\\]\\\\(b\\\\)\\\\_c'
    """
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~$:&" else sign for sign in text)


def _given(file: UploadedFile) -> Given:
    return Given(file.name, file.getvalue())


def _remembered(key: tuple, make) -> Pair:
    """A pair that was read before in this session, if it is the same one; else what `make` reads, with what it warned of."""
    known = st.session_state.get("pair")
    if known is None or known[0] != key:
        st.session_state.pop("pair", None)  # of two pairs only one is kept
        with listening() as heard:
            pair = make()
        st.session_state["pair"] = known = key, replace(pair, notes=(*pair.notes, *heard))
    return known[1]


def _sample() -> Pair:
    pairs = ivfnb.dataset("sample", color=True)
    names = sorted(pairs.ids, key=lambda id: pairs[id].files["truth"] is not None)  # what a camera saw comes first
    name = st.selectbox("Sample pair", names, help="Small pairs that travel with the package.")
    st.caption(ORIGINS[pairs[name].files["truth"] is not None])
    return _remembered(("sample", name), lambda: sample_pair(pairs[name]))


def _levels() -> str | None:
    said = "What numbers of more than 8 bits mean. Images of 8 bits are levels 0..255 already."
    return MEANT[st.selectbox("Levels of deep images", list(MEANT), help=said)]


def _two_images(limits: Limits) -> Pair | None:
    said = f"At most {limits.megabytes} MB and {limits.megapixels:g} megapixels. The two show the same scene, in the same size."
    infrared, visible = (
        st.file_uploader(f"{role} image", SUFFIXES, key=f"upload.{role}", help=said, max_upload_size=limits.megabytes)
        for role in ("Infrared", "Visible")
    )
    levels = _levels()
    if infrared is None or visible is None:
        return None
    files = infrared, visible
    key = ("images", *(file.file_id for file in files), levels)
    return _remembered(key, lambda: read_pair(files[0].name.rpartition(".")[0], _given(files[0]), _given(files[1]), limits, levels))


def _zip(limits: Limits) -> Pair | None:
    said = "Files infrared/NAME.png and visible/NAME.png, or NAME\\_ir.png and NAME\\_vis.png: the names say which belong together."
    file = st.file_uploader("Zip of pairs", ["zip"], key="upload.zip", help=said, max_upload_size=limits.zip_bytes // 1_000_000)
    levels = _levels()
    if file is None:
        return None
    given = _given(file)
    pairs, faults = pairs_of_zip(given, limits)
    if faults:
        left = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        st.warning(f"Left out: {plain('; '.join(faults[:3]))}{left}")
    id = st.selectbox(f"Pair ({len(pairs)} in the zip)", list(pairs))

    def make() -> Pair:
        infrared, visible = (member_of_zip(given, pairs[id][role], limits) for role in ("infrared", "visible"))
        return read_pair(id, infrared, visible, limits, levels)

    return _remembered(("zip", file.file_id, id, levels), make)


def _methods() -> tuple[dict[str, str], dict[str, str]]:
    """Comparison methods that run here, with their citations, and those that do not, with what they lack."""
    lacks = {name: baseline.lacks() for name, baseline in ivfnb.BASELINES.items()}
    runs = {name: ivfnb.BASELINES[name].citation for name, lack in lacks.items() if not lack}
    return runs, {name: lack for name, lack in lacks.items() if lack}


def _cost(name: str) -> str:
    slow = ivfnb.BASELINES[name].competitor.cost == "slow"
    return " Slow: ten seconds a megapixel and more." if slow else ""


def _choices() -> tuple[Choice, ...]:
    runs, lacks = _methods()
    name = st.selectbox("Method", [OURS, *runs], key="method", help="The paper's pipeline, or a method it is compared with.")
    if name == OURS:
        protocol = switches.protocol()
        if differing := switches.differences(protocol):
            st.caption(f"Differs from the paper's text in {plain(', '.join(differing))}.")
        first = ours(protocol)
    else:
        first = Choice(name)
        st.caption(plain(runs[name]) + "." + _cost(name))
    presets = {choice.name: choice for choice in (ours(AS_PAPER), ours(AS_RELEASED))}
    others = [NOBODY, *(other for other in (*presets, *runs) if other != first.name)]
    second = st.selectbox("Beside it", others, key="second", help="A second method on the same pair, for comparison.")
    if second in runs:
        st.caption(plain(runs[second]) + "." + _cost(second))
    if lacks:
        with st.expander(f"{len(lacks)} methods lack something here"):
            st.markdown("\n".join(f"* {plain(name)}: {plain(lack)}" for name, lack in lacks.items()))
    return (first,) if second == NOBODY else (first, presets.get(second, Choice(second)))


def wish(limits: Limits) -> Wish:
    """Draw the sidebar, and say what is chosen in it; what is wrong with a file or a switch is said in its place.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    Wish
        `choices` is empty where a switch is refused.
    """
    pair: Pair | None = None
    choices: tuple[Choice, ...] = ()
    with st.sidebar:
        st.subheader("Pair")
        source = st.segmented_control("Where from", SOURCES, default=SOURCES[0], required=True, key="source", label_visibility="collapsed")
        try:
            pair = {"Sample": _sample, "Two images": lambda: _two_images(limits), "Zip": lambda: _zip(limits)}[source]()
        except ValueError as error:
            st.error(plain(str(error)))
        st.subheader("Method")
        try:
            choices = _choices()
        except ValueError as error:
            st.error(plain(str(error)))
        st.subheader("Metrics")
        convention = st.selectbox("Convention", list(CONVENTIONS), key="convention", help="Which rules the metrics follow.")
        st.caption(SAID[convention])
    return Wish(pair, choices, convention)
