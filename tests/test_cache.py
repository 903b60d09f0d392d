"""What is remembered does not outlive its code: the key follows the imports, whole folders of them."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

from ivfnb import cache, paths
from ivfnb.cache import libraries

KEYS = {
    "metrics": ("ivfnb.metrics.scoring", "ivfnb.evaluation.fitting"),
    "windows": ("ivfnb.classifier.windows",),
    "fused": ("ivfnb.fusion.pipeline",),
    "CBF": ("ivfnb.baselines.cbf",),
    "ConvSR": ("ivfnb.baselines.convsr",),
}


def hashes(folder) -> dict[str, str]:
    """Hash of each key with the copy of the package below a folder."""
    code = f"from ivfnb import cache\nfor key, modules in {KEYS!r}.items(): print(key, cache.code_hash(*modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        ("metrics/fidelity.py", {"metrics"}),
        ("evaluation/fitting.py", {"metrics"}),  # how sources are cut or resized before they are scored
        ("images/arrays.py", {"metrics", "fused", "windows", "CBF", "ConvSR"}),  # windows are judged on arrays
        ("classifier/dense.py", {"windows", "fused"}),
        ("enhance/filters.py", {"fused"}),
        ("fusion/blend.py", {"fused", "metrics"}),  # fitting knows the released size
        ("baselines/cbf.py", {"CBF"}),
        ("baselines/common/sparse.py", {"CBF", "ConvSR"}),
        ("report/tables.py", set()),
        ("commands/score.py", set()),
    ],
)
def test_an_edit_changes_the_keys_of_what_it_takes_part_in(tmp_path, changed, keys):
    shutil.copytree(paths.PACKAGE, tmp_path / "ivfnb", ignore=shutil.ignore_patterns("__pycache__"))
    before = hashes(tmp_path)
    file = tmp_path / "ivfnb" / changed
    file.write_text(file.read_text() + "\n# an edit\n")
    after = hashes(tmp_path)
    assert {key for key in KEYS if before[key] != after[key]} == keys


def test_a_new_module_of_a_folder_counts(tmp_path):
    shutil.copytree(paths.PACKAGE, tmp_path / "ivfnb", ignore=shutil.ignore_patterns("__pycache__"))
    before = hashes(tmp_path)
    (tmp_path / "ivfnb" / "metrics" / "new.py").write_text("")
    assert {key for key, value in hashes(tmp_path).items() if value != before[key]} == {"metrics"}


@pytest.mark.parametrize(
    ("library", "keys"),
    [
        ("numpy", {"metrics", "fused", "windows", "CBF", "ConvSR"}),
        ("safetensors", {"fused", "windows", "CBF", "ConvSR"}),
        ("opencv-python-headless", {"metrics", "fused", "windows", "CBF", "ConvSR"}),
        ("PyWavelets", {"metrics"}),
        ("matplotlib", set()),
    ],
)
def test_another_version_of_a_library_changes_the_keys_of_what_imports_it(library, keys, monkeypatch):
    def fresh():
        cache.code_hash.cache_clear()
        libraries._version.cache_clear()
        return {key: cache.code_hash(*modules) for key, modules in KEYS.items()}

    before, real = fresh(), libraries.version
    with monkeypatch.context() as patch:
        patch.setattr(libraries, "version", lambda name: "99.0" if name == library else real(name))
        after = fresh()
    assert {key for key in KEYS if after[key] != before[key]} == keys
    assert fresh() == before


def test_every_library_that_is_imported_is_found_by_its_name():
    """A distribution with another name than its module would always count as absent."""
    others = {name for file in paths.PACKAGE.rglob("*.py") for name in cache.imported(file.read_bytes())}
    absent = {told.split()[0] for told in libraries.versions(others) if told.endswith(" absent")} - {"ivfnb"}
    assert {name for name in absent if importlib.util.find_spec(name)} == set()


def test_a_module_without_source_is_named():
    with pytest.raises(ValueError, match=r"found no source of ivfnb\.nowhere, expected modules"):
        cache.sources("ivfnb.nowhere")


def test_a_folder_for_files_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    folder = cache.folder("training")
    assert folder == tmp_path / "cache" / "training"
    (folder / "kept.pt").write_bytes(b"what a run goes on from")
    assert cache.folder("training") == folder
    assert (folder / "kept.pt").read_bytes() == b"what a run goes on from"


@pytest.mark.parametrize("trouble", ["a file where the folder should be", "read-only"])
def test_no_folder_where_nothing_can_be_written(tmp_path, monkeypatch, trouble):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    cache.entries._warn.cache_clear()
    if trouble == "read-only":  # to root everything may be written
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    else:
        (tmp_path / "cache").write_text("")
    with pytest.warns(cache.CacheWarning, match="nothing is remembered, which costs time and no result"):
        assert cache.folder("training") is None
