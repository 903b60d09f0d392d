"""Rows of one run: those of several commits or profiles are refused where they would become one table, unless that is asked for."""

from pathlib import Path

import pandas as pd

from ivfnb import provenance

ORIGIN = ("profile", "commit")  # columns that say where a row comes from


def one_run(frame: pd.DataFrame, what: str = "table") -> None:
    """Refuse rows of several runs.

    Parameters
    ----------
    frame : DataFrame
        Its columns "profile" and "commit", where it has them, say where its rows come from.
    what : str
        Name of the argument, for the message.

    Raises
    ------
    ValueError
        Where there is more than one of either; the message names them.

    Examples
    --------
    >>> one_run(pd.DataFrame({"EN": [6.5, 7.0], "profile": ["demo", "demo"]}))
    >>> one_run(pd.DataFrame({"EN": [6.5, 7.0], "profile": ["demo", "tno"]}))
    Traceback (most recent call last):
    ...
    ValueError: table: found rows of the profiles demo, tno, expected those of one (mixed=True takes them together)
    """
    for column in ORIGIN:
        if column in frame.columns and len(found := frame[column].fillna("none").astype(str).unique()) > 1:
            told = ", ".join(name[:10] for name in found[:4])
            raise ValueError(f"{what}: found rows of the {column}s {told}, expected those of one (mixed=True takes them together)")


def load(*tables: str | Path, mixed: bool = False) -> pd.DataFrame:
    """Tables that runs wrote, one below the other, with the columns "profile" and "commit" of the run that wrote each.

    Parameters
    ----------
    *tables : str or Path
        CSV files below `results/<profile>/`.
    mixed : bool
        Takes rows of several runs, and files that no record lists as they are, whose origin is left empty.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        For no table, one that is not what a run recorded, or tables of several commits or profiles.
    """
    frames = []
    for table in tables:
        known = provenance.origin(table)
        if known is None and not mixed:
            raise ValueError(f"{table}: found no record of a run that wrote it as it is, expected one (mixed=True takes it)")
        frame, known = pd.read_csv(table, dtype={"id": str}), known or {}
        frames.append(frame.assign(**{column: known.get(column) for column in ORIGIN}))
    if not frames:
        raise ValueError("tables: found none, expected CSV files of runs")
    joined = pd.concat(frames, ignore_index=True)
    if not mixed:
        one_run(joined, "tables")
    return joined
