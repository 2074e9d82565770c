"""The report as one HTML page: the same tables as on the terminal, the plots, the machine. Needs nothing from anywhere."""

import os

from . import charts, counts, figures, plots, report, store
from .plots import escape

STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --muted: #6a737d; --ground: #ffffff; --line: #d8dee4; --head: #f3f5f7;
  --good: #d9f2e3; --bad: #fbe3e0; --accent: #d6224a; }
@media (prefers-color-scheme: dark) { :root { --ink: #d6dce3; --muted: #949ca6; --ground: #14181d; --line: #2d343c;
  --head: #1a2027; --good: #17392a; --bad: #47211e; --accent: #ff6b8a; } }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--ground);
  margin: 2rem auto; max-width: 72rem; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; } .muted { color: var(--muted); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .22rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { background: var(--head); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
tr.group td { font-weight: 600; color: var(--muted); background: var(--head); }
td.best { background: var(--good); } td.bad { background: var(--bad); } .subject { color: var(--accent); font-weight: 700; }
th:first-child, td:first-child { position: sticky; left: 0; z-index: 1; background: var(--ground); }
tr.group td:first-child, th:first-child { background: var(--head); }
figure { margin: 1rem 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; width: fit-content; max-width: 100%; }
svg { display: block; min-width: 36rem; max-width: 100%; height: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; font-size: .87rem; } dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; } ul.problems li { margin: .2rem 0; }
"""


def cell(text, kind=""):
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def head(results, first, *more):
    subjects = results.subjects()
    names = "".join(f'<th class="subject">{escape(n)}</th>' if n in subjects else f"<th>{escape(n)}</th>"
                    for n in results.allocators())
    return f"<tr><th>{escape(first)}</th>{names}" + "".join(f"<th>{escape(m)}</th>" for m in more) + "</tr>"


def table(rows):
    return '<div class="scroll"><table>' + "".join(rows) + "</table></div>"


def summary_table(results):
    rows = [head(results, "geometric mean")]
    for title, figure, against in report.summary_rows(results):
        if against != "best rival" and against not in results.allocators():
            continue
        rows.append(f'<tr class="group"><td colspan="{len(results.allocators()) + 1}">{escape(title)}</td></tr>')
        for group in figures.groups(results):
            means = [figures.mean_ratio(results, name, figure, against, group) for name in results.allocators()]
            least = min((m[0] for m in means if m[0]), default=None)
            cells = [cell(report.number(mean, 3) + ("" if n == there or mean is None else f" ({n}/{there})"),
                          "best" if mean is not None and mean == least else "") for mean, n, there in means]
            rows.append(f"<tr>{cell(group)}{''.join(cells)}</tr>")
    return table(rows)


def ratio_table(results, figure, against, unit):
    """A row for each workload: ratios, and in the last column what 1 is. Failures stand in their cells."""
    names = results.allocators()
    rows = [head(results, "workload", "1 is")]
    for workload, group in plots.grouped(results):
        if not workload:
            rows.append(f'<tr class="group"><td colspan="{len(names) + 2}">{escape(group)}</td></tr>')
            continue
        base_name, base = (figures.best_rival(results, workload, figure) if against == "best rival" else
                           (against, figures.median(results, workload, against, figure)))
        ratios = [figures.ratio(results, workload, name, figure, against) for name in names]
        least = min((r for r in ratios if r), default=None)
        cells = [ratio_cell(results, workload, name, figure, r, least) for name, r in zip(names, ratios)]
        rows.append(f"<tr>{cell(workload)}{''.join(cells)}{cell(f'{base_name} {unit(base)}' if base else '-')}</tr>")
    return table(rows)


def ratio_cell(results, workload, name, figure, value, least):
    status = figures.cell_status(results.runs(workload, name))
    if status not in ("ok", "missing"):
        return f'<td class="bad" title="{escape(status)}">{escape(status.split(" (")[0].split(":")[0])}</td>'
    wide = figures.spread(results, workload, name, figure)
    text = report.number(value)
    return f'<td{" class=best" if value is not None and value == least else ""} title="quartiles {wide:.1%} apart">{text}</td>'


def seconds(value):
    return f"{value:.3f} s"


def mebibytes(value):
    return f"{value / 1024:.1f} MiB"


def thousands(value):
    return f"{value / 1000:.1f} k"


def metrics_table(results, scale=False):
    names = results.allocators()
    rows = [head(results, "")]
    for workload, metric in report.metrics_known(results, scale):
        values = [report.metric_text(figures.median(results, workload, n, "metric:" + metric)) for n in names]
        rows.append(f"<tr>{cell(workload + ': ' + metric)}{''.join(map(cell, values))}</tr>")
    return table(rows) if len(rows) > 1 else ""


def counts_table(results, metric):
    titles, rows = counts.table_rows(results, metric)
    if not rows:
        return ""
    subjects = tuple(results.subjects())
    made = ["<tr><th></th>" + "".join(f'<th{" class=subject" if t.startswith(subjects) and subjects else ""}>{escape(t)}</th>'
                                      for t in titles) + "</tr>"]
    for workload, values in rows:
        least = min(v for v in values if v is not None)
        cells = [cell(counts.count_text(v), "best" if v == least else "") for v in values]
        made.append(f"<tr>{cell(workload)}{''.join(cells)}</tr>")
    return table(made)


def problems_list(results):
    text = report.problems(results)
    if not text:
        return "<p>None: every run of every allocator ended as it should, with the right result.</p>"
    return '<ul class="problems">' + "".join(f"<li>{escape(line)}</li>" for line in text.splitlines()[2:]) + "</ul>"


def left_out_list(results):
    lines = [f"<li>{escape(workload)}: {escape(why)}</li>" for workload, why in results.left_out()]
    return "<ul>" + "".join(lines) + "</ul>" if lines else ""


def losses_list(results):
    text = report.losses(results)
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines()) if text else ""


def html(results, drawn):
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in results.facts.items()
                    if not k.startswith(store.LEFT_OUT))
    figure = {name: f"<figure>{svg}</figure>" for name, svg in drawn}
    who = " and ".join(results.subjects()) or "Allocators"
    rounds = results.facts.get("rounds", "?")
    timed = bool(results.workloads())
    sections = [
        ("Summary", timed and figure.get("summary", "") + summary_table(results) + losses_list(results)),
        ("Crashes, time-outs, wrong results", problems_list(results)),
        ("Time", timed and figure.get("time", "") + ratio_table(results, "time_s", "best rival", seconds)),
        ("Processor time", timed and ratio_table(results, "processor_s", "best rival", seconds)),
        ("Peak RSS", timed and figure.get("memory", "") + ratio_table(results, "peak_kib", "glibc", mebibytes)),
        ("Final RSS", timed and ratio_table(results, "final_kib", "glibc", mebibytes)),
        ("Page faults", timed and ratio_table(results, "minor_faults", "glibc", thousands)),
        *((title, counts_table(results, metric)) for metric, title in report.COUNT_TABLES),
        ("Latency of single calls", figure.get("latency", "")),
        ("Told by the workloads", metrics_table(results)),
        ("How it scales", figure.get("scaling", "") + figure.get("processors", "") + metrics_table(results, scale=True)),
        ("Left out on this machine", left_out_list(results)),
        ("The machine", f"<dl>{facts}</dl>"),
    ]
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in sections if content)
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, '
            f'initial-scale=1"><title>{escape(who)} beside its rivals</title><style>{STYLE}</style></head><body>'
            f"<h1>{escape(who)} beside its rivals</h1>"
            f'<p class="muted">Medians of {escape(rounds)} interleaved rounds, all allocators preloaded, all with their defaults. '
            f"A cell with a wrong result or a crash is in no mean. Repeat it with <code>./bench</code>.</p>{body}</body></html>\n")


def write(results, csv_path):
    """Writes FILE.html and FILE-PLOT.svg beside FILE.csv; returns the page's path."""
    stem = os.path.splitext(csv_path)[0]
    drawn = plots.all_plots(results) + charts.all_charts(results)
    for name, svg in drawn:
        with open(f"{stem}-{name}.svg", "w") as f:
            f.write(svg)
    with open(stem + ".html", "w") as f:
        f.write(html(results, drawn))
    return stem + ".html"
