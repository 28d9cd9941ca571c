#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A distribution's own kernel, as its package has it, boots and is measured; asked for proxy
# execution, which it does not have, it says so. doc/stock-kernels.md has the recipe.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

# The image of the package that linux-image-amd64 stands for: downloaded, never installed.
fetch_image() { # FOLDER
	local package
	package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -nE 's/^ *Depends: (linux-image-[^ ]*)/\1/p' | head -n 1)
	[ -n "$package" ] || return 1
	(cd "$1" && timeout 120 apt-get download -q "$package" >/dev/null 2>&1) || return 1
	dpkg-deb --fsys-tarfile "$1/$package"_*.deb | tar -x -C "$1" --wildcards './boot/vmlinuz-*' || return 1
	find "$1/boot" -name 'vmlinuz-*'
}

need_program apt-get
need_program dpkg-deb
need_program tar
stock=$(mktemp -d /tmp/proxeval-stock-XXXXXX)
trap 'rm -rf "$stock"' EXIT
image=${TEST_STOCK_IMAGE:-$(fetch_image "$stock")} ||
	skip "apt has no linux-image-amd64 to download here, and TEST_STOCK_IMAGE names no image"
TEST_KERNEL_IMAGE=$image
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"
trap 'rm -rf "$stock" "$work"' EXIT

# 6.1 spins on a lock's owner for longer than later kernels: sections of 24 ms.
proxeval run mutex-inversion sleeping-owner --time=virtual --no-progress --boots 1 --placement same-cpu \
	--param samples=1 --param control_samples=1 --param section_us=24000 \
	--kernel-image "$image" --topology 1x2x1 --memory 512 \
	--variant stock:: --variant asked::sched_proxy_exec=1 --results "$work/results" --watchdog 120
python3 - "$(campaign)" "${image##*vmlinuz-}" <<-'END' || fail "what the stock kernel's boots say is not what it has to be"
	import glob, json, sys
	boots = {}
	for path in glob.glob(sys.argv[1] + "/boot-*.json"):
	    with open(path) as file:
	        boot = json.load(file)
	    boots[boot["variant"]["label"]] = boot
	assert set(boots) == {"stock", "asked"}, boots.keys()
	for label, boot in boots.items():
	    kernel = boot["environment"]["kernel"]
	    assert boot["outcome"] == "ok", (label, boot["reason"])
	    assert kernel["release"] == sys.argv[2], kernel["release"]
	    # Only a kernel that refuses the argument says what it lacks: its configuration is in a file that
	    # the guest does not have.
	    assert kernel["proxy_exec"] == {"stock": "unknown", "asked": "absent"}[label], kernel["proxy_exec"]
	    assert len(boot["sections"]) == 2, label
	    for section in boot["sections"]:
	        name = (label, section["id"], section["outcome"], section["reason"])
	        print(*name)
	        if label == "asked":
	            assert section["outcome"] == "unsupported", name
	            assert "no proxy execution" in section["reason"], name
	        else:
	            assert section["outcome"] == "ok", name
	            factor = next(m["value"] for m in section["metrics"] if m["name"] == "inversion_factor")
	            assert factor >= 4.9, (name, factor)
END
expect_nothing_left "a stock kernel"
finish
