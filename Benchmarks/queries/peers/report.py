# Tables of the comparison in Markdown, and whether the answers agree.

import json
import os

PEERS = ["sqlite", "duckdb", "clickhouse", "polars", "postgres"]
SIZES = [100_000, 1_000_000, 10_000_000, 30_000_000]


def load(directory, scope):
    """Results by engine: ours under "ledgerline"."""
    found = {}
    for engine in ["ledgerline"] + PEERS:
        path = os.path.join(directory, "results-" + scope, engine + ".json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found[engine] = json.load(file)
    return found


def by_shape(result):
    return {figure["name"]: figure for figure in result["shapes"] if "error" not in figure}


def time(nanoseconds):
    """In microseconds with three digits or more."""
    micro = nanoseconds / 1000
    return f"{micro:,.0f}" if micro >= 100 else f"{micro:.1f}" if micro >= 10 else f"{micro:.2f}"


def best_peer(name, peers):
    """(engine, figure) of the peer with the least median; None when no peer has answered."""
    figures = [(engine, shapes[name]) for engine, shapes in peers.items() if name in shapes]
    return min(figures, key=lambda pair: pair[1]["median_ns"], default=None)


def tables(directory, scope):
    """Prints the table of shapes and engines; the exit code says whether all digests agree."""
    found = load(directory, scope)
    if "ledgerline" not in found:
        print("no results of ours in", directory)
        return 1
    ours, peers = by_shape(found["ledgerline"]), {e: by_shape(found[e]) for e in PEERS if e in found}
    names = list(ours) + [name for shapes in peers.values() for name in shapes]
    names = list(dict.fromkeys(names))
    versions = ", ".join(f"{engine} {found[engine]['version']}" for engine in peers)
    print(f"\n{found['ledgerline']['rows']:,} balances, {found['ledgerline']['scope']}; {versions or 'no peers'}."
          " Medians in µs; ahead = best peer / ours.\n")
    beside = any("writer_median_ns" in figure for figure in ours.values())
    head = ["shape", "", "ours", "p99"] + (["beside the writer", "p99"] if beside else [])
    head += ["best peer", "µs", "ahead"] + (["beside the writer"] if beside else []) + list(peers) + ["rows", "digest"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name in names:
        print("| " + " | ".join(row(name, ours, peers, beside)) + " |")
    print()
    summary(found["ledgerline"], ours, peers, beside)
    wrong = disagreements(names, ours, peers)
    for line in wrong:
        print("DISAGREEMENT:", line)
    for engine in peers:
        for figure in found[engine]["shapes"]:
            if "error" in figure:
                print(f"{engine} has no answer to {figure['name']}: {figure['error']}")
    if not wrong:
        count = sum(len(shapes) for shapes in peers.values())
        print(f"Digests: {count} answers of {len(peers)} peers, no disagreement.")
    return 1 if wrong else 0


def row(name, ours, peers, beside):
    our, best = ours.get(name), best_peer(name, peers)
    title = (our or best[1])["title"]
    cells = [name, title] + ([time(our["median_ns"]), time(our["p99_ns"])] if our else ["", ""])
    if beside:
        cells += [time(our[key]) if our and key in our else "" for key in ("writer_median_ns", "writer_p99_ns")]
    cells += [best[0], time(best[1]["median_ns"])] if best else ["", ""]
    cells.append(ratio(best, our, "median_ns"))
    if beside:
        cells.append(ratio(best, our, "writer_median_ns"))
    for shapes in peers.values():
        cells.append(time(shapes[name]["median_ns"]) if name in shapes else "")
    any_figure = our or best[1]
    total = any_figure.get("total")
    cells.append(f"{any_figure['rows']}" + (f" of {total:,}" if total is not None else ""))
    digests = {shapes[name]["digest"] for shapes in [ours, *peers.values()] if name in shapes}
    cells.append(any_figure["digest"] if len(digests) == 1 else "DIFFERS")
    return cells


def ratio(best, our, key):
    if not best or not our or key not in our:
        return ""
    value = best[1]["median_ns"] / our[key]
    return f"{value:,.0f}×" if value >= 20 else f"{value:.1f}×"


def disagreements(names, ours, peers):
    lines = []
    for name in names:
        digests = {engine: shapes[name]["digest"] for engine, shapes in [("ledgerline", ours), *peers.items()]
                   if name in shapes}
        if len(set(digests.values())) > 1:
            lines.append(f"{name}: " + ", ".join(f"{engine} {digest}" for engine, digest in digests.items()))
    return lines


def summary(result, ours, peers, beside):
    common = [name for name in ours if best_peer(name, peers)]
    mix = [name for name in common if name.startswith("q")]
    for title, names in (("the mix of 23", mix), ("all shapes", common)):
        if not names:
            continue
        own = sum(ours[name]["median_ns"] for name in names)
        best = sum(best_peer(name, peers)[1]["median_ns"] for name in names)
        text = f"Sum over {title} ({len(names)}): ours {time(own)} µs, best of the peers {time(best)} µs"
        text += f", {best / own:.1f} times"
        if beside:
            loaded = sum(ours[name]["writer_median_ns"] for name in names if "writer_median_ns" in ours[name])
            text += f"; ours beside the writer {time(loaded)} µs, {best / loaded:.1f} times"
        each = ", ".join(f"{engine} {time(sum(shapes[name]['median_ns'] for name in names))}"
                         for engine, shapes in peers.items() if all(name in shapes for name in names))
        print(text + (f" ({each})" if each else "") + ".")
    for text, key in (("alone", "median_ns"), ("beside the writer", "writer_median_ns")):
        slower = [name for name in common if key in ours[name]
                  and best_peer(name, peers)[1]["median_ns"] <= ours[name][key]]
        if peers and (key == "median_ns" or beside):
            print(f"Behind the best peer, {text}: {', '.join(slower) or 'none'}.")
    for text, low, high in (("alone", "median_ns", "p99_ns"),
                            ("beside the writer", "writer_median_ns", "writer_p99_ns")):
        if low == "median_ns" or beside:
            wide = [name for name in ours if low in ours[name] and ours[name][high] > 3 * ours[name][low]]
            print(f"p99 above 3 medians, {text}: {', '.join(wide) or 'none'}.")
    if "b50" in ours and "s50" in ours:
        print(f"The report of 50 in one request takes {ours['b50']['median_ns'] / ours['s50']['median_ns']:.2f}"
              " of the 50 one by one.")
    transfers = result.get("transfers")
    if transfers:
        kept = transfers["beside_queries"] / max(transfers["alone"], 1)
        print(f"Transfers a second: wanted {transfers['wanted']:,}, achieved {transfers['achieved']:,} beside the"
              f" shapes; at full speed {transfers['alone']:,} alone, {transfers['beside_queries']:,} ({kept:.0%})"
              f" beside {transfers['queries_meanwhile']:,} queries a second of the mix.")
    if "bytes_created" in result:
        print(f"Resident bytes a balance: {result['bytes_created']} when created,"
              f" {result['bytes_after_transfers']} after as many transfers.")


def growth(base, sizes):
    """Prints ours at several sizes, one column each."""
    found = {size: load(os.path.join(base, str(size)), "growth").get("ledgerline") for size in sizes}
    found = {size: by_shape(result) for size, result in found.items() if result}
    if not found:
        print("no results in", base)
        return 1
    largest = found[max(found)]
    print("\nOurs as data grows, in process, medians in µs.\n")
    print("| shape | | " + " | ".join(f"{size:,}" for size in found) + " | last / first |")
    print("|" + "---|" * (len(found) + 3))
    for name, figure in largest.items():
        medians = [shapes[name]["median_ns"] if name in shapes else None for shapes in found.values()]
        factor = f"{medians[-1] / medians[0]:.1f}" if medians[0] else ""
        cells = [time(median) if median else "" for median in medians]
        print(f"| {name} | {figure['title']} | " + " | ".join(cells) + f" | {factor} |")
    return 0
