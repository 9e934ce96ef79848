# Plots of the comparison as SVG files that follow the reader's light or dark mode.

import math
import os

import report

COLOURS = {"ledgerline": ("#0969da", "#58a6ff"), "sqlite": ("#8250df", "#bc8cff"), "duckdb": ("#bf8700", "#e3b341"),
           "clickhouse": ("#cf222e", "#ff7b72"), "polars": ("#1a7f37", "#56d364"), "postgres": ("#57606a", "#a8b1bb")}
NAMES = {"ledgerline": "Ledgerline", "sqlite": "SQLite", "duckdb": "DuckDB", "clickhouse": "ClickHouse",
         "polars": "Polars", "postgres": "PostgreSQL"}
GROWING = ["q01", "q04", "q06", "q09", "q12", "q15", "q16", "q17", "q18", "q19", "x09", "b50"]
LINES = ["#0969da", "#8250df", "#bf8700", "#cf222e", "#1a7f37", "#57606a", "#0a9ea8", "#d4469d", "#7d5a3c",
         "#6e7f00", "#3b5bdb", "#e8590c"]


class Drawing:
    def __init__(self, width, height, title):
        self.width, self.height, self.parts = width, height, []
        style = "text{font:12px sans-serif;fill:#1f2328}.s{font-size:11px;fill:#59636e}"
        style += ".t{font-size:14px;font-weight:600}"
        style += ".b{fill:#fff}.g{stroke:#d1d9e0;stroke-width:1}circle{stroke:#fff;stroke-width:1}"
        dark = "circle{stroke:#0d1117}text{fill:#e6edf3}.s{fill:#9198a1}.b{fill:#0d1117}.g{stroke:#30363d}"
        for engine, (light, night) in COLOURS.items():
            style += f".{engine}{{fill:{light}}}"
            dark += f".{engine}{{fill:{night}}}"
        for number, colour in enumerate(LINES):
            style += f".l{number}{{stroke:{colour};fill:none;stroke-width:2}}.p{number}{{fill:{colour}}}"
        dark += "".join(f".l{n}{{filter:brightness(1.5)}}.p{n}{{filter:brightness(1.5)}}" for n in range(len(LINES)))
        self.style = style + "@media(prefers-color-scheme:dark){" + dark + "}"
        self.text(12, 22, title, "t")

    def text(self, x, y, text, kind="", anchor="start"):
        text = text.replace("&", "&amp;").replace("<", "&lt;")
        kind = f' class="{kind}"' if kind else ""
        end = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.parts.append(f'<text x="{x:.0f}" y="{y:.0f}"{kind}{end}>{text}</text>')

    def line(self, x1, y1, x2, y2, kind="g"):
        self.parts.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" class="{kind}"/>')

    def bar(self, x, y, width, height, kind):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}"'
                          f' rx="2" class="{kind}"/>')

    def dot(self, x, y, kind, radius=3.5):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}"/>')

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
                       f' width="{self.width}" height="{self.height}"><style>{self.style}</style>'
                       f'<rect class="b" width="{self.width}" height="{self.height}"/>\n')
            file.write("\n".join(self.parts) + "\n</svg>\n")
        print(path, os.path.getsize(path), "bytes")


def legend(drawing, engines, x, y):
    for engine in engines:
        drawing.dot(x, y - 4, engine, 5)
        drawing.text(x + 9, y, NAMES[engine])
        x += 28 + 7.5 * len(NAMES[engine])


def scale_text(micro):
    return (f"{micro / 1e6:g} s" if micro >= 1e6 else f"{micro / 1e3:g} ms" if micro >= 1e3 else f"{micro:g} µs")


def shapes(found, size, path, wanted, title):
    """A row for each shape: a bar for ours, a dot for each peer, on a logarithmic axis."""
    ours = report.by_shape(found["ledgerline"])
    peers = {engine: report.by_shape(found[engine]) for engine in report.PEERS if engine in found}
    names = [name for name in ours if wanted(name)]
    if not names:
        return
    every = [s[n]["median_ns"] / 1000 for s in [ours, *peers.values()] for n in names if n in s]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    left, right, top, step = 250, 30, 62, 19
    drawing = Drawing(860, top + step * len(names) + 34, f"{title}, {size:,} balances, median (log scale)")
    legend(drawing, ["ledgerline", *peers], 20, 44)
    width = drawing.width - left - right

    def place(nanoseconds):
        return left + (math.log10(max(nanoseconds / 1000, 10 ** low)) - low) / (high - low) * width

    for power in range(low, high + 1):
        x = left + (power - low) / (high - low) * width
        drawing.line(x, top - 6, x, top + step * len(names))
        drawing.text(x, top + step * len(names) + 18, scale_text(10 ** power), "s", "middle")
    for number, name in enumerate(names):
        y = top + step * number
        drawing.text(left - 8, y + 11, f"{name}  {ours[name]['title']}", anchor="end")
        drawing.bar(left, y + 2, place(ours[name]["median_ns"]) - left, 11, "ledgerline")
        for engine, figures in peers.items():
            if name in figures:
                drawing.dot(place(figures[name]["median_ns"]), y + 7.5, engine)
    drawing.write(path)


