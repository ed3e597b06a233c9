"""The embed in a real browser, driven by playwright-core: each file here is a run of Node's own tests."""

import base64
import io
import os
import shutil
import subprocess
from pathlib import Path
from unicodedata import normalize

import httpx
import pytest
from pypdf import PdfReader

from tests.browser.chromium import NAMES, Tab, started
from tests.conftest import Live
from tests.node import ROOT, need_node
from tests.programs import need

HERE = Path(__file__).parent
SECONDS_MAX = 280


@pytest.mark.parametrize("file", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_in_the_browser(file: str, dossier: Live, live: Live) -> None:
    need_node()
    environment = {
        **os.environ,
        "SERVICE": dossier.base_url,
        "WRITABLE": live.base_url,
        "KEY": live.key,
        "CHROMIUM": need(*NAMES),
        "NO_COLOR": "1",
    }
    command = [shutil.which("node") or "node", "--test", "--test-reporter=spec", HERE / file]
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "ℹ pass 0" not in run.stdout, run.stdout


@pytest.mark.parametrize("scripts", [True, False], ids=["with its script", "without"])
def test_what_is_printed_holds_every_headline_and_address(
    dossier: Live, reader: httpx.Client, tmp_path: Path, scripts: bool
) -> None:
    listed = reader.get("/v1/timelines/kosovo/events").json()
    with started(tmp_path) as browser:
        tab = Tab(browser, scripts=scripts)
        tab.open(f"{dossier.base_url}/embed/timelines/kosovo")
        if scripts:
            tab.wait("!!document.querySelector('event-timeline').shadowRoot?.querySelector('[data-id]')")
        printed = base64.b64decode(tab.call("Page.printToPDF")["data"])
    pages = (normalize("NFKC", page.extract_text()) for page in PdfReader(io.BytesIO(printed)).pages)
    text = "".join("".join(page.split()) for page in pages)  # Ligatures are letters again.
    for event in listed["items"]:
        assert "".join(event["title"].split()) in text
    for source in listed["included"]["sources"].values():
        assert source["url"] is None or source["url"] in text


def test_what_is_committed_is_what_is_built(tmp_path: Path) -> None:
    need_node()
    subprocess.run(["node", ROOT / "service" / "embed" / "build.mjs", tmp_path / "dist"], check=True, cwd=ROOT)
    built, kept = tmp_path / "dist", ROOT / "service" / "embed" / "dist"
    names = {path.name for path in kept.iterdir()}
    assert names == {path.name for path in built.iterdir()}
    for name in names:
        assert (built / name).read_bytes() == (kept / name).read_bytes(), name


def test_types_hold() -> None:
    need_node()
    command = [ROOT / "node_modules" / ".bin" / "tsc", "-p", ROOT / "service" / "embed" / "tsconfig.json"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
