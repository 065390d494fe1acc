"""A browser without a window, where the machine has one: it opens pages and says what it sees."""

import functools
import html
import json
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@functools.cache
def browser():
    """The browser's path and the reason where there is none that works."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        return None, f"no browser is installed (looked for {', '.join(NAMES)})"
    try:
        done = subprocess.run([found, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{found} does not start: {error}"
    return (found, "") if done.returncode == 0 else (None, f"{found} --version fails")


def opened(path, *options, fragment="", folder=None):
    """What the browser writes after it has opened a page with these options."""
    found, why = browser()
    if found is None:
        pytest.skip(why)
    command = [
        found, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--window-size=1200,800", "--virtual-time-budget=20000",
        f"--user-data-dir={folder or path.parent / 'browser'}", *options,
        f"{path.as_uri()}{fragment}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    return done.stdout.decode("utf-8")


def results_of(path, *options):
    """The results of the page's test of itself."""
    text = opened(path, "--dump-dom", *options, fragment="#selftest")
    (found,) = re.findall(r'<pre id="selftest"[^>]*>(.*?)</pre>', text, re.DOTALL)
    results = json.loads(html.unescape(found))
    assert results["error"] is None, results["error"]
    return results
