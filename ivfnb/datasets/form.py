"""The form of data/manifest.yaml: which keys a set may have and what may stand in them, checked before any of it is used.

Only `manifest` imports this module, and only when a manifest is read: pydantic and YAML take longer to import than the rest of the room.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, StringConstraints, ValidationError
from pydantic import model_validator as check

from ivfnb import paths
from ivfnb.datasets.errors import DatasetError
from ivfnb.files.yaml_text import parsed, short

SHIPPED = ("manifest.yaml", "readme.md", "paper", "sample", "weights")  # what the project itself keeps in data/: no download goes there
ROLES = {"pairs": {"infrared", "visible"}, "fused": {"fused"}, "weights": {"weights"}}  # folders that a set of each kind must have


def _below(path: str) -> str:
    """A path that stays below the folder it is joined to, on every system, and leads to nothing hidden."""
    parts = path.split("/")
    if any(not part or part.startswith(".") or not part.isprintable() or set(part) & set('\\:"<>|?') for part in parts):
        raise ValueError(f"found {short(path)}, expected a path below a data root, such as tno21/ir, without ., .., drive or hidden folder")
    return path


def _own(path: str) -> str:
    """A path below a data root to which something may be downloaded or unpacked."""
    if _below(path).partition("/")[0].casefold() in SHIPPED:
        raise ValueError(f"found {short(path)}, expected a folder of the set's own, since the project keeps {', '.join(SHIPPED)} in data/")
    return path


def _plain(name: str) -> str:
    if "/" in _below(name):
        raise ValueError(f"found {short(name)}, expected a name without folders")
    return name


def _ids(ids: object) -> object:
    if ids is None or ids == "pinned" or (isinstance(ids, int) and not isinstance(ids, bool) and ids >= 0):
        return ids
    raise ValueError(f"found {short(ids)}, expected a number of images or 'pinned'")


Below = Annotated[str, AfterValidator(_below)]
Own = Annotated[str, AfterValidator(_own)]
Plain = Annotated[str, AfterValidator(_plain)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+[^\s]*$")]
Digest = Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|git:[0-9a-f]{40})$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _row(row: tuple[str, int, str, str | None, str | None]) -> tuple[str, int, str, str | None, str | None]:
    file, _, _, source, inside = row
    if (source is None) != (inside is None):
        raise ValueError(f"found {short(list(row[3:]))}, expected a source and a path in it, or neither")
    if source is not None:
        _own(file)
    if inside and "!" in inside:
        _below(inside.partition("!")[2])
    return row


Row = Annotated[tuple[Below, NonNegativeInt, Sha256, str | None, str | None], Field(strict=False), AfterValidator(_row)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Archive(_Form):
    """What to download and unpack: `file` below a data root, and how much it may unpack to (bytes)."""

    file: Own
    limit: PositiveInt
    url: Url | None = None
    bytes: NonNegativeInt | None = None
    digest: Digest | None = None


class File(_Form):
    """One file of a set of weights."""

    file: Plain
    url: Url
    digest: Digest
    bytes: NonNegativeInt | None = None
    optional: bool = False


class Set(_Form):
    """A set as the manifest writes it; the keys are explained at the manifest's head."""

    kind: Literal["pairs", "photographs", "fused", "weights"]
    title: str
    licence: str = ""
    citation: str = ""
    homepage: str = ""
    note: str = ""
    folders: dict[str, Below] = {}
    ids: Annotated[Any, AfterValidator(_ids)] = None
    expected: NonNegativeInt | None = None
    first: PositiveInt | None = None
    sequences: Below | None = None
    open: bool = False
    packages: dict[Below, list[Plain]] = {}
    archives: list[Archive] = []
    files: list[File] = []
    unpack: Annotated[str, AfterValidator(lambda path: path and _own(path))] = ""
    by_hand: str = ""
    family: dict[Plain, str] = {}

    @check(mode="after")
    def _agrees(self) -> "Set":
        roles, needed = set(self.folders), ROLES.get(self.kind, set())
        if not needed <= roles or (needed and roles - needed - {"truth"}) or not (self.folders or self.packages):
            raise ValueError(f"found folders for {short(sorted(roles))}, expected {' and '.join(sorted(needed)) or 'at least one'}")
        if self.archives and not self.unpack:
            raise ValueError("found archives and no key unpack, expected the folder to unpack them into")
        if self.files and self.kind != "weights":
            raise ValueError(f"found the key files in a set of {self.kind}, expected it only in a set of weights")
        for member in (self.family or [""]) if self.files else ():
            _own(self.folders["weights"].replace("*", member))
        return self


class Manifest(_Form):
    """A whole manifest: the sets, and what they pin."""

    sets: dict[str, Set]
    sources: dict[str, Url] = {}
    pins: list[Row] = []

    @check(mode="after")
    def _known(self) -> "Manifest":
        seen: set[str] = set()
        for number, (file, _, _, source, _) in enumerate(self.pins):
            if source is not None and source not in self.sources:
                raise ValueError(f"found the source {short(source)} in pins.{number}, expected one of {', '.join(self.sources) or 'none'}")
            if file in seen:
                raise ValueError(f"found {short(file)} pinned twice, expected each file once")
            seen.add(file)
        return self


def read(path: Path) -> Manifest:
    """The content of a manifest; DatasetError in one line that names file and key where it is no YAML or has not the form of a manifest."""
    root = paths.root()
    where = str(path.relative_to(root) if path.is_relative_to(root) else path)
    try:
        content = parsed(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{where}: found {' '.join(str(error).split())}, expected YAML") from error
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise DatasetError(f"{where}: {_line(error)}") from None


def _line(error: ValidationError) -> str:
    """The first thing that is wrong, in one line: where, what was found and what was expected."""
    first, *more = error.errors(include_url=False)
    where = ".".join(str(part) if str(part).isprintable() else ascii(part) for part in first["loc"] if part != "[key]")
    kind, context = first["type"], first.get("ctx", {})
    if kind == "value_error":
        what = str(context["error"])
    elif kind == "extra_forbidden":
        what = f"found an unknown key, expected one of {', '.join(_form_at(first['loc']).model_fields)}"
    elif kind == "missing":
        what = "found nothing, expected a value"
    elif kind == "string_pattern_mismatch":
        what = f"found {short(first['input'])}, expected text of the form {context['pattern']}"
    elif kind in ("model_type", "dict_type"):
        what = f"found {short(first['input'])}, expected keys and values"
    else:
        what = f"found {short(first['input'])}, expected {context.get('expected') or first['msg'].removeprefix('Input should be ')}"
    return (f"{where}: " if where else "") + what + (f" (and {len(more)} more)" if more else "")


def _form_at(place: tuple[int | str, ...]) -> type[_Form]:
    forms: dict[str, type[_Form]] = {"archives": Archive, "files": File}
    return Manifest if len(place) < 3 else forms.get(str(place[2]), Set) if len(place) > 3 else Set
