"""The embed beside TimelineJS and vis-timeline: how much is loaded, how soon it is ready, how much it puts in a page.

    python -m benchmarks.embeds [--rounds 5] [--sizes 50,1000,10000]

All three are shown by the same Chromium, each in its turn, with an empty cache, on pages of one server. The
embed asks the service; the other two are given their data as one file, which is the quicker way for them.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.serving import served

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
BUILT = ROOT / "service" / "embed" / "dist"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = "50,1000,10000"
KINDS = ("embed", "timelinejs", "vis")
OTHERS = {
    "TimelineJS": ("@knight-lab/timelinejs/dist/js/timeline.js", "@knight-lab/timelinejs/dist/css/timeline.css"),
    "vis-timeline": (
        "vis-timeline/standalone/umd/vis-timeline-graph2d.min.js",
        "vis-timeline/styles/vis-timeline-graph2d.min.css",
    ),
}


def packed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9, mtime=0))


def sizes() -> dict[str, int]:
    """Bytes with gzip, at its best."""
    names = json.loads((BUILT / "files.json").read_text())
    each = {name: packed(BUILT / file) for name, file in names.items()}
    languages = {name: size for name, size in each.items() if name.startswith("lang-")}
    parts = ["event-timeline.js", "axis.js", "diff.js", "filters.js", "travel.js"]
    told = {"the core": each["event-timeline.js"]} | {name.removesuffix(".js"): each[name] for name in parts[1:]}
    told["the longest language"] = max(languages.values())
    told["all parts and one language"] = sum(each[name] for name in parts) + max(languages.values())
    return told | {name: sum(packed(MODULES / file) for file in files) for name, files in OTHERS.items()}


def events(number: int, tag: str) -> list[dict[str, Any]]:
    """Events of two centuries, a few days apart, each with a claim."""
    return [
        {
            "key": f"{tag}-{place}",
            "title": f"Event {place} of {number}: something has happened somewhere",
            "summary": "What it was, told in a sentence or two, as events of a timeline mostly are.",
            "occurred": f"{1825 + place * 200 // number}-{place % 12 + 1:02d}-{place % 28 + 1:02d}",
            "tags": [tag],
            "claims": [{"source": {"slug": f"paper-{place % 20}", "title": f"Paper {place % 20}", "type": "article"}}],
        }
        for place in range(number)
    ]


def measured(origin: str, numbers: list[int], rounds: int) -> list[dict[str, Any]]:
    """What a browser finds, a line for each time that something was shown."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    node = shutil.which("node")
    if browser is None or node is None or not MODULES.is_dir():
        sys.exit("This needs Chromium, Node.js and what `make node` installs.")
    given = os.environ | {
        "SERVICE": origin,
        "CHROMIUM": browser,
        "SIZES": ",".join(map(str, numbers)),
        "ROUNDS": str(rounds),
    }
    run = subprocess.run(
        [node, Path(__file__).with_suffix(".mjs")], env=given, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embeds", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default=SIZES)
    given = parser.parse_args()
    numbers = [int(each) for each in given.sizes.split(",")]
    print("bytes with gzip")
    for name, size in sizes().items():
        print(f"  {name:28} {size:9,}")
    with served() as client:
        made = client.post("/v1/collections", json={"slug": "main", "title": "Main"})
        assert made.status_code in (201, 409), made.text
        for number in numbers:
            answer = client.post("/v1/events/batch", params={"collection": "main"}, json=events(number, f"of-{number}"))
            assert answer.status_code == 200, answer.text[:500]
        found = measured(str(client.base_url).rstrip("/"), numbers, given.rounds)
    print(f"\nmilliseconds until ready, median of {given.rounds} (least to most), and elements in the page")
    for number in numbers:
        base: dict[str, float] = {}
        for kind in KINDS:
            runs = [each for each in found if (each["kind"], each["size"]) == (kind, number)]
            times = sorted(each["ms"] for each in runs)
            base[kind] = statistics.median(times)
            nodes = max(each["nodes"] for each in runs)
            beside = " ".join(f"{base['embed'] / base[kind]:.2f} of {kind}" for kind in KINDS[1:] if kind in base)
            print(
                f"  {number:6,} {kind:12} {base[kind]:8.0f} ({times[0]:.0f}-{times[-1]:.0f}) {nodes:9,} elements"
                f"{'   the embed: ' + beside if kind == KINDS[-1] else ''}"
            )
    shifts = [each["shift"] for each in found if each["kind"] == "embed"]
    print(f"\nlayout shift of the embed, at most {max(shifts):.4f}")


if __name__ == "__main__":
    main()