def growth(base, path):
    """Ours as data grows: a line for each shape, both axes logarithmic."""
    found = {}
    for size in report.SIZES:
        result = (report.load(os.path.join(base, str(size)), "growth").get("ledgerline")
                  or report.load(os.path.join(base, str(size)), "process").get("ledgerline"))
        if result:
            found[size] = report.by_shape(result)
    names = [name for name in GROWING if sum(name in figures for figures in found.values()) > 1]
    if not names:
        return
    every = [figures[n]["median_ns"] / 1000 for figures in found.values() for n in names if n in figures]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    drawing = Drawing(860, 470, "Median of a question as the balances grow (both axes logarithmic)")
    left, top, width, height = 70, 45, 480, 380
    sizes = list(found)

    def across(size):
        span = math.log10(sizes[-1]) - math.log10(sizes[0])
        return left + (math.log10(size) - math.log10(sizes[0])) / (span or 1) * width

    def up(nanoseconds):
        return top + height - (math.log10(nanoseconds / 1000) - low) / (high - low) * height

    for power in range(low, high + 1):
        drawing.line(left, up(10 ** (power + 3)), left + width, up(10 ** (power + 3)))
        drawing.text(left - 8, up(10 ** (power + 3)) + 4, scale_text(10 ** power), "s", "end")
    for size in sizes:
        drawing.line(across(size), top, across(size), top + height)
        text = f"{size // 1_000_000} M" if size >= 1_000_000 else f"{size // 1000} k"
        drawing.text(across(size), top + height + 18, text, "s", "middle")
    last = sorted(names, key=lambda name: -[f[name]["median_ns"] for f in found.values() if name in f][-1])
    taken = top - 16
    for name in last:
        number = names.index(name)
        points = [(across(size), up(f[name]["median_ns"])) for size, f in found.items() if name in f]
        drawing.parts.append(f'<polyline class="l{number}" points="'
                             + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        for x, y in points:
            drawing.dot(x, y, f"p{number}", 3)
        taken = max(taken + 16, points[-1][1] + 4)
        x, y = points[-1]
        drawing.dot(left + width + 16, taken - 4, f"p{number}", 4)
        title = next(f[name]["title"] for f in found.values() if name in f)
        drawing.text(left + width + 26, taken, f"{name}  {title}")
    drawing.write(path)


def memory(found, size, path):
    """Bytes a balance, all of an engine's structures."""
    result = found["ledgerline"]
    bars = [("ledgerline", "Ledgerline, created", result.get("bytes_created", 0)),
            ("ledgerline", "Ledgerline, after transfers", result.get("bytes_after_transfers", 0))]
    bars += [(engine, NAMES[engine], found[engine]["memory"] / size) for engine in report.PEERS if engine in found]
    title = f"Memory a balance at {size:,} balances (PostgreSQL: its table and indexes)"
    drawing = Drawing(860, 60 + 26 * len(bars), title)
    greatest = max(value for _, _, value in bars) or 1
    for number, (engine, title, value) in enumerate(bars):
        y = 40 + 26 * number
        drawing.text(200, y + 14, title, anchor="end")
        drawing.bar(210, y, value / greatest * 540, 18, engine)
        drawing.text(216 + value / greatest * 540, y + 14, f"{value:,.0f} bytes", "s")
    drawing.write(path)


def draw(base, target):
    """All plots for which there are results."""
    os.makedirs(target, exist_ok=True)
    for size in report.SIZES:
        label = f"{size // 1_000_000}m" if size >= 1_000_000 else f"{size // 1000}k"
        found = report.load(os.path.join(base, str(size)), "process")
        if "ledgerline" in found and len(found) > 1:
            shapes(found, size, os.path.join(target, f"queries-mix-{label}.svg"), lambda n: n[0] == "q",
                   "The mix of 23 in process")
            shapes(found, size, os.path.join(target, f"queries-more-{label}.svg"), lambda n: n[0] != "q",
                   "Other shapes and the pages' examples")
            memory(found, size, os.path.join(target, f"queries-memory-{label}.svg"))
        found = report.load(os.path.join(base, str(size)), "socket")
        if len(found) == 2:
            shapes(found, size, os.path.join(target, f"queries-socket-{label}.svg"), lambda n: n[0] == "q",
                   "Through the Unix socket")
    growth(base, os.path.join(target, "queries-growth.svg"))
    return 0
