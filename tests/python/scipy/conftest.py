import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tables of cases stand beside the tests

pytest.importorskip("scipy")
