"""`python -m ivfnb`."""

import sys

from ivfnb.commands import main

sys.exit(main())
