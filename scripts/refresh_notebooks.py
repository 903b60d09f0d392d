"""Run the notebooks with their defaults, the offline demo, and store what a reader of the page sees: figures, tables and checked values.

    python scripts/refresh_notebooks.py           # all five
    python scripts/refresh_notebooks.py 03,04     # some of them

Each code cell keeps the hash of the source that made its outputs, each notebook the hash of all sources and of all checked outputs, so that
`faults` can say whether outputs are those of the cells as they stand. What changes from run to run is not stored: times of execution,
progress bars, warnings, the line of provenance of the cell tagged `plumbing`, and seconds, whose cells are tagged `timing`. Results go to a
folder that is thrown away.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from ivfnb import paths
from ivfnb.commands import profiles, reproduce

MARK = "# NBVAL_CHECK_OUTPUT"  # first line of a cell whose outputs nbval compares
KEY = "ivfnb"  # of the metadata in which the hashes stand
LARGEST = 1_500_000  # bytes of a notebook
UNSTORED = {"plumbing", "timing"}  # tags of cells whose outputs belong to one run on one machine
PATIENCE = 3600  # seconds that a cell may take, for a machine that is busy with other things


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def printed(cell: nbformat.NotebookNode) -> str:
    """What a cell wrote to the standard output."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


def hashes(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Hashes over the whole notebook: of the sources of its code, and of its checked outputs."""
    cells = code_cells(notebook)
    checked = [printed(cell) for cell in cells if cell.source.startswith(MARK)]
    return {"sources": digest(*(cell.source for cell in cells)), "checked": digest(*checked)}


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Leave out what changes from run to run, and seal the outputs with the hashes of what made them."""
    for cell in code_cells(notebook):
        cell.metadata.pop("execution", None)
        keep = UNSTORED.isdisjoint(cell.metadata.get("tags", []))
        cell.outputs = [output for output in cell.outputs if keep and output.get("name") != "stderr"]
        cell.metadata[KEY] = {"source": digest(cell.source)}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}, KEY: hashes(notebook)})


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """Why stored outputs are not those of the cells as they stand, one text each; none where they are."""
    found = []
    for cell in code_cells(notebook):
        first = next(iter(line for line in cell.source.splitlines() if line != MARK), "")
        if cell.metadata.get(KEY, {}).get("source") != digest(cell.source):
            found.append(f"the outputs of the cell {first!r} come from another source")
        elif cell.execution_count is None:
            found.append(f"the cell {first!r} was not run")
    kept, now = notebook.metadata.get(KEY, {}), hashes(notebook)
    if kept.get("sources") != now["sources"] and not found:
        found.append("a code cell was added, moved or taken away after the outputs were made")
    if kept.get("checked") != now["checked"]:
        found.append("a checked value was changed after the other outputs were made")
    return found


def execute(notebook: nbformat.NotebookNode, folder: str) -> None:
    """Run a notebook in a folder with a kernel of this interpreter, and keep its outputs in it."""
    with reproduce.kernel_of_this_interpreter() as kernel:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=PATIENCE, iopub_timeout=120, coalesce_streams=True, resources=resources, **kernel).execute()


def main(only: str | None = None) -> int:
    if (found := paths.root()) != (expected := Path(__file__).resolve().parents[1]):
        sys.exit(f"ivfnb: found the package of {found}, expected that of {expected}, whose notebooks would be run with other code")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(IVFNB_RESULTS=folder, IVFNB_DATA=folder)  # what the repository carries, and no data set beside it
        for path in tqdm(list(profiles.select(only).values()), desc="notebooks"):
            notebook = nbformat.read(path, as_version=4)
            execute(notebook, str(path.parent))
            tidy(notebook)
            nbformat.write(notebook, path)
            if (size := path.stat().st_size) > LARGEST:
                print(f"{path.name}: found {size} bytes, expected at most {LARGEST}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
