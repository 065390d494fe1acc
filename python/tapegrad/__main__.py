"""`python -m tapegrad`: the command line."""

import sys

from tapegrad.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
