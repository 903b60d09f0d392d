"""Run the notebooks with their defaults and store only what nbval compares: the outputs of cells that begin `# NBVAL_CHECK_OUTPUT`.

Everything else (other outputs, execution counts, times) is stripped, so that a diff of a notebook is a diff of what somebody wrote.
"""

import os
import sys
import tempfile

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from ivfnb.commands import profiles

MARK = "# NBVAL_CHECK_OUTPUT"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IVFNB_RESULTS"] = folder
        for path in tqdm(list(profiles.select(sys.argv[1] if len(sys.argv) > 1 else None).values()), desc="notebooks"):
            notebook = nbformat.read(path, as_version=4)
            NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
            for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
                cell.metadata.pop("execution", None)
                if not cell.source.startswith(MARK):
                    cell.outputs, cell.execution_count = [], None
            notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
            nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
