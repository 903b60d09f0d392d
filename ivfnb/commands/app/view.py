"""The page: what was asked for is computed when its turn comes, and shown."""

import logging
import os
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ivfnb import __version__
from ivfnb.commands.app import panels
from ivfnb.commands.app.computing import Choice, Outcome, fuse, score
from ivfnb.commands.app.downloads import everything
from ivfnb.commands.app.limits import Limits, Turns
from ivfnb.commands.app.pictures import icon
from ivfnb.commands.app.sidebar import plain, wish
from ivfnb.commands.app.slider import before_after
from ivfnb.commands.app.uploads import Pair
from ivfnb.images import Image

KEPT = 4  # outcomes a session remembers, all of one pair
PAPER = "https://doi.org/10.1016/j.neucom.2024.127353"
PRIVACY = (
    "Images are computed on the machine that serves this page and held in its memory only; they are forgotten when the page is closed. "
    "Nothing is sent anywhere else, and no usage statistics are gathered."
)
_CSS = """<style>
.block-container { padding-top: 4rem; padding-bottom: 3rem; max-width: 80rem; }
h1 { font-size: clamp(1.5rem, 4vw, 2.25rem) !important; padding-top: 0 !important; }
[data-testid="stTable"] td, [data-testid="stTable"] th { padding: 0.2rem 0.5rem !important; font-size: 0.9rem; }
</style>"""


@st.cache_resource(show_spinner=False)
def turns(jobs: int) -> Turns:
    """The line of all users' computations."""
    return Turns(jobs)


@st.cache_resource(max_entries=8, show_spinner=False)
def _of_sample(choice: Choice, name: str, _pair: Pair, _limits: Limits) -> Outcome:
    """What comes of a sample pair, for all users alike."""
    return fuse(choice, _pair, _limits)


def _compute(choice: Choice, pair: Pair, convention: str, limits: Limits) -> Outcome | None:
    """An outcome with its metrics; None where the method refuses the pair, which is said in its place."""
    known: dict[tuple, Outcome] = st.session_state.setdefault("outcomes", {})
    for key in [key for key in known if key[0] != pair.key]:
        del known[key]
    outcome = known.get((pair.key, choice))
    if outcome is not None and convention in outcome.scores:
        return outcome
    place = st.empty()
    try:
        with turns(limits.jobs).turn(lambda before: _tell(place, before)), place, st.spinner(f"{choice.name} ..."):
            if outcome is None:
                outcome = _of_sample(choice, pair.name, pair, limits) if pair.shared else fuse(choice, pair, limits)
            score(outcome, pair, convention)
    except ValueError as error:
        st.error(plain(f"{choice.name}: {error}"))
        return None
    except Exception as error:  # another user's page, and this one's next choice, go on
        logging.getLogger(__name__).exception("%s failed", choice.name)
        st.error(
            plain(f"{choice.name} failed with {type(error).__name__}; the server's log says more. Try another method or a smaller pair.")
        )
        return None
    finally:
        place.empty()
    known[pair.key, choice] = outcome
    while len(known) > KEPT:
        del known[next(iter(known))]
    return outcome


def _tell(place: "st.delta_generator.DeltaGenerator", before: int) -> None:
    place.info(f"Waiting: {before} computation{'s' if before > 1 else ''} of other users come{'' if before > 1 else 's'} first.")


def _named_images(outcomes: Sequence[Outcome]) -> dict[str, Image]:
    """Every image there is, the sources first, by a name of its own."""
    found = {name: outcomes[0].stages[name] for name in ("Infrared", "Visible")}
    for outcome in outcomes:
        said = f": {outcome.choice.name}" if len(outcomes) > 1 else ""
        found |= {f"{name}{said}": image for name, image in outcome.stages.items() if name not in found}
    return found


@st.fragment
def _compare(outcomes: Sequence[Outcome]) -> None:
    """Two images over each other, to be chosen."""
    found = _named_images(outcomes)
    fused = [name for name in found if name.startswith("Fused")]
    first = fused if len(fused) > 1 else ["Visible", *fused]
    sides = [
        column.selectbox(side, list(found), list(found).index(default), key=f"{side}.{len(outcomes)}")
        for column, side, default in zip(st.columns(2), ("Left of the line", "Right of the line"), first, strict=True)
    ]
    before_after(found[sides[0]], found[sides[1]], (sides[0], sides[1]), "before_after")


def _seconds(outcome: Outcome, convention: str) -> str:
    return f"{plain(outcome.choice.name)}: fused in {outcome.seconds:.2f} s, scored in {outcome.scoring[convention]:.2f} s"


def _metrics(outcomes: Sequence[Outcome], convention: str) -> None:
    """The table of metrics beside the images, and how long it all took."""
    rows = [{"Metric": name, **values} for name, values in panels.marked_metrics(outcomes, convention)]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
    better = " The better of two is bold." if len(outcomes) > 1 else ""
    resized = [plain(each.choice.name) for each in outcomes if each.fitted[convention] == "resized"]
    fitted = f" Sources resized to the fused image of {' and '.join(resized)}." if resized else ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    st.caption(f"↑ higher is better, ↓ lower is better; convention {plain(convention)}.{better}{fitted}")
    st.caption(f"{'; '.join(_seconds(each, convention) for each in outcomes)}; {cores} cores.")


def _result(pair: Pair, outcomes: Sequence[Outcome], convention: str) -> None:
    images, table = st.columns([3, 2], gap="medium")
    with images:
        _compare(outcomes)
    with table:
        _metrics(outcomes, convention)
        name = f"{pair.name.replace('/', '-')}-{outcomes[0].choice.slug}.zip"
        st.download_button(
            "Download everything (zip)",
            lambda: everything(pair, outcomes, convention),
            name,
            "application/zip",
            key="download",
            on_click="ignore",
            icon=":material/download:",
            help="Fused images, every stage, weight map, metrics, histograms, both sources, and provenance.",
            width="stretch",
        )
    panels.tabs(pair, outcomes, convention)


def page(limits: Limits) -> None:
    """Draw the page.

    Parameters
    ----------
    limits : Limits
        Of what users may hand in, and of what is computed at once.
    """
    st.set_page_config("Infrared and visible image fusion", icon(), "wide")  # an icon by name would be fetched from elsewhere
    st.html(_CSS)
    wished = wish(limits)
    st.title("Infrared and visible image fusion")
    st.markdown(f"The method of [Qi et al. 2024]({PAPER}) and those it is compared with, on a pair of your own or a sample.")
    if wished.pair is None:
        st.info("Hand in an infrared and a visible image of one scene in the sidebar, registered and of one size, or choose a sample pair.")
    else:
        width, height = wished.pair.size
        st.markdown(f"**{plain(wished.pair.name)}**, {width} x {height} pixels")
        outcomes = [_compute(choice, wished.pair, wished.convention, limits) for choice in wished.choices]
        for warned in dict.fromkeys((*wished.pair.notes, *(said for each in outcomes if each for said in each.warned))):
            st.warning(plain(warned))
        if there := [each for each in outcomes if each]:
            _result(wished.pair, there, wished.convention)
    st.caption(f":material/lock: {PRIVACY} ivfnb {__version__}.")
