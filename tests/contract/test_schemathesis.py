"""The running service against its own document: valid data is taken, invalid refused, every answer as described.

The demo dossier is there to be met. A run of the suite draws few examples, and leaves out one thing that takes a third
of its time: every single mutation of a row of a batch, which is the body of an event that is created, where all of them
are tried. `DATELINE_CONTRACT_EXAMPLES=300 DATELINE_CONTRACT_SEED=1,2,3` draws many, with each of the seeds, and leaves
nothing out.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, new_folder, served

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("DATELINE_CONTRACT_EXAMPLES", "10"))
SEEDS = [int(seed) for seed in os.environ.get("DATELINE_CONTRACT_SEED", "20250219").split(",")]
FEW = "DATELINE_CONTRACT_EXAMPLES" not in os.environ
MINUTES_MAX = 10 + EXAMPLES // 2
ROWS_ONCE = """
[[operations]]
include-operation-id = "recordEventBatch"
phases.coverage.enabled = false
"""

SPARES = 12
PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")


def make_spares(client: httpx.Client) -> None:
    """Actors and sources that nothing names, so that deleting what a listing holds can succeed."""
    for number in range(SPARES):
        client.post("/v1/actors", json={"slug": f"{number}-spare", "name": "Spare"}).raise_for_status()
        client.post("/v1/sources", json={"slug": f"{number}-spare", "title": "Spare"}).raise_for_status()


@pytest.mark.timeout(MINUTES_MAX * 60)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_service_is_what_its_document_says(seed: int, tell: Callable[[str], None]) -> None:
    with new_folder() as folder, served(folder) as running:
        config = folder.parent / "schemathesis.toml"
        config.write_text((HERE / "schemathesis.toml").read_text() + (ROWS_ONCE if FEW else ""))
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{running.base_url}/openapi.json", "--no-color"),
            *("--seed", str(seed), "--max-examples", str(EXAMPLES)),
        ]
        keyed = {**os.environ, "DATELINE_KEY": running.key, "DATELINE_CONTRACT_EXAMPLES": str(EXAMPLES)}
        with httpx.Client(base_url=running.base_url, headers={"Authorization": f"Bearer {running.key}"}) as client:
            make_spares(client)
        run = subprocess.run(command, cwd=ROOT, env=keyed, capture_output=True, text=True, timeout=MINUTES_MAX * 60)
    said = run.stdout + run.stderr
    cases = re.search(r"^ *([\d,]+ generated.*)$", said, re.MULTILINE)
    tell(f"schemathesis, seed {seed}, {EXAMPLES} examples: {cases.group(1) if cases else 'no cases'}")
    assert run.returncode == 0, said[-20_000:]
    assert [phase for phase in PHASES if not re.search(rf"✅ +{phase} ", said)] == [], said[-20_000:]
    assert re.search(r"Operations: +(\d+) selected / \1 total", said), said[-20_000:]
    assert "Tested: " in said
