"""What of the paper's comparison is at hand in a run, and which command brings the rest."""

from collections.abc import Iterable

import pandas as pd

from ivfnb.evaluation.competitors.origins import NAMES, NONE, Row


def at_hand(chosen: Iterable[Row]) -> pd.DataFrame:
    """Where each row of a table of methods gets its images.

    Parameters
    ----------
    chosen : iterable of Row

    Returns
    -------
    DataFrame
        A row each: method, images (their origin), variant, "why none".

    Examples
    --------
    >>> at_hand([Row("PMGI", NONE, reason="needs its weights")]).iloc[0].tolist()
    ['PMGI', 'none at hand', '', 'needs its weights']
    """
    columns = ["method", "images", "variant", "why none"]
    return pd.DataFrame([(row.name, row.source, row.variant, row.reason) for row in chosen], columns=columns)


def absent(chosen: Iterable[Row]) -> str:
    """One paragraph that names the paper's methods without images, and the commands that bring them.

    Parameters
    ----------
    chosen : iterable of Row

    Returns
    -------
    str
        "" where nothing is absent.

    Examples
    --------
    >>> print(absent([Row("CBF", NONE, reason="own implementation not in this run"), Row("PMGI", NONE, reason="needs its weights: fetch")]))
    2 of the paper's 17 methods have no images in this run. Not chosen here: CBF ("ivfnb reproduce --set baselines=all" runs all that can
    run). Without weights: PMGI ("ivfnb fetch weights/NAME" brings them).
    """
    empty = [row for row in chosen if row.source == NONE and row.name in NAMES]
    if not empty:
        return ""
    unchosen = [row.name for row in empty if row.reason.startswith("own implementation not in this run")]
    unweighted = [row.name for row in empty if row.reason.startswith("needs") and row.name not in unchosen]
    others = [row.name for row in empty if row.name not in (*unchosen, *unweighted)]
    said = [f"{len(empty)} of the paper's {len(NAMES)} methods have no images in this run."]
    if unchosen:
        said.append(f'Not chosen here: {", ".join(unchosen)} ("ivfnb reproduce --set baselines=all" runs all that can run).')
    if unweighted:
        said.append(f'Without weights: {", ".join(unweighted)} ("ivfnb fetch weights/NAME" brings them).')
    if others:
        said.append(f"Otherwise absent: {', '.join(others)}.")
    return " ".join(said)
