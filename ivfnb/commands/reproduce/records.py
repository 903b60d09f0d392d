"""What is current in a folder of results: a record of each notebook's last run, `state.json`, and the lock that keeps runs apart.

A record is written before a notebook runs, as "running", and after it, as "done" or "failed". It holds what the results depend on (`keys`)
and the hash of each file that the notebook wrote. Files of an earlier run that the later one did not write are withdrawn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ivfnb import files, provenance
from ivfnb.commands.reproduce.keys import Key, changes

STATE, LOCK, CONTENTS = "state.json", ".lock", "index.html"
NOTHING = "no run of it is recorded"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder of results; what killed runs left half-written there is removed.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ValueError
        Where another run is at work there.
    OSError
        Where the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        expected = "expected none; wait for its end, or name another place for results (IVFNB_RESULTS)"
        raise ValueError(f"{folder}: found another run at work there, {expected}") from None
    try:
        for place in (folder, *(below for below in folder.rglob("*") if below.is_dir())):
            files.leftovers.sweep(place, age=0)
        yield
    finally:
        lock.release()


def written(folder: Path) -> dict[str, tuple[int, ...]]:
    """Result files of a folder by their path below it, with what changes when one is written."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    marks = {path.relative_to(folder).as_posix(): path.stat() for path in found}
    own = {name for name in marks if "/" not in name and (name in (STATE, CONTENTS) or Path(name).match("run*.json"))}
    return {name: (mark.st_ino, mark.st_mtime_ns, mark.st_size) for name, mark in sorted(marks.items()) if name not in own}


class State:
    """Records of the notebooks' last runs into a folder.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    records : dict
        By the notebook's stem.
    """

    def __init__(self, folder: Path) -> None:
        """Records as they are in the folder; none where they do not read."""
        read = files.read_json(folder / STATE)
        found = read.get("notebooks") if isinstance(read, dict) else None
        self.folder, self._before = folder, dict[str, tuple[int, ...]]()
        self.records: dict[str, dict[str, Any]] = {}
        for stem, record in found.items() if isinstance(found, dict) else ():
            if isinstance(record, dict) and isinstance(record.get("key"), dict) and isinstance(record.get("files"), dict):
                self.records[stem] = record

    def _write(self) -> None:
        files.write_json(self.folder / STATE, {"notebooks": self.records}, indent=1)

    def why(self, stem: str, key: Key) -> str:
        """Why what is there of a notebook is not what a run would give; "" where it is."""
        record = self.records.get(stem)
        if record is None:
            return NOTHING
        if record.get("state") != "done":
            return "its last run failed" if record.get("state") == "failed" else "its last run was interrupted"
        if told := changes(record["key"], key):
            return f"changed: {', '.join(told)}"
        for name, digest in record["files"].items():
            path = self.folder / name
            if not path.is_file():
                return f"missing: {name}"
            if files.digest(path) != digest:
                return f"no longer as it was written: {name}"
        return ""

    def begin(self, stem: str, key: Key) -> None:
        """Record that a notebook runs: until it has ended, nothing that is there of it is current."""
        earlier = self.records.get(stem, {}).get("files", {})
        self.records[stem] = {"state": "running", **provenance.stamp(), "key": key, "files": earlier}
        self._write()
        for path in sorted(self.folder.glob("run*.json")):
            run = files.read_json(path)
            if isinstance(run, dict) and stem in run.get("seconds", {}):
                run.setdefault("superseded", {})[stem] = self.records[stem]["time"]
                files.write_json(path, run, indent=1)
        self._before = written(self.folder)

    def end(self, stem: str, seconds: float, failure: str | None) -> list[str]:
        """Record how a notebook's run ended; the names of the files of an earlier run that were withdrawn."""
        now, record = written(self.folder), self.records[stem]
        earlier, new = record["files"], [name for name, mark in now.items() if self._before.get(name) != mark]
        kept = [name for name in earlier if name in now] if failure else []
        withdrawn = []
        for name, digest in earlier.items():
            if name in now and name not in {*new, *kept} and files.digest(self.folder / name) == digest:
                (self.folder / name).unlink(missing_ok=True)
                withdrawn.append(name)
        hashes = {name: files.digest(self.folder / name) for name in sorted({*new, *kept})}
        ended = {"state": "failed" if failure else "done", "failure": failure, "seconds": round(seconds, 1), "files": hashes}
        self.records[stem] = {**record, **ended}
        self._write()
        return withdrawn


def write_run(folder: Path, state: State, stems: list[str], part: str, **extra: Any) -> dict[str, Any]:
    """Write the record of a whole run, `run.json`, or of a part of it; records of parts that later runs superseded are withdrawn.

    Parameters
    ----------
    folder : Path
    state : State
    stems : list of str
        The notebooks it is about.
    part : str
        As in `run_05.json`; "" for all notebooks.
    **extra : object
        What to say beside.

    Returns
    -------
    dict
        The record, as it was written.
    """
    of_them = {stem: state.records[stem] for stem in stems}
    listed = {name: digest for record in of_them.values() for name, digest in record["files"].items()}
    seconds = {stem: record["seconds"] for stem, record in of_them.items()}
    made = {stem: {name: record[name] for name in ("commit", "dirty", "time")} for stem, record in of_them.items()}
    path = provenance.write_run(folder / f"run{part}.json", **extra, seconds=seconds, notebooks=made, files=dict(sorted(listed.items())))
    for other in folder.glob("run_*.json"):
        run = files.read_json(other)
        if other != path and isinstance(run, dict) and set(run.get("seconds", {})) <= set(run.get("superseded", {})):
            other.unlink(missing_ok=True)
    return dict(files.read_json(path))
