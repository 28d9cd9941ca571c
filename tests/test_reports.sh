#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# compare and report over the recorded results: exit codes, golden text, the page.
# With UPDATE_GOLDEN=1 the golden files are written instead of compared.
set -eu

fixtures=$TEST_TOP/tests/fixtures/results
golden=$TEST_TOP/tests/golden/reports
proxeval=${PROXEVAL:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset NO_COLOR

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

# expect_exit CODE COMMAND…: what it prints goes to $work/out and $work/err
expect_exit()
{
	expected=$1
	shift
	code=0
	"$@" >"$work/out" 2>"$work/err" || code=$?
	[ "$code" -eq "$expected" ] || fail "$* exits with $code, not $expected: $(cat "$work/err")"
}

check_golden()
{
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp "$1" "$golden/$2"
	else
		cmp "$1" "$golden/$2" || { diff -u "$golden/$2" "$1" || true; fail "$2 differs"; }
	fi
}

expect_exit 0 "$proxeval" compare "$fixtures/quick-virtual"
check_golden "$work/out" quick-virtual.compare.txt
expect_exit 0 "$proxeval" compare "$fixtures/same"
expect_exit 0 "$proxeval" compare "$fixtures/real-rounds"
expect_exit 2 "$proxeval" compare "$fixtures/too-few"
expect_exit 2 "$proxeval" compare "$fixtures/broken"
expect_exit 1 "$proxeval" compare "$fixtures/worse"
expect_exit 1 "$proxeval" compare "$fixtures/violated"
expect_exit 1 "$proxeval" compare "$fixtures/panicked"
expect_exit 6 "$proxeval" compare "$fixtures/all-panicked"
expect_exit 2 "$proxeval" compare "$fixtures"/same/boot-0000-*.json
expect_exit 2 "$proxeval" compare "$fixtures/control-off"

# Losing boots or figures is never fine, however good the survivors look. damage NAME HOW: three
# proxy boots of the good campaign are made to have ended so.
damage()
{
	cp -r "$fixtures/quick-virtual" "$work/$1"
	/usr/bin/python3 - "$2" "$work/$1"/boot-*.json <<'END'
import json, sys
how, damaged = sys.argv[1], 0
for path in sys.argv[2:]:
    with open(path) as file:
        boot = json.load(file)
    if boot["variant"]["label"] != "proxy" or damaged == 3:
        continue
    damaged += 1
    if how == "no-progress":
        boot.update(outcome=how, reason="no sign of life for 180 s", sections=[])
        boot["health"] = {**boot["health"], "clean": None}
    elif how == "unclean":
        boot["health"].update(clean=False, reports=["WARNING: CPU: 0 PID: 1 at kernel/x.c:1"])
    else:
        for section in boot["sections"]:
            section.update(outcome=how, reason="it was made so")
            for metric in section["metrics"]:
                metric.update(outcome=how, reason="it was made so")
    with open(path, "w") as file:
        json.dump(boot, file)
assert damaged == 3
END
}
for damaged in broken:2 failed:1 no-progress:1 unclean:1; do
	damage "half-${damaged%:*}" "${damaged%:*}"
	expect_exit "${damaged#*:}" "$proxeval" compare "$work/half-${damaged%:*}"
done

# What the parameters change is not what the variants differ in; their order says nothing.
parameters() # NAME HOW: all proxy boots had other parameters, or the same in another order
{
	cp -r "$fixtures/worse" "$work/$1"
	/usr/bin/python3 - "$2" "$work/$1"/boot-????-proxy.json <<'END'
import json, sys
for path in sys.argv[2:]:
    with open(path) as file:
        boot = json.load(file)
    for section in boot["sections"]:
        if sys.argv[1] == "other":
            section["params"]["samples"] = "500"
        section["params"] = dict(reversed(section["params"].items()))
    with open(path, "w") as file:
        json.dump(boot, file)
END
}
parameters other-order same
expect_exit 1 "$proxeval" compare "$work/other-order"
parameters other-samples other
expect_exit 2 "$proxeval" compare "$work/other-samples"
grep -q 'sections differ in nothing but parameters' <(sed '/^\* /q' "$work/out" | tr -s '\n ' ' ') ||
	fail "other parameters are not said before the headline: $(head -n 12 "$work/out")"
! grep -q ' worse$' "$work/out" || fail "other parameters are called worse"

# Columns stay under each other however long a cell is: every row's verdict is under that word.
expect_aligned() # FILE
{
	awk '/ verdict$/ { at = index($0, "verdict"); next }
	     !NF { at = 0 }
	     at && NF > 3 && / (better|worse|equivalent|inconclusive|not-measured|agree|disagree|unclear)( \+[0-9]+)?$/ {
		seen++
		if (substr($0, at - 1) !~ /^ (better|worse|equivalent|inconclusive|not-measured|agree|disagree|unclear)( |$)/) { print FILENAME ": " $0; bad = 1 }
	     }
	     END { exit bad || !seen }' "$1" || fail "$1: columns do not stand under each other"
	awk 'length > 75 { print FILENAME ": " $0; bad = 1 } END { exit bad }' "$1" ||
		fail "$1 is wider than 75 columns"
}

# edit NAME FROM PYTHON…: a copy of a fixture or of another such copy, its boots changed by statements about `boot`; what
# make_result_fixtures.py has is there, too.
edit()
{
	if [ -d "$work/$2" ]; then
		cp -r "$work/$2" "$work/$1"
	else
		cp -r "$fixtures/$2" "$work/$1"
	fi
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TEST_TOP/tests /usr/bin/python3 - "$3" "$work/$1"/boot-*.json <<'END'
import json, sys
from make_result_fixtures import *
for number, path in enumerate(sys.argv[2:]):
    with open(path) as file:
        boot = json.load(file)
    label, sections = boot["variant"]["label"], boot["sections"]
    exec(sys.argv[1])
    write_json(path, boot)
END
}

# A baseline's violation is no regression; the line and the headline say the same of it.
edit baseline-violated too-few 'for s in sections: s["metrics"][-1]["violations"] = int(label == "!proxy")'
expect_exit 2 "$proxeval" compare "$work/baseline-violated"
head -n 12 "$work/out" | tr '\n' ' ' | tr -s ' ' >"$work/screen"
grep -q ' 0 violated, 1 by the baseline; proxy against !proxy' "$work/screen" || fail "the line does not say whose violation: $(cat "$work/screen")"
grep -q 'VIOLATED with !proxy (the baseline): cookie_violations was seen 2 times' "$work/screen" || fail "the headline does not say that it is the baseline: $(cat "$work/screen")"
expect_exit 0 "$proxeval" report "$work/baseline-violated"
grep -q 'with !proxy (the baseline), same-cpu' "$work/baseline-violated/index.html" || fail "the page does not say that it is the baseline"
edit both-violated too-few 'for s in sections: s["metrics"][-1]["violations"] = 1'
expect_exit 1 "$proxeval" compare "$work/both-violated"
tr '\n' ' ' <"$work/out" | tr -s ' ' | grep -q ' 1 violated, 1 by the baseline; .* \* VIOLATED with proxy: .* \* VIOLATED with !proxy (the baseline): ' ||
	fail "the variant's violation does not come first: $(head -n 12 "$work/out")"
edit informative-violated too-few 'for s in sections: s["metrics"][-1].update(violations=int(label == "proxy"), role="informative")'
expect_exit 2 "$proxeval" compare "$work/informative-violated"
grep -q '0 violated; proxy' <(tr '\n' ' ' <"$work/out") || fail "an informative violation is counted"
grep -q 'VIOLATED with proxy (informative: it is not counted): ' <(tr '\n' ' ' <"$work/out" | tr -s ' ') || fail "the headline does not say why it is not counted"

# Verdicts that differ have each their own range, in the sentence and in the page's box.
edit mixed same 'import copy
for name, factor in (("cross-node-20", 1.25 if label == "proxy" else 1), ("same-node", (1, 2, 0.5)[number % 3])):
    other = copy.deepcopy(sections[0])
    other["id"] = other["id"].replace("same-cpu", name)
    other["placement"].update(kind="cross-node" if "cross" in name else name, name=name)
    values = [int(v * factor) for v in draw(random.Random(f"{name}{number}"), 350e6, 0.001, 40)]
    other["metrics"][0] = distribution("donor_wait_ns", values)
    sections.append(other)'
expect_exit 1 "$proxeval" compare "$work/mixed"
tr '\n' ' ' <"$work/out" | tr -s ' ' >"$work/screen"
grep -q 'donor wait worse in 1 of 3 placements (cross-node-20): 2[45]\.[0-9] % longer (x 1\.25), p <= [0-9.]*; equivalent in 1 of 3 placements (same-cpu): [0-9.]* % [a-z]* (x [01]\.[09][0-9]), p <= [0-9.]*; inconclusive in 1 of 3 placements (same-node), so far ' \
	"$work/screen" || fail "no range for each verdict: $(cat "$work/screen")"
expect_exit 0 "$proxeval" report "$work/mixed"
for words in '% longer</b><br><span class="soft">worse: ratio &times; 1\.25</span>' 'span class="soft">equivalent: ratio &times; [01]\.[09][0-9]</span>' \
	'<b>not yet</b><br><span class="soft">inconclusive: at least [0-9]* more boot'; do
	grep -q "$words" "$work/mixed/index.html" || fail "the box does not say $words"
done
expect_aligned "$work/mixed/report.txt"

# What was not measured is told in a few lines, however many metrics, sections and reasons there are.
edit lossy quick-virtual 'for n, s in enumerate(sections):
    if label == "proxy":
        for m in s["metrics"]: m.update(outcome="broken", reason=f"only {n} of {number + 4} samples were contended")'
expect_exit 2 "$proxeval" compare "$work/lossy"
expect_exit 0 "$proxeval" report "$work/lossy"
sed -n '/^Not measured$/,/^$/p' "$work/lossy/report.txt" >"$work/screen"
[ "$(wc -l <"$work/screen")" -le 8 ] || fail "what was not measured takes $(wc -l <"$work/screen") lines"
tr '\n' ' ' <"$work/screen" | tr -s ' ' | grep -q 'proxy, 6 boots: mutex-inversion in all 4 placements: donor_wait_ns, inversion_factor, pi_wait_ns and 4 more: broken: only [0-9]* of [0-9]* samples were contended (or the same with other numbers)' ||
	fail "the losses are not told together: $(cat "$work/screen")"
[ "$(grep -c '^| proxy | .* | broken | only' "$work/lossy/report.md")" -eq 1 ] || fail "report.md does not group the losses"
grep -q '<td class="wide">mutex-inversion in all 4 placements</td>' "$work/lossy/index.html" || fail "the page does not group the losses"

# Variants that measured nothing alike; kernels that differ and are in no label.
edit apart quick-virtual 'boot["sections"] = [s for s in sections if (s["placement"]["name"] == "same-cpu") == (label == "proxy")]'
expect_exit 2 "$proxeval" compare "$work/apart"
grep -q '^\* No verdict: no primary metric was measured on both sides of a comparison' "$work/out" || fail "no word of nothing in common: $(head -n 12 "$work/out")"
edit two-kernels too-few 'if label == "proxy": boot["environment"]["kernel"]["release"] = "7.3.1"'
expect_exit 2 "$proxeval" compare "$work/two-kernels"
tr '\n' ' ' <"$work/out" | tr -s ' ' | grep -q '2 boots of proxy (7.3.1), 2 boots of !proxy (7.2.13)\.\|2 boots of !proxy (7.2.13), 2 boots of proxy (7.3.1)\.' ||
	fail "which kernel is whose is not said: $(head -n 12 "$work/out")"

# An inversion factor for each workload; none where it tells no variant from another.
edit two-workloads too-few 'import copy
other = copy.deepcopy(sections[0])
other.update(id=other["id"].replace("mutex", "rename"), workload="rename-inversion")
third = copy.deepcopy(other)
third.update(id=third["id"].replace("rename", "sweep"), workload="sweep-inversion")
other["metrics"][1]["value"] = 40 if label == "!proxy" else 2
third["metrics"][1]["value"] = 7
sections += [other, third]'
expect_exit 2 "$proxeval" compare "$work/two-workloads"
grep -q 'is the limit): mutex-inversion [12][0-9.]* with !proxy, 1[0-9.]* with proxy; rename-inversion 40.0 with !proxy, 2.00 with proxy\. ' <(tr '\n' ' ' <"$work/out" | tr -s ' ') ||
	fail "the factors are not told by workload: $(cat "$work/out")"

# Rows of a table over all sections say whose they are: the workload, and what parameter differs.
edit swept two-workloads 'third = sections[2]
third.update(id=sections[1]["id"] + ",depth=4", workload="rename-inversion", params={**sections[1]["params"], "depth": "4"})
sections[1]["params"]["depth"] = "2"'
expect_exit 0 "$proxeval" report "$work/swept"
for row in 'migrations ' 'pi wait ' 'cookie_violations ' 'donor wait .* 24 '; do
	[ "$(grep -c "^${row%% *}.* same-cpu depth=[24] .*" <(grep "^$row" "$work/swept/report.txt"))" -ge 2 ] ||
		fail "rows do not tell sections apart: $(grep "^$row" "$work/swept/report.txt")"
done
[ "$(grep -c '^rename-inversion$' "$work/swept/report.txt")" -eq 4 ] || fail "not every table names the workload"
grep -q '^| cookie_violations | rename-inversion same-cpu depth=4 | ' "$work/swept/report.md" || fail "report.md does not tell sections apart"
grep -q '<th scope="row">rename-inversion same-cpu depth=4</th>' "$work/swept/index.html" || fail "the page's controls do not tell sections apart"
expect_aligned "$work/swept/report.txt"
"$proxeval" compare --history "$fixtures/same" "$fixtures/too-few" >"$work/out" || true
grep -q '^ donor wait *same-cpu samples=40 *proxy ' "$work/out" || fail "a history's rows do not tell sections apart: $(cat "$work/out")"

# Factors that a histogram keeps in thousandths are shown as factors.
edit permille too-few 'for s in sections: s["metrics"].append(distribution("inversion_factor_permille", [20998, 19000], role="informative", unit="permille"))'
expect_exit 0 "$proxeval" report "$work/permille"
grep -q '^inversion factor  *same-cpu  *proxy  *4  *21\.0  -$' "$work/permille/report.txt" || fail "no factor among the maxima: $(grep -A4 ^Maxima "$work/permille/report.txt")"
grep -q '20,998' "$work/permille"/index.html "$work/permille"/report.* && fail "a factor is printed in thousandths"

# The gate: the list decides, but not over files that are wrong or runs that measured nothing.
for gate in worse:worse:1 worse:violated:0 violated:worse,violated:1 violated:worse:0 same:worse:0 \
	too-few:worse:0 too-few:inconclusive:1 broken:worse,violated,unhealthy:0 broken:not-measured:1 \
	broken:broken:1 panicked:worse:2 panicked:unhealthy:1 panicked:unclean:1 all-panicked:worse:6 \
	control-off:disagree:1 control-off:worse:0 worse:secondary-worse:1 same:secondary-worse:0; do
	IFS=: read -r case words code <<<"$gate"
	expect_exit "$code" "$proxeval" compare --fail-on "$words" "$fixtures/$case"
	if [ "$code" -eq 1 ]; then
		grep -q "^proxeval: --fail-on: .*([0-9]*)$" "$work/err" || fail "$gate: no word of what it was"
	fi
done
for words in '' 'worse,' ',worse' bad 'worse violated'; do
	expect_exit 3 "$proxeval" compare --fail-on "$words" "$fixtures/worse"
done
expect_exit 5 "$proxeval" compare --fail-on worse /nonexistent
expect_exit 3 "$proxeval" compare --fail-on worse --history "$fixtures/same"
expect_exit 3 "$proxeval" compare --json --one-line "$fixtures/same"
expect_exit 3 "$proxeval" compare --exact --history "$fixtures/same" "$fixtures/same"

# One line, whatever happened.
expect_line()
{
	expect_exit "$1" "$proxeval" compare --one-line "$fixtures/$2"
	printf '%s\n' "$3" | cmp - "$work/out" || fail "$2: $(cat "$work/out")"
}
expect_line 0 quick-virtual 'proxeval: 4 better, 0 worse, 0 equivalent, 0 inconclusive, 0 not-measured, 0 violated; proxy against !proxy, 6 boots each, vm virtual'
expect_line 1 violated 'proxeval: 1 better, 0 worse, 0 equivalent, 0 inconclusive, 0 not-measured, 1 violated; proxy against !proxy, 6 boots each, vm virtual'
expect_line 1 panicked 'proxeval: 0 better, 0 worse, 0 equivalent, 0 inconclusive, 1 not-measured, 0 violated, 1 unhealthy; proxy against !proxy, 0 to 3 boots each'

# Rounds that lost boots: three pairs of seven and four boots decide nothing, the boots as independent do.
mkdir "$work/lost"
cp "$fixtures/real-rounds"/* "$work/lost"
rm "$work/lost"/boot-00{01,04,07,10,13}-*
expect_exit 0 "$proxeval" compare "$work/lost"
grep -q '^proxeval: 2 better, .*' "$work/out" || fail "lost boots: $(head -2 "$work/out")"
grep -q 'no partner' "$work/out" && fail "lost boots: independent ones need no partner"

# The first screen has what changed, by how much, how sure, and on what machine.
for case in quick-virtual real-rounds control-off broken too-few violated panicked worse same; do
	"$proxeval" compare "$fixtures/$case" >"$work/out" || true
	head -n 24 "$work/out" | tr '\n' ' ' | tr -s ' ' >"$work/screen"
	for words in 'not-measured, [01] violated' 'Linux 7.2.13 on vm 2x2x2: QEMU TCG CPU version 2.5+, 8 CPUs' \
		'target vm, \(virtual\|real\) time' 'boots of proxy' 'donor wait'; do
		grep -q "$words" "$work/screen" || fail "$case: the first screen does not say '$words'"
	done
done

# Kernels x machines: every variant against the baseline of its kernel, and who disagrees.
/usr/bin/python3 "$TEST_TOP/tests/make_result_fixtures.py" "$work/n-way" xeon-7.2.13 epyc-7.2.13 xeon-7.3.1 epyc-7.3.1
expect_exit 2 "$proxeval" compare "$work"/n-way/*
check_golden "$work/out" n-way.compare.txt
expect_aligned "$work/out"
expect_exit 0 "$proxeval" report -o "$work/n-way-report" "$work"/n-way/*
check_golden "$work/n-way-report/report.md" n-way.report.md
expect_exit 0 "$proxeval" compare "$work"/n-way/*-7.3.1
grep -q '^\* The machines disagree: ' "$work/out" || fail "the machines' quarrel is not said"
expect_exit 0 "$proxeval" compare "$work"/n-way/*-7.2.13
grep -q 'disagree' "$work/out" && fail "the machines agree"

# Parts of it: what is left out is not missing, and the family of tests is smaller.
expect_exit 2 "$proxeval" compare --json --machine numa-box-3 --workload mutex-inversion --metric donor_wait_ns \
	--variant proxy@7.3.1 --variant '!proxy@7.3.1' "$work"/n-way/*
tr -d ' \n' <"$work/out" >"$work/screen"
for words in '"primary_tests":4,' '"machines":\[{"name":"numa-box-3"' '"secondary_tests":4,' '"controls":\[\],' \
	'onlyapartwascompared(--workloadmutex-inversion--metricdonor_wait_ns--variantproxy@7.3.1--variant!proxy@7.3.1--machinenuma-box-3)'; do
	grep -q -- "$words" "$work/screen" || fail "the selection does not say $words: $(cat "$work/screen")"
done
grep -q 'epyc-1\|futex' "$work/screen" && fail "what was left out is there"
expect_exit 0 "$proxeval" compare --variant proxy "$fixtures/quick-virtual"
expect_exit 0 "$proxeval" compare --history --variant '!proxy' "$work"/n-way/*
for unknown in --machine --workload --metric --variant; do
	expect_exit 3 "$proxeval" compare "$unknown" nobody "$fixtures/same"
	grep -q "^proxeval: error: $unknown: there is no 'nobody' here; there is '" "$work/err" || fail "$(cat "$work/err")"
done
expect_exit 3 "$proxeval" compare --exact --metric donor_wait_ns "$fixtures/same" "$fixtures/same"

# A history over those kernels, on each machine: one of them lost what it had gained.
expect_exit 1 "$proxeval" compare --history "$work"/n-way/*
tr '\n' ' ' <"$work/out" | tr -s ' ' >"$work/screen"
grep -q 'WORSE: donor wait of proxy (mutex-inversion, same-cpu, on epyc-1) is [0-9.]* times longer .* from 7.3.1 (campaign epyc-7.3.1) on' \
	"$work/screen" || fail "the regression is not named: $(cat "$work/out")"
check_golden "$work/out" history.txt
expect_exit 0 "$proxeval" compare --history "$work"/n-way/xeon-*
expect_exit 1 "$proxeval" compare --history --one-line "$work"/n-way/*
expect_exit 2 "$proxeval" compare --history "$fixtures/too-few"
expect_exit 4 "$proxeval" compare --history "$fixtures/all-panicked"
expect_exit 5 "$proxeval" compare --history "$fixtures/same" "$fixtures/real-rounds"

expect_exit 3 "$proxeval" compare
expect_exit 3 "$proxeval" compare --baseline nobody "$fixtures/same"
expect_exit 3 "$proxeval" compare --margin 0 "$fixtures/same"
for command in compare report export; do
	expect_exit 3 "$proxeval" "$command" --margin 2,5 "$fixtures/same"
	grep -q "^proxeval: error: --margin takes per cent, more than 0 and at most 100, such as 5 or 2.5; not '2,5'$" "$work/err" || fail "$(cat "$work/err")"
	expect_exit 3 "$proxeval" "$command" ''
	grep -q "^proxeval: error: '' is not the name of a result" "$work/err" || fail "$command '': $(cat "$work/err")"
done
for margin in 2.5 2.5%; do
	expect_exit 0 "$proxeval" compare --json --margin "$margin" "$fixtures/same"
	grep -q '"margin": *0\.025,' "$work/out" || fail "--margin $margin: $(grep '"margin"' "$work/out")"
done
expect_exit 2 "$proxeval" compare --margin 0.1 "$fixtures/same"
expect_exit 5 "$proxeval" compare "$fixtures/same" "$fixtures/real-rounds"
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than one sentence: $(cat "$work/err")"
expect_exit 5 "$proxeval" compare /nonexistent
[ ! -s "$work/out" ] || fail "something was printed about an invalid input"

# Copies of a campaign in virtual time are replays and make nothing surer.
expect_exit 2 "$proxeval" compare "$fixtures/too-few"
for copy in 1 2 3 4; do
	cp -r "$fixtures/too-few" "$work/copy$copy"
	sed -i "s/\"id\":\"too-few\"/\"id\":\"copy$copy\"/" "$work/copy$copy"/*.json
done
expect_exit 2 "$proxeval" compare "$fixtures/too-few" "$work"/copy?
tr '\n' ' ' <"$work/out" | tr -s ' ' | grep -q '16 boots were left out as replays' || fail "no word of replays"

expect_exit 5 "$proxeval" compare "$fixtures"
grep -qF "or $fixtures/* for all" "$work/err" || fail "no hint at the campaigns: $(cat "$work/err")"
# A folder that is not the user's: one sentence, and where else the report could go.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	cp "$proxeval" "$work/program"
	cp -r "$fixtures/same" "$work/theirs"
	chmod 755 "$work"
	expect_exit 6 setpriv --reuid=65534 --regid=65534 --clear-groups "$work/program" report "$work/theirs"
	[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than one sentence: $(cat "$work/err")"
	grep -q 'cannot write the report into .*; --output DIR names another folder' "$work/err" || fail "$(cat "$work/err")"
fi
touch "$work/file"
expect_exit 3 "$proxeval" report -o "$work/file" "$fixtures/same"
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than one sentence: $(cat "$work/err")"

expect_exit 0 "$proxeval" compare --exact "$fixtures/same" "$fixtures/same"
expect_exit 1 "$proxeval" compare --exact "$fixtures/same" "$fixtures/too-few"
expect_exit 3 "$proxeval" compare --exact "$fixtures/same"
expect_exit 5 "$proxeval" compare --exact "$fixtures/same" "$fixtures/real-rounds"
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than one sentence: $(cat "$work/err")"
grep -q 'its time is real and that of the first is virtual' "$work/err" || fail "$(cat "$work/err")"
expect_exit 0 "$proxeval" compare --exact --json "$fixtures/same" "$fixtures/same"
tr -d ' \n' <"$work/out" | grep -qxF '{"format":"proxeval-exact","version":1,"identical":true,"boots":12,"sections":12,"metrics":84,"difference":null}' ||
	fail "compare --exact --json: $(cat "$work/out")"
expect_exit 1 "$proxeval" compare --exact --json "$fixtures/same" "$fixtures/too-few"
grep -q '"difference": *"boot 0 ' "$work/out" || fail "no difference: $(cat "$work/out")"
cp -r "$fixtures/same" "$work/variant"
sed -i 's/"arguments":"sched_proxy_exec=1"/"arguments":"sched_proxy_exec=1 quiet"/' "$work/variant"/boot-*.json
expect_exit 0 "$proxeval" compare --exact "$fixtures/same" "$work/variant"
grep -q "variants differ .* arguments is 'sched_proxy_exec=1' in the first" "$work/err" || fail "no word of the variants"
expect_exit 5 "$proxeval" compare --exact "$fixtures/same" /nonexistent

for case in quick-virtual real-rounds control-off broken too-few violated panicked hostile; do
	expect_exit 0 "$proxeval" report --output "$work/$case" "$fixtures/$case"
	check_golden "$work/$case/report.txt" "$case.report.txt"
	check_golden "$work/$case/report.md" "$case.report.md"
	if LC_ALL=C grep -n '[^ -~]' "$work/$case/report.txt"; then
		fail "$case: report.txt is not plain ASCII"
	fi
	expect_aligned "$work/$case/report.txt"
	expect_exit 0 "$proxeval" report -o "$work/again" "$fixtures/$case"
	for file in index.html report.md report.txt summary.json; do
		cmp "$work/$case/$file" "$work/again/$file" || fail "$case: $file is not reproducible"
	done
	# Nothing from elsewhere, nothing that runs.
	if grep -nE '<script|https?://|<link|<img|@import|url\(' "$work/$case/index.html"; then
		fail "$case: index.html is not self-contained"
	fi
done

grep -q '&lt;script&gt;alert(&#39;x&#39;)' "$work/hostile/index.html" || fail "the host's name is lost"
if LC_ALL=C grep -n "$(printf '\033')" "$work/hostile/index.html" "$work/hostile/report.md"; then
	fail "an escape sequence got through"
fi

# Ids of sections with many parameters, where none is measured, and long labels.
cp -r "$fixtures/broken" "$work/long"
long=donor=fifo,owner=nice,samples=1000,hold_us=15000,background=4,background_us=2000,lock=mutex,chain=1
sed -i "s|/donor=fifo,owner=nice\"|/$long\"|; s/\"no-proxy\"/\"no\"/; s/\"proxy\"/\"series-with-proxy\"/g" "$work/long"/*.json
expect_exit 0 "$proxeval" report -o "$work/long-report" "$work/long"
awk 'length > 75 { print FILENAME ": " $0; bad = 1 } END { exit bad }' "$work/long-report/report.txt" ||
	fail "long names: report.txt is wider than 75 columns"
tr -d '\n ' <"$work/long-report/report.txt" | grep -q "/$long.*broken" || fail "the section's id is lost"
grep -q '^placement .* ser~oxy ' "$work/long-report/report.txt" || fail "no short label"

# The page says what was measured, and the configuration is a table.
grep -q '<th scope="row">kernel config CONFIG_NUMA</th><td class="wide"><code>y</code>' "$work/too-few/index.html" || fail "no table of the configuration"
grep -q '<th scope="row">campaign</th><td class="wide">too-few (seed 1)</td>' "$work/too-few/index.html" || fail "no campaign"
cp -r "$fixtures/too-few" "$work/unpatched"
sed -i 's/"series":\[[^]]*\]/"series":[]/' "$work"/unpatched/boot-*-no-proxy.json
expect_exit 0 "$proxeval" report "$work/unpatched"
tr '\n' ' ' <"$work/unpatched/report.txt" | tr -s ' ' | grep -q '!proxy: none' || fail "the series of one variant is given to both"

# Everything broken in a guest in real time: say what would help.
cp -r "$fixtures/too-few" "$work/disturbed"
sed -i 's/"time":"virtual"/"time":"real"/; s/"outcome":"ok","reason":null,"duration_ns"/"outcome":"broken","reason":"late","duration_ns"/g' "$work"/disturbed/*.json
expect_exit 6 "$proxeval" compare "$work/disturbed"
grep -q 'every boot or section broke; a guest in real time' "$work/out" || fail "no hint: $(cat "$work/out")"
tr '\n' ' ' <"$work/out" | grep -q -- '--time=virtual or an idle machine' || fail "no hint at virtual time"

# A folder's own report lies in it, and its links lead to the boots beside it.
cp -r "$fixtures/too-few" "$work/own"
expect_exit 0 "$proxeval" report "$work/own"
grep -q 'href="boot-0000-' "$work/own/index.html" || fail "no link to a boot beside the page"
grep -q 'href="../own/boot-0000-' "$work/own/index.html" && fail "the link leaves the folder"
expect_exit 0 "$proxeval" report -o "$work/elsewhere" "$work/own"
grep -q 'href="../own/boot-0000-' "$work/elsewhere/index.html" || fail "no link to a boot elsewhere"

# A broken file among good ones: nothing is written.
printf '{' >"$work/own/boot-0099-proxy.json"
rm -f "$work/own/index.html"
expect_exit 5 "$proxeval" report "$work/own"
[ ! -e "$work/own/index.html" ] || fail "a report was written over invalid results"
echo "ok"
