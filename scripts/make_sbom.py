"""Write the list of what an installation of everything consists of, as CycloneDX: python scripts/make_sbom.py [FILE]

Names and versions are those of requirements.lock.txt; licences and dependencies are read from the packages that are installed here, and a
package that is not, or in another version, is listed without them. Two calls on one installation write the same bytes.
"""

import argparse
import json
import re
import sys
import tomllib
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ivfnb import __version__, files, paths

SPEC = "1.6"


def locked() -> dict[str, str]:
    """Versions of the lock by canonical name."""
    text = (paths.root() / "requirements.lock.txt").read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)$", text, flags=re.M)}


def installed(name: str, version: str) -> Distribution | None:
    """The package as it is installed, if in this version (a local build such as +cpu counts)."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return found if found.version.partition("+")[0] == version.partition("+")[0] else None


def licences(package: Distribution) -> list[dict[str, Any]]:
    """Licence as the package states it: an SPDX expression, a name, or those of its classifiers."""
    if expression := package.metadata.get("License-Expression"):
        return [{"expression": expression}]
    classified = [text.rpartition(" :: ")[2] for text in package.metadata.get_all("Classifier") or [] if text.startswith("License :: ")]
    stated = (package.metadata.get("License") or "").strip()
    names = classified or ([stated] if 0 < len(stated) < 80 and "\n" not in stated else [])
    return [{"license": {"name": name}} for name in names]


def reference(name: str, version: str) -> str:
    """Package URL."""
    return f"pkg:pypi/{name}@{version}"


def needs(package: Distribution, versions: dict[str, str]) -> list[str]:
    """References of what a package requires here, without its extras."""
    wanted = (Requirement(text) for text in package.requires or [])
    names = {canonicalize_name(each.name) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})}
    return sorted(reference(name, versions[name]) for name in names if name in versions)


def bill() -> dict[str, Any]:
    """The whole document."""
    versions = locked()
    components, dependencies = [], []
    for name, version in sorted(versions.items()):
        component: dict[str, Any] = {"type": "library", "bom-ref": reference(name, version), "name": name, "version": version}
        component["purl"] = reference(name, version)
        package = installed(name, version)
        if package is not None and (stated := licences(package)):
            component["licenses"] = stated
        components.append(component)
        dependencies.append({"ref": component["bom-ref"], "dependsOn": needs(package, versions) if package is not None else []})
    project = tomllib.loads((paths.root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    root = reference("ivfnb", __version__)
    main = {"type": "application", "bom-ref": root, "name": "ivfnb", "version": __version__, "purl": root}
    main["licenses"] = [{"expression": project["license"]}]
    dependencies.insert(0, {"ref": root, "dependsOn": sorted(reference(name, versions[name]) for name in direct if name in versions)})
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"component": main},
        "components": components,
        "dependencies": dependencies,
    }


def main() -> int:
    """Write the document, and say how much is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=paths.root() / "dist" / "ivfnb.cdx.json")
    given, document = parser.parse_args(), bill()
    files.write_json(given.file, document, indent=1)
    known = sum("licenses" in component for component in document["components"])
    print(f"{given.file}: {len(document['components'])} packages, {known} with a licence")
    return 0


if __name__ == "__main__":
    sys.exit(main())
