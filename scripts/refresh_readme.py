"""Write the README's section of findings anew from `results/paper/`: python scripts/refresh_readme.py [--check]

`--check` writes nothing and ends with 1 where the README says something else than the tables. The site takes the same sentences.
"""

import re
import sys

from ivfnb import paths

sys.path.insert(0, str(paths.PACKAGE.parent / "docs"))
from _make import findings

SECTION = "What was found"


def main() -> int:
    """Write the README, or compare it."""
    path = paths.root() / "README.md"
    before = path.read_text(encoding="utf-8")
    after = re.sub(rf"(?<=^## {SECTION}\n\n).*?(?=\n\n## )", lambda _: findings.findings(), before, flags=re.S | re.M)
    if "--check" in sys.argv[1:]:
        return int(after != before)
    path.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
