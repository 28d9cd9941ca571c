#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# import on what the real tools wrote: campaigns that compare, report and the schemas take.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
fixtures=$TEST_TOP/tests/fixtures/import
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# expect_exit CODE COMMAND…: what it prints goes to out and err
expect_exit() {
	local expected=$1 code=0
	shift
	"$@" >out 2>err || code=$?
	[ "$code" -eq "$expected" ] || fail "$* exits with $code, not $expected: $(cat err)"
}

# The files' figures, by a reader that is not ours, against the documents.
check_figures() {
	python3 - "$fixtures" <<'END'
import glob, json, sys
fixtures = sys.argv[1]

def metric(document, section, name):
    found = next(s for s in document["sections"] if s["id"] == section)
    return next(m for m in found["metrics"] if m["name"] == name)

def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)

def rank(bins, total, q):
    seen = 0
    for value, count in sorted(bins):
        seen += count
        if seen >= q * total:
            return value * 1000
    return None

boots = sorted(glob.glob("results/ct/boot-*-a.json"))
assert len(boots) == 4, boots
for number, path in enumerate(boots, 1):
    source, boot = load(f"{fixtures}/cyclictest-a-{number}.json"), load(path)
    bins, cycles = [], 0
    for index, thread in source["thread"].items():
        own = [(int(k), v) for k, v in thread["histogram"].items()]
        got = metric(boot, f"cyclictest/thread-{index}", "latency_ns")
        assert got["samples"] == thread["cycles"] and got["max"] == thread["max"] * 1000
        assert got["histogram"]["overflow"] == thread["cycles"] - sum(c for _, c in own)
        assert got["p50"] == rank(own, thread["cycles"], 0.5), (got, path)
        bins += own
        cycles += thread["cycles"]
    got = metric(boot, "cyclictest/all-threads", "latency_ns")
    assert got["samples"] == cycles
    assert got["histogram"]["overflow"] == cycles - sum(c for _, c in bins) > 0
    assert got["p50"] == rank(bins, cycles, 0.5) and got["p99"] == rank(bins, cycles, 0.99)
    assert sum(c for _, c in got["histogram"]["buckets"]) == sum(c for _, c in bins)
    assert boot["environment"]["kernel"]["release"] == source["sysinfo"]["release"]
assert [load(p)["boot"]["index"] for p in sorted(glob.glob("results/ct/boot-*.json"))] == list(range(8))
END
}

check_schemas() {
	local python=/usr/bin/python3
	"$python" -c 'from jsonschema import Draft202012Validator' 2>/dev/null || return 0
	"$python" - "$TEST_TOP/reports/schema" results/*/*.json <<'END' || fail "a document does not keep to its schema"
import json, sys
from jsonschema import Draft202012Validator
schemas, bad = {}, 0
for name in ("boot", "campaign"):
    with open(f"{sys.argv[1]}/{name}-1.schema.json", encoding="utf-8") as file:
        schemas[f"proxeval-{name}"] = Draft202012Validator(json.load(file))
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    for error in schemas[document["format"]].iter_errors(document):
        print(path, list(error.absolute_path), error.message[:200])
        bad = 1
sys.exit(bad)
END
}

test_cyclictest() {
	expect_exit 0 "$PROXEVAL" import --tool=cyclictest --variant a --campaign ct "$fixtures"/cyclictest-a-?.json
	expect_equal "what is said" "results/ct: 4 boots of a" "$(cat out)"
	expect_exit 0 "$PROXEVAL" import --tool=cyclictest --variant b --campaign ct "$fixtures"/cyclictest-b-?.json
	check_figures || fail "the figures are not the files'"
	expect_exit 0 "$PROXEVAL" compare --json results/ct
	python3 - <<'END' || fail "compare of two imported variants: $(head -c 2000 out)"
import json
with open("out", encoding="utf-8") as file:
    summary = json.load(file)
assert summary["target"] == "import" and summary["baseline"] == "a", summary["target"]
main = next(c for c in summary["comparisons"] if c["role"] == "primary" and c["statistic"] == "p50")
assert main["section"] == "cyclictest/all-threads" and main["boots_variant"] == 4
assert main["verdict"] == "equivalent" and main["test"] == "independent", main
END
	expect_exit 0 "$PROXEVAL" report -o page results/ct
	grep -q 'all-threads' page/report.txt || fail "the report says nothing of the threads"
	for text in histogram histofall lines talkative; do
		expect_exit 0 "$PROXEVAL" import --tool=cyclictest --kernel 7.2.13 --variant "$text" --campaign text "$fixtures/cyclictest-$text.txt"
	done
	grep -q '"release": *"7.2.13"' results/text/boot-0000-histogram.json || fail "--kernel is lost"
}

test_others() {
	expect_exit 0 "$PROXEVAL" import --tool=hackbench --variant process --campaign hb "$fixtures"/hackbench-process-?.txt
	cat "$fixtures"/hackbench-threaded-?.txt >many.txt
	expect_exit 0 "$PROXEVAL" import --tool=hackbench --variant threaded --campaign hb many.txt
	grep -q '"samples": *4' results/hb/boot-0004-threaded.json || fail "four runs in one file are not four samples"
	expect_exit 0 "$PROXEVAL" import --tool=schbench --variant json --campaign sb "$fixtures"/schbench-?.json
	expect_exit 0 "$PROXEVAL" import --tool=schbench --variant text --campaign sb "$fixtures"/schbench-?.txt
	expect_exit 2 "$PROXEVAL" compare results/sb
	expect_exit 0 "$PROXEVAL" import --tool=schbench --variant pipe "$fixtures/schbench-pipe.txt"
	grep -q '70887.65' results/import-schbench-*/boot-0000-pipe.json || fail "no transfers"
}

