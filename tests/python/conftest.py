import sys
from pathlib import Path

import pytest

import tapegrad as tg
from tapegrad import _core

sys.path.insert(0, str(Path(__file__).parent))  # tables of cases stand beside the tests


@pytest.fixture
def threads():
    """Sets the number of threads; every array is worth splitting while it is in use."""
    before = tg.get_num_threads()
    _core.set_work_threshold_ns(0)
    yield tg.set_num_threads
    tg.set_num_threads(before)
    _core.set_work_threshold_ns(20_000)
