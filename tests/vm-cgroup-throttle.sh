#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An owner whose quota is used up in its section finishes it all the same; a donor that lends is
# charged for what its owner does, and its cgroup is throttled for it.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

run_with() { # THROTTLED [OPTION…]
	proxeval run cgroup-throttle --time=virtual --no-progress --placement cross-node --boots 1 \
		--param throttled="$1" --param samples=3 --param control_samples=1 \
		--kernel-image "$image" --results "$work/results" --watchdog 120 "${@:2}"
	expect_equal "the exit code" 2 "$code"
	check "$(campaign)" "$1" || fail "with throttled=$1 the sections do not say what they have to"
}

check() { # DIRECTORY THROTTLED
	python3 - "$@" <<-'END'
	import glob, json, sys
	seen = set()
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    seen.add(label)
	    assert boot["health"]["clean"], (label, boot["health"])
	    [section] = boot["sections"]
	    assert section["outcome"] == "ok", (label, section["reason"])
	    metrics = {metric["name"]: metric for metric in section["metrics"]}
	    values = {name: metric.get("value") for name, metric in metrics.items()}
	    print(sys.argv[2], label, "factor", values["inversion_factor"], "owner",
	          values["owner_throttled_periods"], "donor", values["donor_throttled_periods"])
	    is_proxy = label == "proxy"
	    evidence = {item["name"]: item for item in section["evidence"]}
	    if sys.argv[2] == "owner":
	        # In each sample, also where proxy execution spares the owner most of its section.
	        assert evidence["owner_throttled"]["observed"] == 3, evidence["owner_throttled"]
	        assert values["inversion_factor"] <= (1.5 if is_proxy else 5), values
	        assert values["long_waits"] == 0, values
	        assert values["owner_throttled_periods"] >= 1, values
	    else:
	        # Who lends pays: its cgroup is throttled for what the owner did.
	        assert (values["donor_throttled_periods"] > 0) == is_proxy, values
	assert seen == {"proxy", "!proxy"}, seen
END
}

run_with owner
# Without proxy execution a donor may spin for what is left of its owner's slice, up to 3 ms: within this
# quota and the 1 ms that its CPU keeps. The rest of the owner's section is not.
run_with donor --param section_us=12000 --param quota_us=2500
expect_nothing_left "two campaigns"
finish
