#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Exports of the recorded results: golden files, and each format held to its rules by readers that
# are not ours. With UPDATE_GOLDEN=1 the golden files are written instead of compared.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
fixtures=$TEST_TOP/tests/fixtures/results
golden=$TEST_TOP/tests/golden/exports
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skipped=

# Debian's own Python has the packages, whatever comes first in PATH.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

# expect_exit CODE COMMAND…: what it prints goes to $work/out and $work/err
expect_exit() {
	local expected=$1 code=0
	shift
	"$@" >"$work/out" 2>"$work/err" || code=$?
	[ "$code" -eq "$expected" ] || fail "$* exits with $code, not $expected: $(cat "$work/err")"
}

check() { # WHAT ARGUMENT…: a check of check_exports.py; its answer goes to $work/answer
	local code=0
	"$python" "$TEST_TOP/tests/check_exports.py" "$@" >"$work/answer" 2>&1 || code=$?
	case $code in
	0) ;;
	77) skipped=$(cat "$work/answer") ;;
	*) fail "$1 of $2: $(tail -n 3 "$work/answer" | cut -c 1-500)" ;;
	esac
}

# Computed figures have 15 to 17 digits, of which another compiler may give the last otherwise: the
# golden files have nine.
round_figures() { # FILE
	"$python" - "$1" <<'END'
import re, sys
with open(sys.argv[1], encoding="utf-8", newline="") as file:
    text = file.read()
sys.stdout.reconfigure(newline="")
sys.stdout.write(re.sub(r"\d+\.\d{6,}(e[+-]\d+)?", lambda m: f"{float(m.group()):.9g}", text))
END
}

check_golden() { # FILE NAME
	round_figures "$1" >"$work/rounded"
	set -- "$work/rounded" "$2"
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp "$1" "$golden/$2"
	else
		cmp -s "$1" "$golden/$2" || { diff -u "$golden/$2" "$1" | head -n 20; fail "$2 differs"; }
	fi
}

# Every export of every set of results keeps to its format, and is the same a second time.
check_all_forms() { # CASE
	local case=$1 folder=$fixtures/$1 out=$work/$1 code=0
	"$PROXEVAL" compare --json "$folder" >"$out.json" || code=$?
	for format in csv kcidb ktap openmetrics; do
		expect_exit 0 "$PROXEVAL" export --format=$format -o "$out.$format" "$folder"
		[ ! -s "$work/out" ] || fail "-o leaves something on the standard output"
		expect_exit 0 "$PROXEVAL" export --format=$format "$folder"
		cmp "$work/out" "$out.$format" || fail "$case as $format is not reproducible"
	done
	expect_exit 0 "$PROXEVAL" export --format=csv --table=verdicts -o "$out.verdicts" "$folder"
	check csv "$out.csv" "$folder"
	check verdicts "$out.verdicts" "$out.json"
	check openmetrics "$out.openmetrics" "$out.json"
	check kcidb "$out.kcidb" proxeval
	check ktap "$out.ktap"
}

ktap_is() { # CASE COUNTS [FAILED…]: what the strict reader counted, and which points are not ok
	local case=$1
	shift
	check ktap "$work/$case.ktap"
	expect_equal "$case as KTAP" "$(printf '%s\n' "$@")" "$(sed 's/^not ok: //' "$work/answer")"
}

test_meaning() {
	ktap_is quick-virtual 'pass=36 fail=0 error=0 skip=4'
	ktap_is worse 'pass=12 fail=3 error=0 skip=1' 'donor_wait_ns p50 proxy against !proxy' \
		'donor_wait_ns p90 proxy against !proxy' 'inversion_factor value proxy against !proxy'
	ktap_is violated 'pass=14 fail=1 error=0 skip=1' 'cookie_violations proxy'
	ktap_is broken 'pass=20 fail=0 error=1 skip=2' 'donor_wait_ns p50 proxy against !proxy'
	grep -q 'not ok 1 donor_wait_ns .* # ERROR proxy: broken: only 3 of 12' "$work/broken.ktap" ||
		fail "KTAP does not say why it is broken"
	grep -q '# SKIP inconclusive: ' "$work/too-few.ktap" || fail "KTAP does not skip what is open"
	check kcidb "$work/violated.kcidb" proxeval
	expect_equal "violated as KCIDB" 'DONE=11 FAIL=1 PASS=18' "$(cat "$work/answer")"
	check kcidb "$work/panicked.kcidb" proxeval
	expect_equal "panicked as KCIDB" 'DONE=7 ERROR=5 FAIL=3 PASS=4' "$(cat "$work/answer")"
	# sha256sum of the one line with the one patch's hash
	grep -q '"patchset_hash": *"123188dc53bb5a1af1cee67ac88831c6c60fa4a98d7e756edcea235383fb328d"' \
		"$work/quick-virtual.kcidb" || fail "the series' hash is not KCIDB's"
	grep -q '^proxeval_boots{variant="proxy",state="crashed"} 3$' "$work/panicked.openmetrics" ||
		fail "OpenMetrics does not count the boots lost: $(grep crashed "$work/panicked.openmetrics")"
}

test_golden() {
	local case
	for case in quick-virtual worse violated broken; do
		check_golden "$work/$case.ktap" "$case.ktap"
		check_golden "$work/$case.verdicts" "$case.verdicts.csv"
	done
	check_golden "$work/quick-virtual.openmetrics" quick-virtual.openmetrics.txt
	for case in worse violated; do
		check_golden "$work/$case.csv" "$case.figures.csv"
		check_golden "$work/$case.openmetrics" "$case.openmetrics.txt"
		check_golden "$work/$case.kcidb" "$case.kcidb.json"
	done
}

