"""pyproject, lock and conda file say the same."""

import re
import subprocess
import sys
import tomllib

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


def test_lock_satisfies_the_project():
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
    for requirement in map(Requirement, wanted):
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


def test_import_is_light():
    code = "import sys, time; t = time.perf_counter(); import ivfnb; print(time.perf_counter() - t); print('torch' in sys.modules)"
    seconds, torch = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert torch == "False"
    assert float(seconds) < 0.5
