#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# proxeval doctor: what it says and exits with where all is there, and where little is.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_SETTINGS=$work/settings.jsonl

# A validator that is not ours.
validate() { # DOCUMENT
	python3 - "$TEST_TOP/reports/schema/doctor-1.schema.json" "$1" <<'END'
import json, sys
import jsonschema
schema, document = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(document)
END
}

doctor() { # ARGUMENT…; leaves $code and $work/out
	code=0
	"$PROXEVAL" doctor "$@" >"$work/out" 2>&1 || code=$?
}

# The status and what was found of one check, from $work/out.
check_of() { # NAME
	python3 - "$work/out" "$1" <<'END'
import json, sys
for check in json.load(open(sys.argv[1]))["checks"]:
    if check["name"] == sys.argv[2]:
        print(check["status"] + ": " + check["found"])
END
}

test_this_machine() {
	doctor --json
	case $code in 0 | 4) ;; *) fail "doctor --json exits with $code" ;; esac
	validate "$work/out" || fail "doctor --json does not follow its schema"
	doctor
	expect_contains "doctor" "Can be measured here:" "$(cat "$work/out")"
	expect_contains "doctor" "What would spoil" "$(cat "$work/out")"
	[ ! -e "$PROXEVAL_SETTINGS" ] || fail "doctor made a journal"
}

# A PATH with nothing in it but a QEMU that says what we want: no program is really run.
fake_qemu() { # VERSION
	mkdir -p "$work/bin"
	printf '#!/bin/sh\necho "QEMU emulator version %s (Debian 1:%s)"\n' "$1" "$1" \
		>"$work/bin/qemu-system-x86_64"
	chmod +x "$work/bin/qemu-system-x86_64"
}

test_an_old_qemu() {
	fake_qemu 7.2.9
	PATH=$work/bin doctor --json
	expect_equal "the exit code with QEMU 7.2" 0 "$code"
	validate "$work/out" || fail "doctor --json does not follow its schema"
	expect_equal "what doctor says of QEMU 7.2" \
		"missing: QEMU 7.2.9: too old for --time=virtual, which needs 9" "$(check_of qemu)"
	expect_contains "what doctor says of kernel tools" "missing: needed to build a kernel and missing: bc" \
		"$(check_of kernel-tools)"
}

test_a_new_qemu() {
	fake_qemu 11.0.1
	PATH=$work/bin doctor --json
	expect_equal "what doctor says of QEMU 11" "ok: QEMU 11.0.1" "$(check_of qemu)"
}

test_no_qemu() {
	rm -f "$work/bin/qemu-system-x86_64"
	mkdir -p "$work/bin"
	PATH=$work/bin doctor --json
	expect_equal "what doctor says without QEMU" \
		"missing: qemu-system-x86_64 is not installed" "$(check_of qemu)"
	if [ "$(id -u)" = 0 ]; then
		expect_equal "root's exit code without QEMU" 0 "$code"
		command -v setpriv >/dev/null || return 0
		chmod 755 "$work"
		code=0
		setpriv --reuid=65534 --regid=65534 --clear-groups env "PATH=$work/bin" "$PROXEVAL" doctor \
			>"$work/out" 2>&1 || code=$?
		# The program itself may lie where nobody may go.
		[ "$code" = 126 ] || [ "$code" = 127 ] || expect_equal "nobody's exit code without QEMU" 4 "$code"
	else
		expect_equal "the exit code without QEMU and root" 4 "$code"
	fi
}

test_what_a_run_left() {
	printf '%s\n' '{"event":"begin","pid":1}' '{"event":"set","path":"/x","old":"1","new":"2"}' \
		>"$PROXEVAL_SETTINGS"
	chmod 600 "$PROXEVAL_SETTINGS"
	doctor --json
	expect_equal "what doctor says of changes" "note: an interrupted run has left 1 changes" \
		"$(check_of settings)"
	rm "$PROXEVAL_SETTINGS"
}

test_without_its_files() {
	PROXEVAL_DATA=$work/nowhere doctor --json
	expect_contains "doctor without its files" "note: scripts/packages.txt cannot be read" \
		"$(check_of packages)"
	validate "$work/out" || fail "doctor --json does not follow its schema"
}

test_this_machine
test_an_old_qemu
test_a_new_qemu
test_no_qemu
test_what_a_run_left
test_without_its_files
finish
