#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Ctrl-C at several moments, and kill -9: what finished stays, no guest is left, and resume runs
# exactly what is missing, with the figures that the campaign would have had. A soak, too.
# shellcheck disable=SC2317 # await calls functions by their names
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

figures() { # DIRECTORY
	python3 - "$1" <<-'END'
	import glob, json, sys
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    print(json.dumps([boot["boot"], boot["sections"], boot["health"]]))
	END
}

run_whole() { # OPTION…
	rm -rf "$work/results"
	proxeval run "$@"
	whole=$(campaign)
	expect_equal "the boots of the undisturbed campaign" 4 "$(outcomes "$whole" | grep -c ' ok 0')"
	expected=$(figures "$whole")
	expected_code=$code
}
run_whole "${small[@]}" --boots 2

# A campaign that has a journal, a guest that lives, a first result.
has_begun() { [ -s "$work/results/$(latest)/journal.jsonl" ]; }
has_guest() { compgen -G "$work/build/vm/run-*/*.stream"; }
has_spoken() { grep -q '@progress' "$work"/build/vm/run-*/*.stream; }
has_result() { compgen -G "$work/results/$(latest)/boot-*.json"; }
# The folder of the campaign that is disturbed: there is one besides the undisturbed one.
latest() { find "$work/results" -mindepth 1 -maxdepth 1 ! -name "${whole##*/}" -printf '%f\n'; }

expect_resumed() { # AFTER-WHAT
	local directory before
	directory=$work/results/$(latest)
	before=$(cd "$directory" && find . -name 'boot-*.json' -exec stat -c '%n %y' {} +)
	outcomes "$directory" >/dev/null || fail "a result is not whole after $1"
	proxeval resume "$directory"
	expect_equal "the exit code of resume after $1" "$expected_code" "$code"
	expect_nothing_left "resume after $1"
	[ -z "$before" ] || expect_equal "after $1, what was done and is as it was" "$(wc -l <<<"$before")" \
		"$(cd "$directory" && find . -name 'boot-*.json' -exec stat -c '%n %y' {} + | grep -cFx "$before")"
	diff <(echo "$expected") <(figures "$directory") >"$work/differences" ||
		fail "the figures after $1 and resume are others: $(head -c 2000 "$work/differences")"
	rm -rf "$directory"
}

for moment in has_begun has_guest has_spoken has_result; do
	start run "${small[@]}" --boots 2
	await "$moment"
	kill -INT "$driver"
	code=0
	wait "$driver" || code=$?
	expect_equal "the exit code of Ctrl-C at $moment" 6 "$code"
	expect_contains "Ctrl-C at $moment" "resume" "$(cat "$work/stderr")"
	expect_nothing_left "Ctrl-C at $moment"
	expect_resumed "Ctrl-C at $moment"
done

kill_and_resume() { # MOMENT OPTION…
	local moment=$1
	shift
	start run "$@"
	await "$moment"
	kill -KILL "$driver"
	wait "$driver" || true
	expect_resumed "kill -9 at $moment"
}
for moment in has_spoken has_result; do
	kill_and_resume "$moment" "${small[@]}" --boots 2
done

# What runs for hours is ended like that one day.
soak=(wakeup-cost --profile soak --param batches=11 --topology 1x1x1 --boots 2 --time=virtual --no-progress
	--kernel-image "$image" --results "$work/results" --watchdog 120)
run_whole "${soak[@]}"
kill_and_resume has_result "${soak[@]}"
finish
