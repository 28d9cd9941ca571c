#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A whole campaign in virtual time: every boot ends well, every document is there, the same
# command on a busy machine gives the same figures, and another seed gives others.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

sections() { # DIRECTORY
	python3 - "$1" <<-'END'
	import glob, json, sys
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    boot.pop("host_run")
	    boot.pop("campaign")
	    print(json.dumps(boot))
	END
}

proxeval run "${small[@]}" --boots 2
expect_equal "the exit code of a small campaign" 2 "$code"
first=$(campaign)
expect_equal "what became of the boots" "!proxy ok 0
!proxy ok 0
proxy ok 0
proxy ok 0" "$(outcomes "$first" | sort)"
for file in campaign.json journal.jsonl summary.json report.txt report.md index.html; do
	[ -s "$first/$file" ] || fail "$first/$file is missing or empty"
done
expect_nothing_left "a campaign"

# The same again, while every CPU has better things to do, and QEMU's threads are late where a
# host that is busy enough makes them (tests/late_threads.c). Every other boot left its
# trajectory by that before QEMU's threads took turns.
late=$(dirname "$PROXEVAL")/tests/late_threads.so
[ -e "$late" ] || skip "$late is not built ('make check' builds it)"
mkdir "$work/bin"
# shellcheck disable=SC2016 # the script that is written expands these
printf '#!/bin/bash\nLD_PRELOAD=$LD_PRELOAD:%q exec -a qemu-system-x86_64 %q "$@"\n' "$late" \
	"$(command -v qemu-system-x86_64)" >"$work/bin/qemu-system-x86_64"
chmod +x "$work/bin/qemu-system-x86_64"
burners=()
for _ in $(seq "$(nproc)"); do
	(while :; do :; done) &
	burners+=($!)
done
PATH=$work/bin:$PATH proxeval run "${small[@]}" --boots 2
kill "${burners[@]}"
second=$(campaign)
[ "$first" != "$second" ] || fail "the second campaign is in the first one's folder"
diff <(sections "$first") <(sections "$second") >/dev/null ||
	fail "the same command gave other figures on a loaded machine"
proxeval compare --exact "$first" "$second"
expect_equal "the exit code of compare --exact" 0 "$code"

proxeval run "${small[@]}" --boots 2 --seed 2
third=$(campaign)
diff <(sections "$first" | sed 's/"seed": [0-9]*//') \
	<(sections "$third" | sed 's/"seed": [0-9]*//') >/dev/null &&
	fail "another seed gave the same figures"

# Nothing is missing, so nothing is run; only the report is made again.
before=$(stat -c %y "$first"/boot-*.json)
rm "$first/report.txt"
proxeval resume "$first"
expect_equal "the exit code of resuming what is done" 2 "$code"
expect_equal "the times of the results" "$before" "$(stat -c %y "$first"/boot-*.json)"
[ -s "$first/report.txt" ] || fail "resume did not report"

# Another image under the same name is another campaign.
cp "$image" "$work/image"
proxeval run "${small[@]}" --boots 1 --kernel-image "$work/image"
fourth=$(campaign)
rm "$fourth"/boot-0001-*.json
printf x >>"$work/image"
proxeval resume "$fourth"
expect_equal "the exit code with another image" 5 "$code"
expect_contains "resume with another image" "is not the one that the campaign began with" "$said"
finish
