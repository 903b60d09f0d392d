"""pyproject, lock and conda file say the same."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ivfnb import paths

PROJECT = tomllib.loads((paths.root() / "pyproject.toml").read_text())["project"]
LOCK = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", (paths.root() / "requirements.lock.txt").read_text(), flags=re.M)
}


def test_lock_is_exact_and_has_no_local_build():
    lines = (paths.root() / "requirements.lock.txt").read_text().split()
    assert len(lines) == len(LOCK), "every line is name==version"
    assert not [line for line in lines if "+" in line], "a local build such as +cpu is on no public index"
    assert "opencv-python" not in LOCK, "opencv-python beside opencv-python-headless breaks both"


def wanted(extra):
    """Requirements of an extra, those of the extras it names included."""
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if canonicalize_name(requirement.name) == "ivfnb":
            yield from (each for name in requirement.extras for each in wanted(name))
        else:
            yield requirement


def test_lock_satisfies_the_project():
    for requirement in [*map(Requirement, PROJECT["dependencies"]), *wanted("all")]:
        version = LOCK.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in the lock"
        assert requirement.specifier.contains(version), f"{requirement}: the lock has {version}"


def test_conda_file_installs_the_lock_and_the_same_python():
    environment = yaml.safe_load((paths.root() / "environment.yml").read_text())
    plain = [item for item in environment["dependencies"] if isinstance(item, str)]
    python = next(item.partition("=")[2] for item in plain if item.startswith("python="))
    assert python == "3.11"
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python)
    assert sorted(plain) == ["pip", f"python={python}"], "whatever conda installed beside the lock could differ from it"
    assert environment["dependencies"][-1]["pip"] == ["-r requirements.lock.txt", "-e ."]


def test_what_is_kept_is_a_public_name():
    """Every public name exists and is listed, and those who complete by tab see it."""
    import ivfnb

    assert set(ivfnb.__all__) <= set(dir(ivfnb))
    for name in ivfnb.__all__:
        assert getattr(ivfnb, name) is not None
    with pytest.raises(AttributeError, match="module 'ivfnb' has no attribute 'fusefuse'"):
        _ = ivfnb.fusefuse


def test_the_rooms_are_few_and_no_module_is_long():
    package = paths.PACKAGE
    entries = [path for path in package.iterdir() if not path.name.startswith("__")]
    assert len(entries) <= 16, sorted(path.name for path in entries)
    long = {str(path.relative_to(package)): n for path in package.rglob("*.py") if (n := len(path.read_text().splitlines())) > 250}
    assert not long


# times what NumPy and OpenCV take: 0.03 and 1.7 were measured; pandas alone would make it 4
IMPORTS = {"ivfnb": 0.3, "ivfnb.metrics": 3.0}


def imported(modules):
    """Processor seconds of an import in a new process, and the modules that are there then."""
    code = f"import sys, time; t = time.process_time(); import {modules}; print(time.process_time() - t, *sys.modules)"
    seconds, *names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), set(names)


@pytest.mark.parametrize(("module", "limit"), IMPORTS.items())
def test_import_is_light(module, limit):
    """Without torch, Jupyter and Matplotlib, and quick: the least of five, beside NumPy and OpenCV in turn, on however busy a machine."""
    runs = [(imported("numpy, cv2"), imported(module)) for _ in range(5)]
    for _, (_, names) in runs:
        assert not {"torch", "IPython", "matplotlib.pyplot", "skimage", "scipy", "pandas"} & names
    libraries, ours = (min(seconds for seconds, _ in side) for side in zip(*runs, strict=True))
    assert ours < limit * libraries


def test_a_missing_extra_is_named(monkeypatch):
    """What needs torch says which extra brings it, where torch is not installed."""
    code = """
import sys
sys.modules["torch"] = None
import ivfnb
pair = ivfnb.dataset("sample")[0]
ivfnb.score(pair.visible, pair.infrared, pair.visible)
ivfnb.BASELINES["CBF"].fuse(pair.infrared[:40, :40], pair.visible[:40, :40])
for call in (lambda: ivfnb.fuse(pair.infrared, pair.visible), lambda: ivfnb.network, lambda: ivfnb.method(ivfnb.AS_PAPER)):
    try:
        call()
    except ModuleNotFoundError as error:
        print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["torch is not installed, and this needs it: pip install 'ivfnb[network]'"] * 3
