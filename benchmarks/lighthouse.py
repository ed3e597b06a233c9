"""What Lighthouse says of the embed page, as on a reader's telephone: by its own throttling and its own weights.

    python -m benchmarks.lighthouse [--rounds 5] [--path '/embed/timelines/kosovo']

The service shows the demo dossier, and Lighthouse loads the page in Chromium with an empty cache, so many times. The
table has the median of each category, with the least and the greatest, and what any of the runs took points off for.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.embeds import BROWSERS, MODULES, ROOT
from benchmarks.serving import free_port, running

PATH = "/embed/timelines/kosovo"
LEAST = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
CHROMIUM = "--headless=new --no-sandbox --disable-gpu"


def told(address: str) -> dict[str, Any]:
    """One report of Lighthouse, whole."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    program = MODULES / ".bin" / "lighthouse"
    if browser is None or not program.exists():
        sys.exit("This needs Chromium, Node.js and what `make node` installs.")
    command = [program, address, "--output=json", "--quiet", "--no-enable-error-reporting"]
    command += [f"--chrome-flags={CHROMIUM}", f"--only-categories={','.join(LEAST)}"]
    given = os.environ | {"CHROME_PATH": browser}
    run = subprocess.run(command, env=given, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def lost(report: dict[str, Any]) -> dict[str, str]:
    """The audits that took points off, by name, each with what it says."""
    weighed = (each for category in report["categories"].values() for each in category["auditRefs"] if each["weight"])
    audits = (report["audits"][each["id"]] for each in weighed)
    return {
        audit["id"]: f"{audit['score'] * 100:.0f}, {audit.get('displayValue') or audit['title']}"
        for audit in audits
        if audit["score"] is not None and audit["score"] < 1
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--path", default=PATH)
    arguments = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another account.
        settings = {"DATELINE_DATA_DIR": str(Path(folder, "data")), "DATELINE_PORT": str(port)}
        with running([sys.executable, "-m", "service", "serve"], port, "/readyz", settings) as serving:
            reports = [told(serving.origin + arguments.path) for _ in range(arguments.rounds)]
    print(f"Lighthouse {reports[0]['lighthouseVersion']}, {reports[0]['environment']['hostUserAgent']}")
    print(f"{arguments.path}, median of {arguments.rounds} (least to most)")
    for name, least in LEAST.items():
        scores = sorted(round(report["categories"][name]["score"] * 100) for report in reports)
        middle = statistics.median(scores)
        verdict = "yes" if middle >= least else "NO"
        print(f"  {name:16}{middle:6.0f} ({scores[0]}-{scores[-1]})  >= {least} {verdict}")
    for name, words in {name: words for report in reports for name, words in lost(report).items()}.items():
        print(f"  {name}: {words}")


if __name__ == "__main__":
    main()
