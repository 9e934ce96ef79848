#!/usr/bin/env python3
# The whole comparison in one run: ours first, then each peer in a process of its own, then the tables and plots.
"""usage: compare.py [--rows N] [--scope process|socket] [--dir DIR] [--writer RATE] [--engines NAMES] [--only NAMES]
                  [--seconds S] [--anew] [--report] [--growth SIZES] [--plots DIR]
DIR (default $LEDGERLINE_PEERS or ./ledgerline-data/peers, then /N) keeps the exported balances, what the peers have
loaded and the results; it must not be committed. The peers run under DIR/../venv, made when it is missing (pip).
--anew exports and loads again; --report asks nobody and only prints the tables from the results at hand; --growth
asks only us, at each of the sizes (100000,1000000,10000000,30000000 if it is empty); --plots draws what there is."""

import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
OURS = os.path.join(ROOT, ".build/release/LedgerlineBenchmarks")
PACKAGES = ["duckdb", "chdb", "polars", "psycopg[c]", "apsw", "xxhash", "pyarrow"]
ENGINES = ["sqlite", "duckdb", "clickhouse", "polars", "postgres"]


def environment(directory):
    """The interpreter with the peers' packages; ours if they cannot be had."""
    home = os.path.join(os.path.dirname(os.path.abspath(directory)), "venv")
    python = os.path.join(home, "bin/python")
    if not os.path.exists(python):
        print(f"making {home} with {', '.join(PACKAGES)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        # One by one, so that one that cannot be had leaves the others.
        for package in PACKAGES:
            if subprocess.run([python, "-m", "pip", "-q", "install", package]).returncode:
                print(f"  {package}: not to be had", flush=True)
    return python


def step(title, command, **options):
    start = time.time()
    print(f"== {title}", flush=True)
    code = subprocess.run(command, **options).returncode
    print(f"   {time.time() - start:.0f} s, load average {os.getloadavg()[0]:.1f}", flush=True)
    return code


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--scope", choices=["process", "socket"], default="process")
    parser.add_argument("--dir")
    parser.add_argument("--writer", type=int, default=200_000)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--growth", nargs="?", const="")
    parser.add_argument("--plots")
    options = parser.parse_args()
    base = os.environ.get("LEDGERLINE_PEERS", "ledgerline-data/peers")
    if options.plots:
        import plots
        return plots.draw(base, options.plots)
    if options.growth is not None:
        return grow(options, base)
    directory = os.path.abspath(options.dir or os.path.join(base, str(options.rows)))
    results = os.path.join(directory, "results-" + options.scope)
    os.makedirs(results, exist_ok=True)
    if not options.report:
        ask(options, directory, results)
    import report
    return report.tables(directory, options.scope)


def build():
    """Builds what has changed, or all of it."""
    step("building", ["swift", "build", "-c", "release", "--product", "LedgerlineBenchmarks"], cwd=ROOT, check=True)


def grow(options, base):
    import report
    sizes = [int(size) for size in options.growth.split(",") if size] or report.SIZES
    if not options.report:
        build()
        for size in sizes:
            results = os.path.join(base, str(size), "results-growth")
            os.makedirs(results, exist_ok=True)
            command = [OURS, "queries", "--rows", str(size), "--json", os.path.join(results, "ledgerline.json")]
            if step(f"ledgerline, {size:,} balances", command + (["--only", options.only] if options.only else [])):
                sys.exit("ours failed")
    return report.growth(base, sizes)


def ask(options, directory, results):
    build()
    python = environment(directory)
    command = [OURS, "queries", "--rows", str(options.rows), "--json", os.path.join(results, "ledgerline.json")]
    more = []
    if options.only:
        more += ["--only", options.only]
    if options.seconds:
        more += ["--seconds", str(options.seconds)]
    if options.scope == "socket":
        command += ["--socket"]
    else:
        command += ["--writer", str(options.writer)]
    if options.anew or not os.path.exists(os.path.join(directory, "balances.csv")):
        step("exporting", [OURS, "queries", "--rows", str(options.rows), "--only", "none", "--export", directory])
    if step("ledgerline", command + more):
        sys.exit("ours failed")
    # Only PostgreSQL has a socket to be compared with.
    engines = ["postgres"] if options.scope == "socket" else options.engines.split(",")
    for engine in engines:
        peer = [python, os.path.join(HERE, "peer.py"), engine, "--dir", directory]
        if options.anew and step(f"loading {engine}", peer + ["--load"]):
            continue
        step(engine, peer + ["--json", os.path.join(results, engine + ".json")] + more)


if __name__ == "__main__":
    sys.exit(main())
