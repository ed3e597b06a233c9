"""Hold an embedded PostgreSQL until SIGTERM, as a service does: `python hold_embedded.py DATA_DIR`.

Prints `say LINE` for each line of progress, `ready PID DSN` once, and at the end `stopped` or the error.
"""

import signal
import sys
from pathlib import Path

from service.storage.embedded import EmbeddedPostgres
from service.storage.programs import EmbeddedError


def main(data_dir: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        with EmbeddedPostgres(Path(data_dir), lambda line: print("say", line, flush=True)) as server:
            print("ready", server.pid, server.dsn, flush=True)
            while True:
                signal.pause()
    except SystemExit:
        print("stopped", flush=True)
    except EmbeddedError as error:
        print(type(error).__name__, error, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