# Text from files that means something to a reader of the format.
test_hostile() {
	cp -r "$fixtures/worse" "$work/odd"
	rm "$work/odd/campaign.json"
	"$python" - "$work/odd"/boot-*.json <<'END'
import json, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        boot = json.load(file)
    if boot["variant"]["label"] == "proxy":
        boot["variant"]["label"] = boot["boot"]["variant"] = '=cmd|"x"!A1, # SKIP\nok 1 \\ done'
    boot["environment"]["hostname"] = "<b>\u001b[2J"
    for section in boot["sections"]:
        section["id"] += "\n1..9 # TODO"
        section["placement"]["name"] = "@SUM(A1)"
        section["params"]["samples"] = "-1+1"
        for metric in section["metrics"]:
            if metric["name"] == "migrations":
                metric.update(name="exit_code", outcome="broken",
                              reason="reboot: System halted\nKTAP version 1")
    boot["health"].update(clean=False, reports=["Kernel panic - not syncing: VFS: no root\n1..0"])
    with open(path, "w", encoding="utf-8") as file:
        json.dump(boot, file)
END
	local format
	for format in csv kcidb ktap openmetrics; do
		expect_exit 0 "$PROXEVAL" export --format=$format -o "$work/odd.$format" "$work/odd"
		LC_ALL=C grep -q "$(printf '\033')" "$work/odd.$format" && fail "an escape sequence is in the $format"
	done
	check csv "$work/odd.csv" "$work/odd"
	grep -qF "\"'=cmd|\"\"x\"\"!A1, # SKIP ok 1 \\ done\"" "$work/odd.csv" || fail "CSV: the label is lost"
	check kcidb "$work/odd.kcidb" proxeval
	check ktap "$work/odd.ktap"
	grep -qF 'not syncing; VFS: no root 1..0' "$work/odd.ktap" || fail "KTAP: a reader of consoles would stop there"
	expect_exit 1 "$PROXEVAL" compare --json "$work/odd"
	cp "$work/out" "$work/odd.json"
	grep -qF '# TYPE proxeval_exit_code_2 gauge' "$work/odd.openmetrics" || fail "OpenMetrics: two families of one name"
	grep -qF 'variant="=cmd|\"x\"!A1, # SKIP\nok 1 \\ done"' "$work/odd.openmetrics" || fail "OpenMetrics: the label is lost"
}

# Two kernels: four variants, of which one baseline is itself compared with the other.
test_several() {
	local folders=("$fixtures/quick-virtual" "$work/newer") code=0
	cp -r "$fixtures/worse" "$work/newer"
	sed -i 's/6105d6cc76af/6205d6cc76af/g; s/"7.2.13"/"7.3.1"/g' "$work/newer"/*.json
	"$PROXEVAL" compare --json "${folders[@]}" >"$work/several.json" || code=$?
	expect_equal "compare's exit code" 1 "$code"
	for format in kcidb ktap; do
		expect_exit 0 "$PROXEVAL" export --format=$format -o "$work/several.$format" "${folders[@]}"
	done
	expect_exit 0 "$PROXEVAL" export --format=csv --table=verdicts -o "$work/several.verdicts" "${folders[@]}"
	check kcidb "$work/several.kcidb" proxeval
	check ktap "$work/several.ktap"
	check verdicts "$work/several.verdicts" "$work/several.json"
	grep -qE '^  not ok [0-9]+ donor_wait_ns p50 proxy@7.3.1 against !proxy@7.3.1 # worse$' "$work/several.ktap" ||
		fail "the newer kernel's verdict is lost: $(grep 'not ok' "$work/several.ktap")"
	grep -q '^  ok [0-9]* donor_wait_ns .*# SKIP .*absent' "$work/several.ktap" ||
		fail "what a campaign did not ask for is not skipped"
}

test_options() {
	expect_exit 3 "$PROXEVAL" export "$fixtures/same"
	expect_exit 3 "$PROXEVAL" export --format=xml "$fixtures/same"
	expect_exit 3 "$PROXEVAL" export --format=csv
	expect_exit 3 "$PROXEVAL" export --format=kcidb --origin=A:b "$fixtures/same"
	expect_exit 3 "$PROXEVAL" export --format=csv --baseline nobody "$fixtures/same"
	expect_exit 5 "$PROXEVAL" export --format=csv -o "$work/none" "$fixtures/same" "$fixtures/real-rounds"
	[ ! -e "$work/none" ] || fail "something was written about invalid inputs"
	expect_equal "how much is said of it" 1 "$(wc -l <"$work/err")"
	expect_exit 6 "$PROXEVAL" export --format=csv -o /nonexistent/x "$fixtures/same"
	expect_exit 6 "$PROXEVAL" export --format=csv -o "$work" "$fixtures/same"
	expect_exit 0 "$PROXEVAL" export --format=kcidb --origin=my_ci "$fixtures/same"
	check kcidb "$work/out" my_ci
	# The start of the last boot, 2026-11-22T18:15:03Z or later, in seconds since 1970.
	expect_exit 0 "$PROXEVAL" export --format=openmetrics --timestamps "$fixtures/same"
	grep -qE '^proxeval_boots\{variant="proxy",state="ok"\} 6 17[0-9]{8}$' "$work/out" || fail "no timestamps"
	if (ulimit -f 1 && "$PROXEVAL" export --format=csv "$fixtures/same" >"$work/short") 2>/dev/null; then
		fail "an output that does not fit is no error"
	fi
}

mkdir -p "$golden"
for case in all-panicked broken control-off hostile panicked quick-virtual real-rounds same too-few violated worse; do
	check_all_forms "$case"
done
test_meaning
test_golden
test_hostile
test_several
test_options
[ "$failures" -gt 0 ] || [ -z "$skipped" ] || skip "the rest passed, but ${skipped#skipped: }"
finish
