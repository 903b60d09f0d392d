"""Profiles: parameters of the notebooks by name, checked before anything runs, since papermill would only log what it does not know."""

import ast
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError, create_model

from ivfnb import paths
from ivfnb.files.yaml_text import parsed, short

Parameters = dict[str, Any]


def notebooks() -> dict[str, Path]:
    """The numbered notebooks by their stem, in order."""
    return {path.stem: path for path in sorted((paths.root() / "notebooks").glob("[0-9][0-9]_*.ipynb"))}


def profiles() -> dict[str, Path]:
    """The profiles by name."""
    return {path.stem: path for path in sorted((paths.root() / "notebooks" / "profiles").glob("*.yaml"))}


def declared(notebook: Path) -> Parameters:
    """Parameters a notebook declares, with their defaults."""
    from papermill import inspect_notebook

    return {name: ast.literal_eval(entry["default"]) for name, entry in inspect_notebook(notebook).items()}


def _checked(origin: str, given: Any, every: Parameters) -> Parameters:
    """Parameters as their defaults' types allow, numbers at least 0; ValueError in one line that names the origin and the parameter."""
    if not isinstance(given, dict):
        raise ValueError(f"{origin}: found {type(given).__name__}, expected parameters and their values")
    if unknown := sorted(short(str(name))[1:-1] for name in given if name not in every):
        raise ValueError(f"{origin}: found unknown {', '.join(unknown)}; expected some of {', '.join(sorted(every))}")
    kinds: dict[str, Any] = {}
    for name in given:
        default = every[name]
        number = isinstance(default, int | float) and not isinstance(default, bool)
        kinds[name] = (type(default), Field(ge=0, allow_inf_nan=False) if number else ...)
    model = create_model("Profile", __config__=ConfigDict(strict=True, extra="forbid"), **kinds)
    try:
        model(**given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        least = " of at least 0" if "greater_than_equal" in error.errors()[0]["type"] else f" such as {every[name]!r}"
        raise ValueError(f"{origin}: found {name}={short(given[name])}, expected a {type(every[name]).__name__}{least}") from error
    return given


def _read(path: Path) -> Any:
    try:
        read = parsed(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path.name}: found no YAML that can be read ({str(error)[:200]}), expected lines such as 'n_pairs: 3'"
        ) from error
    return {} if read is None else read


def settings(profile: str, overrides: Parameters, known: dict[str, Parameters]) -> Parameters:
    """Parameters of a profile with overrides on top.

    Parameters
    ----------
    profile : name of a file in notebooks/profiles
    overrides : parameters that replace those of the profile
    known : by notebook, the parameters it declares with their defaults

    Raises
    ------
    ValueError
        For an unknown profile or key, a value of another type than the default's, or a number below 0; it lists the known ones.
    """
    if profile not in profiles():
        raise ValueError(f"profile: found {profile!r}, expected one of {sorted(profiles())}")
    every = {name: default for parameters in known.values() for name, default in parameters.items()}
    read = _checked(profiles()[profile].name, _read(profiles()[profile]), every)
    return {**read, **_checked("--set", overrides, every), "profile": profile}


def select(only: str | None) -> dict[str, Path]:
    """Notebooks named by `--only 04,05` (numbers or stems), all for None; ValueError lists them when one is unknown or none is named."""
    every = notebooks()
    if only is None:
        return every
    names = [part.strip() for part in only.split(",") if part.strip()]
    chosen = {stem: every[stem] for name in names for stem in every if name in (stem, stem[:2])}
    unknown = [name for name in names if not any(name in (stem, stem[:2]) for stem in every)]
    if unknown or not names:
        found = repr(unknown[0]) if unknown else repr(only)
        raise ValueError(f"--only: found {found}, expected some of {', '.join(every)} or their numbers")
    return dict(sorted(chosen.items()))
