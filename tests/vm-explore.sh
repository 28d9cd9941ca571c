#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A search over seeds: our kernel shows nothing; a planted fault is found, made small, and shows
# again to the byte.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

explore() { # ID OPTION…
	local id=$1
	shift
	proxeval explore --no-progress --kernel-image "$image" --results "$work/results" \
		--id "$id" "$@"
}

explore sound --seeds 2 --keep-logs
expect_equal "the exit code of a search that finds nothing" 0 "$code"
expect_contains "a search that finds nothing" "2 of 2 seeds tried" "$(cat "$work/stdout")"
[ -z "$(ls "$work/results/sound/finds")" ] || fail "a find was kept where there is none"
expect_equal "the consoles that are kept" "1.txt 2.txt" "$(cd "$work/results/sound/logs" && echo *)"
for log in "$work"/results/sound/logs/*.txt; do
	grep -q 'proxeval: machine clock' "$log" || fail "$log is not a guest's console"
done

# It takes an actor of each of two mechanisms, and the second round. How far it gets with more guests
# is in tests/test_explore_parts.c.
explore planted --only f-pos --only signals --until-found --variant "proxy::sched_proxy_exec=1 proxeval_plant=crash,f-pos,signals,2" \
	--shrink-runs 14
expect_equal "the exit code of a search that finds something" 1 "$code"
find=$work/results/planted/finds/0001
python3 - "$find" <<-'END' || fail "the find is not what it has to be"
	import json, sys
	find = json.load(open(sys.argv[1] + "/find.json"))
	plan = json.load(open(sys.argv[1] + "/plan.json"))
	print(find["signature"], find["first"], len(plan["actors"]), plan["rounds"])
	assert find["signature"]["kind"] == "report"
	assert "sysrq triggered crash" in find["signature"]["text"]
	assert find["is_shrunk"] and plan["rounds"] == 2
	assert len(plan["actors"]) <= find["first"]["actors"] / 2
	assert {"f-pos", "signals"} <= {actor["mechanism"] for actor in plan["actors"]}
END
grep -q "sysrq triggered crash" "$find/stack.txt" || fail "the find does not say what happened"

mv "$find" "$work/taken-elsewhere"
proxeval explore --replay "$work/taken-elsewhere" --no-progress
expect_equal "the exit code of a replay" 1 "$code"
expect_contains "a replay" "it shows again" "$(cat "$work/stdout")"
expect_contains "a replay" "the same, byte for byte" "$(cat "$work/stdout")"
expect_nothing_left "a search"
finish
