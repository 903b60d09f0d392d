"""`python -m ivfnb`."""

import sys

from ivfnb.cli import main

sys.exit(main())
