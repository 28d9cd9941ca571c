#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds exports to their formats, with readers that are not ours where they can be had.

check_exports.py ktap|csv|verdicts|openmetrics|kcidb FILE [RESULTS-FOLDER]
check_exports.py kunit KUNIT-FOLDER FILE…      the kernel's own parser
check_exports.py kcidb-io FILE…                Kernel CI's own package
Exits 77 where a reader is not installed.
"""
import csv
import glob
import json
import os
import re
import sys
from datetime import datetime


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


# --- KTAP version 1, as Documentation/dev-tools/ktap.rst has it, with nothing left open ---

RESULT = re.compile(r"(ok|not ok) ([1-9][0-9]*) ([^#]+?)(?: # (?:(SKIP|ERROR|TIMEOUT|XFAIL)(?: |$))?(.*))?$")


class Ktap:
    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        assert text.endswith("\n") and "\r" not in text
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", text), "control characters"
        self.lines = text[:-1].split("\n")
        self.at = 0

    def peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else None

    def tests(self, indent):
        """One level: version, plan, so many results with what belongs before each."""
        assert self.peek() == f"{indent}KTAP version 1", (self.at, self.peek())
        self.at += 1
        name = None
        if indent:
            match = re.fullmatch(f"{indent}# Subtest: ([^#]+)", self.peek())
            assert match, (self.at, self.peek())
            name = match.group(1)
            self.at += 1
        plan = re.fullmatch(rf"{indent}1\.\.([1-9][0-9]*)", self.peek())
        assert plan, (self.at, self.peek())
        self.at += 1
        found = []
        while len(found) < int(plan.group(1)):
            found.append(self.test(indent, len(found) + 1))
        return name, found

    def test(self, indent, number):
        children, name = [], None
        while True:
            line = self.peek()
            assert line is not None, "cut short"
            if line.startswith(f"{indent}# "):
                assert not line.startswith(f"{indent}# Subtest:"), line
                self.at += 1
            elif line == f"{indent}  KTAP version 1":
                assert not children, "two sets of subtests"
                name, children = self.tests(indent + "  ")
            else:
                break
        assert line.startswith(indent) and not line[len(indent):].startswith(" "), (self.at, line)
        match = RESULT.fullmatch(line[len(indent):])
        assert match, (self.at, line)
        assert int(match.group(2)) == number, (self.at, line)
        self.at += 1
        result, directive = match.group(1), match.group(4)
        if directive in ("ERROR", "TIMEOUT"):
            assert result == "not ok", line
        if children:
            assert name == match.group(3), (name, line)
            failed = any(child["result"] == "not ok" for child in children)
            assert (result == "not ok") == failed, f"it does not follow from its subtests: {line}"
            skipped = all(child["directive"] == "SKIP" for child in children)
            assert (directive == "SKIP") == skipped, line
        return {"name": match.group(3), "result": result, "directive": directive,
                "text": match.group(5), "children": children}


def check_ktap(path, _):
    reader = Ktap(path)
    _, tests = reader.tests("")
    assert reader.peek() is None, ("more behind the last test", reader.peek())
    points = [(test["name"], child) for test in tests for child in test["children"]]
    counts = {"pass": 0, "fail": 0, "error": 0, "skip": 0}
    for _, point in points:
        kind = {"SKIP": "skip", "ERROR": "error"}.get(
            point["directive"], "pass" if point["result"] == "ok" else "fail")
        counts[kind] += 1
    print(" ".join(f"{kind}={count}" for kind, count in counts.items()))
    for name, point in points:
        if point["result"] == "not ok":
            print(f"not ok: {point['name']}")


def check_kunit(folder, *paths):
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    try:
        import kunit_parser
        from kunit_printer import Printer
    except ImportError as error:
        skip(f"the kernel's kunit_parser cannot be loaded: {error}")

    class Silent(Printer):
        def print_with_timestamp(self, message):
            pass

    for path in paths:
        with open(path, encoding="utf-8") as file:
            test = kunit_parser.parse_run_tests(file.read().splitlines(), Silent())
        counts = test.counts
        assert counts.errors == 0 and counts.crashed == 0, f"{path}: {counts}"
        print(f"{os.path.basename(path)}: pass={counts.passed} fail={counts.failed} skip={counts.skipped}")


# --- CSV ---

def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n"), "lines do not end in CR LF"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    for row in rows:
        assert None not in row and None not in row.values(), f"a row of other columns: {row}"
        for key, value in row.items():
            assert not value or value[0] not in "=+@\t\r", f"a formula in {key}: {value}"
            if value.startswith("-"):
                float(value)
    return rows


def original(text):
    return text[1:] if re.match("'[=+@-]", text) else text


def check_csv(path, folder):
    """Every figure of every document is there once, exactly, and nothing else is."""
    expected = {}
    for boot_path in glob.glob(f"{folder}/boot-*.json"):
        boot = load(boot_path)
        where = (str(boot["boot"]["index"]), boot["variant"]["label"])
        if boot["outcome"] != "ok":
            expected[where + ("", "", "")] = boot["outcome"]
        for section in boot["sections"]:
            if section["outcome"] != "ok":
                expected[where + (section["id"], "", "")] = section["outcome"]
            for metric in section["metrics"]:
                for key in ("samples", "min", "p50", "p90", "p99", "p99_9", "max", "value",
                            "violations", "exposure"):
                    if metric.get(key) is not None:
                        expected[where + (section["id"], metric["name"], key)] = metric[key]
    found = {}
    for row in read_csv(path):
        key = tuple(original(row[name]) for name in ("boot", "variant", "section", "metric", "statistic"))
        assert key not in found, f"twice: {key}"
        found[key] = float(row["value"]) if row["statistic"] else row["outcome"]
    # Control characters are blanks there.
    expected = {tuple(re.sub("[\x00-\x1f\x7f]", " ", part) for part in key): value
                for key, value in expected.items()}
    different = [k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k)]
    assert not different, (len(different), different[0], found.get(different[0]), expected.get(different[0]))
    print(f"{len(found)} figures, sum {sum(v for v in found.values() if isinstance(v, float)):.6g}")


def check_verdicts(path, summary_path):
    """The same verdicts as compare --json, to the last digit."""
    summary = load(summary_path)
    rows = {(r["section"], r["metric"], r["statistic"], r["variant"]): r for r in read_csv(path)
            if not r["machine"]}
    comparisons = summary["comparisons"] + summary["controls"]
    assert len(rows) == len(comparisons) + len(summary["invariants"])
    columns = ("value_baseline", "value_variant", "ratio", "ratio_low", "ratio_high", "p",
               "p_adjusted", "p_equivalence_adjusted", "more_boots", "boots_baseline", "samples_variant")
    for comparison in comparisons:
        row = rows[tuple(comparison[k] for k in ("section", "metric", "statistic", "variant"))]
        assert row["verdict"] == comparison["verdict"]
        for column in columns:
            value = comparison[column]
            assert (row[column] == "" if value is None else float(row[column]) == value), (column, row)
    for invariant in summary["invariants"]:
        row = rows[(invariant["section"], invariant["metric"], "violations", invariant["variant"])]
        assert [row["verdict"], row["violations"], row["exposure"]] == [
            invariant["verdict"], str(invariant["violations"]), str(invariant["exposure"])]


# --- OpenMetrics ---

def check_openmetrics(path, summary_path):
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        skip("python3-prometheus-client is not installed")
    with open(path, encoding="utf-8", newline="") as file:
        families = {f.name: f for f in text_string_to_metric_families(file.read())}
    summary = load(summary_path)
    units = {"ns": ("seconds", 1e-9), "ratio": ("ratio", 1), "count": ("", 1),
             "percent": ("ratio", 1e-2), "permille": ("ratio", 1e-3)}
    assert families["proxeval_exit_code"].samples[0].value == summary["exit_code"]
    assert {s.labels["variant"] for s in families["proxeval_variant"].samples} == {
        v["label"] for v in summary["variants"]}
    for comparison in summary["comparisons"] + summary["controls"]:
        base, factor = units[comparison["unit"]]
        name = re.sub("_(ns|us|ms|ratio)$", "", comparison["metric"])
        family = families[f"proxeval_{name}" + (f"_{base}" if base else "")]
        assert family.unit == base and family.type == "gauge"
        for variant, value in ((summary["baseline"], comparison["value_baseline"]),
                               (comparison["variant"], comparison["value_variant"])):
            samples = [s.value for s in family.samples
                       if s.labels["variant"] == variant and s.labels["section"] == comparison["section"]
                       and s.labels["statistic"] == comparison["statistic"]]
            if value is None:
                assert not samples
            elif value > 0:
                assert len(samples) == 1 and abs(samples[0] / (value * factor) - 1) < 1e-9, (
                    comparison["metric"], samples, value)
        states = [s.labels["proxeval_verdict"] for s in families["proxeval_verdict"].samples
                  if s.value == 1 and s.labels["section"] == comparison["section"]
                  and s.labels["metric"] == comparison["metric"]
                  and s.labels["statistic"] == comparison["statistic"]
                  and s.labels["variant"] == comparison["variant"]]
        assert states in ([comparison["verdict"]], []), states
    violations = {(s.labels["section"], s.labels["metric"], s.labels["variant"]): s.value
                  for s in families["proxeval_invariant_violations"].samples}
    assert violations == {(i["section"], i["metric"], i["variant"]): i["violations"]
                          for i in summary["invariants"]}


# --- KCIDB 5.3: what its documentation says of the fields that we send, as a schema of our own ---

ID = {"type": "string", "pattern": r"\A[a-z0-9_]+:[^\x00]+\Z"}
TEXT = {"type": "string", "pattern": r"\A[^\x00]*\Z"}
ORIGIN = {"type": "string", "pattern": r"\A[a-z0-9_]+\Z"}
EXCERPT = dict(TEXT, maxLength=16384)
STATUS = {"enum": ["FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"]}


def strict(properties, *required):
    return {"type": "object", "properties": properties, "required": list(required),
            "additionalProperties": False}


KCIDB = strict({
    "version": strict({"major": {"const": 5}, "minor": {"const": 3}}, "major", "minor"),
    "checkouts": {"type": "array", "minItems": 1, "items": strict({
        "id": ID, "origin": ORIGIN, "comment": TEXT, "misc": {"type": "object"},
        "patchset_hash": {"type": "string", "pattern": r"\A([0-9a-f]{64})?\Z"}}, "id", "origin")},
    "builds": {"type": "array", "minItems": 1, "items": strict({
        "id": ID, "origin": ORIGIN, "checkout_id": ID, "comment": TEXT, "status": STATUS,
        "architecture": {"type": "string", "pattern": r"\A[a-z0-9_]*\Z"},
        "misc": {"type": "object"}}, "id", "origin", "checkout_id")},
    "tests": {"type": "array", "minItems": 1, "items": strict({
        "id": ID, "origin": ORIGIN, "build_id": ID, "comment": TEXT, "status": STATUS,
        "path": {"type": "string", "pattern": r"\A[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*\Z"},
        "number": strict({"value": {"type": "number"}, "unit": TEXT,
                          "prefix": {"enum": ["metric", "binary"]}}, "value"),
        "environment": strict({"comment": TEXT, "misc": {"type": "object"}}),
        "start_time": {"type": "string"}, "log_excerpt": EXCERPT,
        "misc": {"type": "object"}}, "id", "origin", "build_id", "path", "status")},
}, "version", "checkouts", "builds", "tests")


def has_null(value):
    if isinstance(value, dict):
        return any(has_null(item) for item in value.values())
    if isinstance(value, list):
        return any(has_null(item) for item in value)
    return value is None


def check_kcidb(path, origin):
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        skip("python3-jsonschema is not installed")
    document = load(path)
    errors = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft202012Validator(KCIDB).iter_errors(document)]
    assert not errors, errors
    assert not has_null(document), "the format has no null"
    ids = {kind: [o["id"] for o in document[kind]] for kind in ("checkouts", "builds", "tests")}
    for kind, of_kind in ids.items():
        assert len(set(of_kind)) == len(of_kind), f"{kind} share an id"
        assert all(i.startswith(f"{origin}:") for i in of_kind)
    assert all(b["checkout_id"] in ids["checkouts"] for b in document["builds"])
    assert all(t["build_id"] in ids["builds"] for t in document["tests"])
    for test in document["tests"]:
        if "start_time" in test:
            datetime.fromisoformat(test["start_time"].replace("Z", "+00:00"))
        if test["status"] == "SKIP":
            assert "number" not in test, test
    counts = {}
    for test in document["tests"]:
        counts[test["status"]] = counts.get(test["status"], 0) + 1
    print(" ".join(f"{status}={counts[status]}" for status in sorted(counts)))


def check_kcidb_io(*paths):
    try:
        from kcidb_io.schema import V5_3
    except ImportError as error:
        skip(f"Kernel CI's package kcidb-io is not installed ({error})")
    for path in paths:
        V5_3.validate_exactly(load(path))
        print(f"{os.path.basename(path)}: valid")


CHECKS = {"ktap": check_ktap, "kunit": check_kunit, "csv": check_csv, "verdicts": check_verdicts,
          "openmetrics": check_openmetrics, "kcidb": check_kcidb, "kcidb-io": check_kcidb_io}

if __name__ == "__main__":
    CHECKS[sys.argv[1]](*sys.argv[2:4] if sys.argv[1] in ("csv", "verdicts", "openmetrics", "kcidb")
                        else (sys.argv[2:] + [None] if sys.argv[1] == "ktap" else sys.argv[2:]))
