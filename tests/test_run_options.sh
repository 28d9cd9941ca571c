#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every mistake on the command line of run and resume is one sentence with the right exit code,
# said before anything is built, booted or written.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

work=$(mktemp -d /tmp/proxeval-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_BUILD=$work/build

expect_refusal() { # EXIT-CODE PART-OF-MESSAGE ARGUMENT…
	local expected=$1 part=$2 said code=0
	shift 2
	said=$("$PROXEVAL" "$@" --results "$work/results" 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of '$*'" "$expected" "$code"
	expect_contains "'$*'" "$part" "$said"
	expect_equal "the lines that '$*' says" 1 "$(grep -c . <<<"$said")"
	[ -z "$(ls "$work")" ] || fail "'$*' made something: $(ls "$work")"
}

expect_refusal 3 "'nonsense' is not a workload" run nonsense
expect_refusal 3 "named twice" run mutex-inversion mutex-inversion
expect_refusal 3 "2x2x2" run --topology 2x2
expect_refusal 3 "at most" run --topology 8x8x2
expect_refusal 3 "more than a guest can have" run --topology 1x1x1000
expect_refusal 3 "--boots takes a number from 1 to" run --boots -1
expect_refusal 3 "this machine has" run --memory 1048576
expect_refusal 3 "--boots takes a number from 1" run --boots 0
expect_refusal 3 "--time takes one of" run --time sidereal
expect_refusal 3 "--target takes one of" run --target moon
expect_refusal 3 "--profile takes one of" run --profile slow
expect_refusal 3 "they are K1, K2, K1+K2, K3" run --profile proof K3 K99
expect_refusal 3 "--profile proof has its work in a table" run --profile proof --param samples=3
expect_refusal 3 "--profile proof makes its kernels" run --profile proof --series x
expect_refusal 3 "--profile proof needs guests in virtual time" run --profile proof --time real
expect_refusal 3 "--profile proof needs guests in virtual time" run --profile proof --target host
expect_refusal 3 "--profile proof is no campaign" run --profile proof --print-campaign
expect_refusal 3 "it is for 'run' alone" calibrate --profile proof
expect_refusal 3 "LABEL:IMAGE:ARGS" run --variant proxy
expect_refusal 3 "LABEL:IMAGE:ARGS" run --variant proxy:image
expect_refusal 3 "label" run --variant :image:x
expect_refusal 3 "label" run --variant a/b::x
expect_refusal 3 "not 'a?[31m'" run --variant $'a\e[31m::x'
expect_refusal 3 "not 'a?b'" run --variant $'a\nb::x'
expect_refusal 3 "printable" run --variant $'a\xffb::x'
expect_refusal 3 "printable" run --variant $'a\xc2\x9bb::x'
expect_refusal 3 "only printable text" run --variant $'a::x\ny'
expect_refusal 3 "two variants are called 'a'" run --variant a::x --variant a::y
expect_refusal 3 "' -- '" run --variant "a::quiet -- exec"
expect_refusal 3 "not a placement" run --placement next-door
expect_refusal 3 "not a placement" run --placement cross-node-
expect_refusal 3 "names no parameter" run --param nonsense=1
expect_refusal 3 "--param" run --param samples=many
expect_refusal 3 "--param" run --param samples
expect_refusal 3 "phase_min_percent (90) must be below phase_max_percent (10)" \
	run --param phase_min_percent=90 --param phase_max_percent=10
expect_refusal 3 "phase_min_percent (90) must be below" run --param phase_min_percent=90
expect_refusal 3 "do not go with" run --target host --topology 1x1x1
expect_refusal 3 "do not go with" run --target host --memory 512
expect_refusal 3 "does not go with" run --target host --time virtual
expect_refusal 3 "does not go with" run --target host --boots 3
expect_refusal 3 "does not go with" run --target host --variant a::x
expect_refusal 3 "does not go with" run --kernel-image x --kernel-tree y
expect_refusal 3 "give one of them" run --kernel-tree x --base 7.2
expect_refusal 3 "is not an option" run --no-such-option
expect_refusal 5 "cannot open the kernel image" run --kernel-image "$work/absent"
expect_refusal 5 "cannot read the kernel tree" run --kernel-tree "$work/absent"
expect_refusal 5 "not a Linux source" run --kernel-tree "$TEST_TOP"
expect_refusal 5 "cannot read the series" run --series "$work/absent"
expect_refusal 5 "not 'nonsense'" run --base nonsense
expect_refusal 5 "is not a kernel image" run --kernel-image "$PROXEVAL"
expect_refusal 5 "is not a kernel image" run --variant "a:/dev/null:" --kernel-image "$PROXEVAL"

# A name for the campaign is a folder's name.
for name in "" ../out .hidden -x a/b "a b" "a\$b" "$(printf 'x%.0s' {1..101})"; do
	expect_refusal 3 "--id has 1 to 100" run "--id=$name"
done

# Of two --results the last counts.
expect_results() { # PART-OF-MESSAGE FOLDER
	local said code=0
	said=$("$PROXEVAL" run --results "$2" 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of --results '$2'" 3 "$code"
	expect_contains "--results '$2'" "$1" "$said"
}
expect_results "needs the name of a folder" ""
expect_results "is none" /dev/null

# And a new one.
mkdir -p "$work/results/taken"
code=0
said=$("$PROXEVAL" run --results "$work/results" --id taken 2>&1 >/dev/null) || code=$?
expect_equal "the exit code of a name that is taken" 3 "$code"
expect_contains "a name that is taken" "$work/results/taken already" "$said"

# resume has no --results: these are its own.
expect_resume() { # EXIT-CODE PART-OF-MESSAGE ARGUMENT…
	local expected=$1 part=$2 said code=0
	shift 2
	said=$("$PROXEVAL" resume "$@" 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of 'resume $*'" "$expected" "$code"
	expect_contains "'resume $*'" "$part" "$said"
}
expect_resume 3 "one campaign's folder"
expect_resume 3 "one campaign's folder" a b
expect_resume 5 "is not a campaign's folder" "$work"
expect_resume 5 "is not a campaign's folder" "$work/absent"
mkdir "$work/bad"
printf '{"format":' >"$work/bad/campaign.json"
expect_resume 5 "it is cut short" "$work/bad"
# The folder of a proof is known by its document.
for proof in '{}' '{"format":"proxeval-proof","version":1,"seed":1,"tags":["K99"],"rows":[]}' \
	'{"format":"proxeval-proof","version":1,"seed":1,"tags":["K3"],"rows":[{"tag":"Z","verdict":"shown"}]}'; do
	mkdir -p "$work/proof"
	echo "$proof" >"$work/proof/proof.json"
	expect_resume 5 "not the document of a proof" "$work/proof"
done

# A reader that went away ends nothing: 141 is what SIGPIPE would make of it.
exec {gone}> >(exec true)
wait $!
code=0
"$PROXEVAL" --help >&"$gone" || code=$?
[ "$code" != 141 ] || fail "SIGPIPE ends the program"
exec {gone}>&-

# A virtual machine is process 1's; this shell is not.
code=0
"$(dirname "$PROXEVAL")/proxeval-guest" 2>/dev/null || code=$?
expect_equal "the exit code of proxeval-guest outside a guest" 3 "$code"
finish
