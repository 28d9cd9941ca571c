#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The first boots of the published campaign come out again, to the byte, where the kernel's image,
# the guest's programs and QEMU are the published ones. Where one of them differs, the test says
# which, and that proxy execution still shortens what it is said to shorten.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# The kernel with its manifest: results name the patches that are in it.
[ -z "${PROXEVAL_BUILD:-}" ] || kernels=$PROXEVAL_BUILD
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"
unset PROXEVAL_BUILD
[ -z "${kernels:-}" ] || export PROXEVAL_BUILD=$kernels
published=$TEST_TOP/reports/published/campaigns/proxy-execution-series

publish() { # SITE
	bash "$TEST_TOP/scripts/publish.sh" --boots 2 --output "$1" >"$work/stdout" 2>"$work/stderr" ||
		fail "scripts/publish.sh exits with $?: $(tail -n 3 "$work/stderr")"
}

publish "$work/site"
again=$work/site/campaigns/proxy-execution-series
expect_equal "the number of boots" 4 "$(find "$again" -name 'boot-*.json' | wc -l)"

# What a guest in virtual time is made of; one line for each thing that is not as published.
differences() {
	python3 - "$published" "$again" <<-'END'
	import glob, json, sys
	def ingredients(folder):
	    with open(sorted(glob.glob(folder + "/boot-*.json"))[0]) as file:
	        boot = json.load(file)
	    qemu = boot["environment"]["qemu"]
	    return {"the kernel's image": boot["variant"]["image_sha256"],
	            "the guest's initrd (proxeval-guest and its libraries)": qemu["initrd_sha256"],
	            "QEMU": qemu["version"]}
	ours, theirs = ingredients(sys.argv[2]), ingredients(sys.argv[1])
	for name, value in ours.items():
	    if value != theirs[name]:
	        print(f"{name}: published with {theirs[name]:.12}, and here it is {value:.12}")
	END
}

# In every placement: the donor waits for a quarter of the time at most, and every boot showed why.
expect_effect() { # FOLDER
	python3 - "$1/summary.json" <<-'END'
	import json, sys
	with open(sys.argv[1]) as file:
	    summary = json.load(file)
	waits = [c for c in summary["comparisons"] if c["metric"] == "donor_wait_ns" and c["role"] == "primary"
	         and c["statistic"] == "p50"]
	assert len(waits) == 4, waits
	for wait in waits:
	    assert wait["variant"] == "proxy" and 0 < wait["ratio"] < 0.25, wait
	for evidence in summary["evidence"]:
	    assert evidence["held"] == evidence["sections"] > 0, evidence
	END
}

# Each boot is the published one; fails with the names of those that are not.
compare_boots() { # FOLDER
	local boot
	for boot in "$1"/boot-*.json; do
		cmp "$boot" "$published/${boot##*/}" || fail "${boot##*/} is not what was published"
	done
}

differing=$(differences)
if [ -z "$differing" ]; then
	compare_boots "$again"
	[ "$failures" -gt 0 ] || printf 'to the byte as published\n'
else
	printf '%s\n' "$differing" "so only the effect is compared; scripts/publish.sh publishes anew"
fi
expect_effect "$published" || fail "the published campaign does not show the effect"
expect_effect "$again" || fail "the campaign does not show the published effect"
finish
