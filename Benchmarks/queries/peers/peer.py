#!/usr/bin/env python3
# Loads or asks one engine, in a process of its own.
"""usage: peer.py ENGINE --dir DIR [--load] [--only NAMES] [--seconds S] [--json FILE]
ENGINE: sqlite, duckdb, clickhouse, polars, postgres. DIR holds balances.csv and shapes.json as
`LedgerlineBenchmarks queries --export DIR` writes them; what is loaded is kept there. Exit 3: not installed."""

import argparse
import importlib
import json
import sys
import time

ENGINES = {"sqlite": "SQLitePeer", "duckdb": "DuckDBPeer", "clickhouse": "ClickHousePeer",
           "polars": "PolarsPeer", "postgres": "PostgresPeer"}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("engine", choices=sorted(ENGINES))
    parser.add_argument("--dir", required=True)
    parser.add_argument("--load", action="store_true", help="only load, anew")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each shape")
    parser.add_argument("--json")
    options = parser.parse_args()
    try:
        peer = getattr(importlib.import_module(options.engine + "_peer"), ENGINES[options.engine])(options.dir)
    except (ImportError, FileNotFoundError) as error:
        print(f"  {options.engine}: not installed ({error}), left out", flush=True)
        return 3
    import common
    start = time.time()
    if options.load:
        peer.load()
        print(f"  {options.engine}: loaded in {time.time() - start:.0f} s", flush=True)
        return 0
    peer.open()
    print(f"  {options.engine} {peer.version}: ready after {time.time() - start:.0f} s", flush=True)
    try:
        shapes = common.load_shapes(options.dir, [name for name in options.only.split(",") if name])
        figures = common.run(peer, shapes, options.seconds)
        report = {"engine": options.engine, "version": peer.version, "memory": peer.memory(), "shapes": figures}
    finally:
        peer.close()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
