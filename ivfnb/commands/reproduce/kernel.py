"""Notebooks executed by papermill, in a kernel of this interpreter whose sockets and files lie in a private folder."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ivfnb import files, paths
from ivfnb.report import contents

VARIABLES = ("IVFNB_DATA", "IVFNB_CACHE")  # folders that kernels, which start elsewhere, must find as well
PREFIX, LOCK = "ivfnb-run-", "lock"  # of private folders, and the file in each that its run holds

PATIENCE = 120  # seconds that a kernel on a busy machine may take to hand over a figure; nbclient gives it 4


@contextmanager
def private_folder() -> Iterator[Path]:
    """A temporary folder of this run alone, removed at its end; those that killed runs left are removed now."""
    from filelock import FileLock, Timeout

    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(Timeout, OSError), FileLock(lock).acquire(timeout=0):
            shutil.rmtree(lock.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with FileLock(folder / LOCK):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kernel_of_this_interpreter() -> Iterator[dict[str, Any]]:
    """papermill's settings for a kernel that is `sys.executable`, whatever kernels and settings Jupyter and IPython know of the user's.

    The variables that name folders are made absolute meanwhile, since a kernel starts in the notebooks' folder.
    """
    from traitlets.config import Config

    before = dict(os.environ)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with private_folder() as folder:
        spec = {
            "argv": argv,
            "display_name": "Python 3",
            "language": "python",
            "env": {"TQDM_DISABLE": "1"},
        }  # a page keeps no progress bars
        files.write_json(folder / "kernels" / "python3" / "kernel.json", spec)
        named = {name: str(Path(os.environ[name]).expanduser().resolve()) for name in VARIABLES if os.environ.get(name)}
        own = {"JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "IPYTHONDIR": str(folder / "ipython")}
        search = os.pathsep.join(filter(None, (str(folder), os.environ.get("JUPYTER_PATH"))))
        os.environ.update(named, IVFNB_RESULTS=str(paths.results_root()), JUPYTER_PATH=search, **own)
        try:
            # sockets in files, so no port is opened
            manager = {"transport": "ipc", "ip": str(folder / "k"), "connection_file": str(folder / "kernel.json")}
            yield {"kernel_name": "python3", "config": Config({"KernelManager": manager})}
        finally:
            os.environ.clear()
            os.environ.update(before)


def _plain(path: Path) -> str:
    """A path as papermill takes it, which fills in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _error(name: str, value: str) -> str:
    """An error of a cell, a full disk in plain words."""
    known = re.search(r"\[Errno (\d+)\] ([^:]*)(?:: '(.*)')?", value)
    if known and name == "OSError":
        return files.trouble(OSError(int(known[1]), known[2], known[3]))
    return f"{name}: {value}"


def execute(path: Path, executed: Path, parameters: dict[str, Any], kernel: dict[str, Any]) -> str | None:
    """Execute a notebook into a file, which is replaced at the end; its page of HTML is written beside, or withdrawn where a cell failed.

    Parameters
    ----------
    path, executed : Path
        The notebook, and what becomes of it.
    parameters : dict
    kernel : dict
        As `kernel_of_this_interpreter` gives it.

    Returns
    -------
    str or None
        None when it went well, else a message that names notebook, cell and error.

    Raises
    ------
    OSError
        Where the executed notebook cannot be written; the earlier one is whole then.
    """
    from nbclient.exceptions import CellTimeoutError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    failure, bar = None, {"desc": path.stem, "mininterval": 0.5}
    with files.replacing(executed) as beside:
        try:
            execute_notebook(_plain(path), _plain(beside), parameters, progress_bar=bar, cwd=path.parent, iopub_timeout=PATIENCE, **kernel)
        except PapermillExecutionError as error:
            first = next((line for line in error.source.splitlines() if line.strip()), "")
            where = f"{path.name}, cell {error.cell_index} (In [{error.exec_count}], {first!r})"
            failure = f"{where}: {_error(error.ename, error.evalue)}\nThe notebook with its traceback: {executed}"
        except (CellTimeoutError, RuntimeError) as error:  # a kernel that died, or never lived, is a RuntimeError
            failure = f"{path.name}: {type(error).__name__}: {error}\nThe notebook as far as it came: {executed}"
    if failure:
        executed.with_suffix(".html").unlink(missing_ok=True)  # it shows an earlier run
    else:
        files.write_text(executed.with_suffix(".html"), contents.executed(executed))
    return failure