# Every refusal leaves results/ as it was.
test_refusals() {
	local before
	before=$(cd results && find . -type f -exec sha256sum {} + | sort)
	expect_exit 3 "$PROXEVAL" import --variant a "$fixtures/cyclictest-a-1.json"
	expect_exit 3 "$PROXEVAL" import --tool=cyclictest "$fixtures/cyclictest-a-1.json"
	expect_exit 3 "$PROXEVAL" import --tool=cyclictest --variant a
	expect_exit 3 "$PROXEVAL" import --tool=cyclictest --variant a/b "$fixtures/cyclictest-a-1.json"
	expect_exit 3 "$PROXEVAL" import --tool=cyclictest --variant a --campaign ../x "$fixtures/cyclictest-a-1.json"
	expect_exit 3 "$PROXEVAL" import --tool=sysbench --variant a "$fixtures/cyclictest-a-1.json"
	expect_exit 5 "$PROXEVAL" import --tool=cyclictest --variant a --campaign ct "$fixtures/cyclictest-a-1.json"
	expect_contains "a file for the second time" "is in results/ct already, as boot-0000-a.json" "$(cat err)"
	expect_exit 5 "$PROXEVAL" import --tool=cyclictest --variant c "$fixtures/cyclictest-a-1.json" "$fixtures/cyclictest-a-1.json"
	expect_contains "a file twice" "are the same" "$(cat err)"
	expect_exit 5 "$PROXEVAL" import --tool=cyclictest --variant c --kernel 1.2.3 "$fixtures/cyclictest-a-1.json"
	expect_contains "another kernel" "--kernel says 1.2.3" "$(cat err)"
	# The good file before the bad one is not imported either.
	printf '000001 000002\n000002 x\n' >bad.txt
	expect_exit 5 "$PROXEVAL" import --tool=cyclictest --variant c --campaign new "$fixtures/cyclictest-histogram.txt" bad.txt
	expect_contains "a broken file" "bad.txt:2: " "$(cat err)"
	expect_equal "how much is said of it" 1 "$(wc -l <err)"
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant c "$fixtures/schbench-1.txt"
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant c /nonexistent
	truncate -s 65M huge.txt
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant c huge.txt
	expect_contains "a huge file" "larger than 64 MiB" "$(cat err)"
	mkfifo pipe
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant c pipe
	cp -r "$TEST_TOP/tests/fixtures/results/same" results/own
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant c --campaign own "$fixtures/hackbench-process-1.txt"
	expect_contains "a campaign of another kind" "is not a campaign that an import made" "$(cat err)"
	rm -r results/own
	expect_exit 5 "$PROXEVAL" compare results/ct "$TEST_TOP/tests/fixtures/results/real-rounds"
	expect_equal "what a refusal leaves" "$before" "$(cd results && find . -type f -exec sha256sum {} + | sort)"
}

# On what machine: where no CPU is known the name that the tool wrote, on every form of the report.
test_machine() {
	expect_exit 0 "$PROXEVAL" report --output named results/ct
	grep -q '<dt>machine</dt><dd>vm</dd>' named/index.html || fail "the page does not name the machine"
	grep -q ' on vm; ' named/report.txt || fail "the text does not name the machine"
}

# hackbench says milliseconds and no more: two runs that took as long are two runs.
test_ties() {
	local run
	for run in 1 2 3; do
		cp "$fixtures/hackbench-process-1.txt" tie-$run.txt
	done
	expect_exit 0 "$PROXEVAL" import --tool=hackbench --variant a --campaign ties --results ties tie-1.txt tie-2.txt
	expect_exit 0 "$PROXEVAL" import --tool=hackbench --variant a --campaign ties --results ties tie-3.txt
	expect_exit 0 "$PROXEVAL" import --tool=hackbench --variant b --campaign ties --results ties tie-?.txt
	expect_equal "boots of runs that took as long" 6 "$(find ties/ties -name 'boot-*.json' | wc -l)"
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant a --campaign ties --results ties tie-2.txt
	expect_contains "a run for the second time" "is in ties/ties already, as boot-0001-a.json" "$(cat err)"
	expect_exit 5 "$PROXEVAL" import --tool=hackbench --variant c tie-1.txt ./tie-1.txt
	expect_contains "one file twice" "are the same" "$(cat err)"
	cp "$fixtures/cyclictest-a-1.json" renamed.json
	expect_exit 5 "$PROXEVAL" import --tool=cyclictest --variant c "$fixtures/cyclictest-a-1.json" renamed.json
}

# The same files give the same bytes, and without --campaign the same name.
test_reproducible() {
	for folder in one two; do
		expect_exit 0 "$PROXEVAL" import --tool=cyclictest --variant a --results $folder "$fixtures"/cyclictest-a-?.json
	done
	diff -r one two || fail "two imports of the same files differ"
	expect_exit 5 "$PROXEVAL" import --tool=cyclictest --variant a --results one "$fixtures"/cyclictest-a-?.json
	expect_contains "the same import again" "were imported before" "$(cat err)"
}

need_program python3
test_cyclictest
test_others
check_schemas
test_refusals
test_machine
test_ties
test_reproducible
finish
