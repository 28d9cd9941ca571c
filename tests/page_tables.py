#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the workloads' pages to `proxeval list --json`, or prints the tables that they need.

page_tables.py LIST.json DOC_FOLDER           every page; exit 1 and a line per difference
page_tables.py LIST.json --print WORKLOAD     the rows, to begin a page with
"""
import json
import os
import re
import sys

METRIC_COLUMNS = ["metric", "unit", "kind", "role", "meaning"]
PARAMETER_COLUMNS = ["parameter", "unit", "standard", "meaning"]


def cells(line):
    """What stands between the bars of a table's row; a bar behind a backslash is text."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def tables(text):
    """Each table's header and rows; what stands in a code block is none."""
    header, rows = None, []
    in_code = False
    for line in text.splitlines() + [""]:
        if line.startswith("```"):
            in_code = not in_code
        if line.startswith("|") and not in_code:
            if header is None:
                header = cells(line)
            elif not re.fullmatch(r"[|:\s-]+", line):
                rows.append(cells(line))
        elif header is not None:
            yield header, rows
            header, rows = None, []


def role_text(metric):
    direction = "" if metric["direction"] == "none" else f", {metric['direction']}"
    return metric["role"].replace("-", " ") + direction


def expected_metric(metric):
    return {"unit": metric["unit"], "kind": metric["kind"], "role": role_text(metric)}


def expected_parameter(parameter):
    return {"unit": parameter["unit"] or "–", "standard": parameter["default"]}


def check_row(where, row, expected, found):
    """One row of a table, which may stand for several names that agree in all its columns."""
    names = re.findall(r"`([^`]+)`", row["name"])
    if not names:
        yield f"{where}: the row '{row['name']}' begins with no name in backticks"
    for name in names:
        if name not in expected:
            yield f"{where}: {name} is not in 'list --json'"
            continue
        if name in found:
            yield f"{where}: {name} has two rows"
        found.add(name)
        for column, value in expected[name].items():
            if row[column].replace("`", "") != value:
                yield f"{where}: {name}: {column} is '{value}' and not '{row[column]}'"
    if not row["meaning"].strip():
        yield f"{where}: the row of {', '.join(names)} says nothing"


def check_table(where, columns, header, rows, expected, found):
    if header != columns:
        yield f"{where}: the columns are | {' | '.join(columns)} | and not | {' | '.join(header)} |"
        return
    for row in rows:
        if len(row) != len(columns):
            yield f"{where}: a row has {len(row)} cells instead of {len(columns)}: {row[0]}"
            continue
        yield from check_row(where, dict(zip(["name"] + columns[1:], row)), expected, found)


def check_choices(where, parameters, rows):
    """A choice's row names every one of its values."""
    meaning = {name: row[-1] for row in rows for name in re.findall(r"`([^`]+)`", row[0])}
    for parameter in parameters:
        for choice in parameter.get("choices", []):
            if parameter["name"] in meaning and f"`{choice}`" not in meaning[parameter["name"]]:
                yield f"{where}: the row of {parameter['name']} leaves out `{choice}`"


def check_page(workload, path):
    where = f"doc/workloads/{os.path.basename(path)}"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.splitlines()[:1] != [f"# {workload['name']}"]:
        yield f"{where}: the first line is not '# {workload['name']}'"
    metrics = {m["name"]: expected_metric(m) for m in workload["metrics"]}
    parameters = {p["name"]: expected_parameter(p) for p in workload["parameters"]}
    found_metrics, found_parameters, parameter_rows = set(), set(), []
    for header, rows in tables(text):
        if header[0] == "metric":
            yield from check_table(where, METRIC_COLUMNS, header, rows, metrics, found_metrics)
        elif header[0] == "parameter":
            yield from check_table(where, PARAMETER_COLUMNS, header, rows, parameters,
                                   found_parameters)
            parameter_rows += rows
    for name in metrics.keys() - found_metrics:
        yield f"{where}: no row for the metric {name}"
    for name in parameters.keys() - found_parameters:
        yield f"{where}: no row for the parameter {name}"
    yield from check_choices(where, workload["parameters"], parameter_rows)


def check(document, folder):
    for workload in document["workloads"]:
        path = os.path.join(folder, f"{workload['name']}.md")
        if os.path.exists(path):
            yield from check_page(workload, path)
        else:
            yield f"doc/workloads/{workload['name']}.md: there is no such page"
    names = {workload["name"] for workload in document["workloads"]}
    for file in os.listdir(folder):
        if file.endswith(".md") and file.removesuffix(".md") not in names:
            yield f"doc/workloads/{file}: there is no such workload"


def print_table(columns, rows):
    for cells_of_row in [columns, ["---"] * len(columns)] + rows:
        print(f"| {' | '.join(cells_of_row)} |")


def parameter_meaning(parameter):
    choices = ", ".join(f"`{choice}`" for choice in parameter.get("choices", []))
    return f"{choices}: {parameter['help']}" if choices else parameter["help"]


def print_tables(workload):
    print_table(METRIC_COLUMNS, [[f"`{m['name']}`", *expected_metric(m).values(), m["help"]]
                                 for m in workload["metrics"]])
    print()
    print_table(PARAMETER_COLUMNS,
                [[f"`{p['name']}`", *expected_parameter(p).values(), parameter_meaning(p)]
                 for p in workload["parameters"]])


def main(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        document = json.load(file)
    if arguments[1] == "--print":
        print_tables(next(w for w in document["workloads"] if w["name"] == arguments[2]))
        return 0
    problems = list(check(document, arguments[1]))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
