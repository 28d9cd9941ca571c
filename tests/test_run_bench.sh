#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How ./run-bench sets up: in a scratch copy with a package table of its own, a program that only
# prints its arguments, and a PATH in which apt and friends are ours. Nothing is installed.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
bin=$scratch/bin
unset PROXEVAL_DATA PROXEVAL_BUILD PROXEVAL_NO_PROGRESS

make_program() { # FILE TEXT
	printf '#!/bin/bash\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

# A fresh scratch tree whose suite counts as built.
# shellcheck disable=SC2016  # the stand-ins expand these
set_up() {
	local program
	rm -rf "$tree" "$bin"
	mkdir -p "$tree/scripts" "$tree/m4" "$tree/build/suite" "$bin"
	cp "$TEST_TOP/run-bench" "$tree/"
	cp "$TEST_TOP"/scripts/*.sh "$tree/scripts/"
	printf '%s\n' '# comment' 'build cmd:maker maker' 'kernel cmd:parser parser' \
		'kernel cmd:env coreutils' 'vm qemu:9 qemu-system-x86' >"$tree/scripts/packages.txt"
	touch "$tree/configure.ac" "$tree/Makefile.am" "$tree/scripts/Makemodule.am"
	for program in awk bash cat chmod cp dirname env find flock grep head ln mkdir mv nproc \
		readlink rm sed tail touch tr uname zcat; do
		ln -s "$(command -v "$program")" "$bin/$program"
	done
	make_program "$tree/build/suite/proxeval" '
		case "$*" in "run --help") echo "      --yes"; exit 0 ;; *--help) exit 0 ;; esac
		echo "program: $* data=$PROXEVAL_DATA build=$PROXEVAL_BUILD"
		exit 2'
	printf '%s\n' "$tree " >"$tree/build/suite/.built"
	make_program "$bin/id" 'echo 0'
	make_program "$bin/apt-cache" 'echo "  Candidate: 1:10.0.2"'
	make_program "$bin/apt-get" '
		echo "$*" >>'"$scratch"'/apt.calls
		[ ! -e '"$scratch"'/apt.fails ] || { echo "E: the mirror is on fire"; exit 100; }
		for word; do case $word in
		parser | maker) printf "#!/bin/sh\n" >'"$bin"'/$word; chmod +x '"$bin"'/$word ;;
		qemu-system-x86) printf "#!/bin/sh\necho QEMU emulator version 10.0.2\n" \
			>'"$bin"'/qemu-system-x86_64; chmod +x '"$bin"'/qemu-system-x86_64 ;;
		esac; done
		echo pmstatus:parser:50.0:Unpacking'
	rm -f "$scratch/apt.calls" "$scratch/apt.fails"
}

# Runs it without a terminal; leaves status, out and err.
run() { # ARGUMENT…
	status=0
	out=$(cd "$scratch" && PATH=$bin "$tree/run-bench" "$@" 2>"$scratch/err" </dev/null) || status=$?
	err=$(<"$scratch/err")
}

calls() {
	cat "$scratch/apt.calls" 2>/dev/null || true
}

test_passes_arguments_on() {
	set_up
	run list --json 'two words'
	expect_equal "the exit code" 2 "$status"
	expect_equal "the output" "program: list --json two words data=$tree build=$tree/build" "$out"
	expect_equal "what it says when there is nothing to do" "" "$err"
	expect_equal "apt's calls" "" "$(calls)"
	run --yes list --no-install
	expect_contains "list, which does not know --yes" "program: list data" "$out"
	run --target=host --yes
	expect_contains "run, which knows --yes" "program: --target=host --yes data" "$out"
}

test_no_install_lists_and_exits_4() {
	set_up
	run --no-install
	expect_equal "the exit code" 4 "$status"
	expect_contains "the list" "qemu-system-x86 " "$err"
	expect_contains "the list" "the program parser" "$err"
	case $err in *coreutils*) fail "a package that is here is listed as missing" ;; esac
	expect_equal "apt's calls" "" "$(calls)"
	expect_equal "the output" "" "$out"
}

test_installs_what_the_command_needs() {
	set_up
	run run --time=virtual
	expect_equal "the exit code" 2 "$status"
	expect_contains "apt's calls" "install --no-install-recommends parser" "$(calls)"
	expect_contains "apt's calls" "install --no-install-recommends qemu-system-x86" "$(calls)"
	expect_contains "what it says" "this will" "$err"
	rm "$scratch/apt.calls"
	run run --time=virtual
	expect_equal "apt's calls the second time" "" "$(calls)"

	set_up
	run run --target host
	run kernel list
	run compare a b
	run report --json
	run --help
	expect_equal "apt's calls for commands that need nothing" "" "$(calls)"
	run run --target vm --kernel-image=/boot/image
	case $(calls) in *parser*) fail "a kernel's tools were installed although an image was named" ;; esac
	expect_contains "apt's calls" qemu-system-x86 "$(calls)"
	run -y --variant a:/image:x=1 '--variant=!b:/image:'
	case $(calls) in *parser*) fail "a kernel's tools were installed although each variant has an image" ;; esac
	run --variant a:/image:x=1 --variant '!b::x=0'
	expect_contains "apt's calls for a variant without an image" parser "$(calls)"
}

test_without_apt_names_the_packages() {
	set_up
	rm "$bin/apt-get"
	run run
	expect_equal "the exit code" 4 "$status"
	expect_contains "what it says" "no apt" "$err"
	expect_contains "what it says" "parser " "$err"
}

test_without_root_names_the_command() {
	set_up
	make_program "$bin/id" 'echo 1000'
	run run
	expect_equal "the exit code" 4 "$status"
	expect_contains "what it says" "apt-get install parser" "$err"
	expect_equal "apt's calls" "" "$(calls)"
	# shellcheck disable=SC2016  # the stand-in expands it
	make_program "$bin/sudo" '[ "$1" != -n ] || shift; [ "$1" != true ] || exit 0; "$@"'
	run run
	expect_equal "the exit code with sudo" 2 "$status"
	expect_contains "apt's calls" parser "$(calls)"
}

test_apt_failure_is_told() {
	set_up
	touch "$scratch/apt.fails"
	run run
	expect_equal "the exit code" 4 "$status"
	expect_contains "what it says" "the mirror is on fire" "$err"
	expect_contains "apt's calls" update "$(calls)"
}

test_asks_once_on_a_terminal() {
	command -v script >/dev/null || return 0
	set_up
	ln -s "$(command -v script)" "$bin/script"
	ln -s "$(command -v stty)" "$bin/stty"
	status=0
	out=$(cd "$scratch" && PATH=$bin script -qec "$tree/run-bench run" /dev/null <<<n) || status=$?
	expect_equal "the exit code after no" 4 "$status"
	expect_contains "the question" "install them with apt? [Y/n]" "$out"
	expect_equal "apt's calls after no" "" "$(calls)"
	status=0
	out=$(cd "$scratch" && PATH=$bin script -qec "$tree/run-bench run" /dev/null <<<y) || status=$?
	expect_equal "the exit code after yes" 2 "$status"
	expect_equal "how often it asked" 1 "$(grep -c 'Y/n' <<<"$out")"
	expect_contains "the program" "program: run --yes" "$out"
	set_up
	ln -s "$(command -v script)" "$bin/script"
	status=0
	out=$(cd "$scratch" && PATH=$bin script -qec "$tree/run-bench run --yes" /dev/null </dev/null) || status=$?
	expect_equal "the exit code with --yes" 2 "$status"
	case $out in *Y/n*) fail "it asks although --yes was given" ;; esac
}

test_build_failure_is_told() {
	set_up
	touch -d '1 minute' "$tree/configure.ac"
	make_program "$bin/autoreconf" 'echo "configure.ac: it cannot be"; exit 1'
	run --no-install list
	expect_equal "the exit code without a compiler" 4 "$status"
	expect_contains "what it says" "the program maker" "$err"
	run list
	expect_equal "the exit code" 6 "$status"
	expect_contains "what it says" "configure.ac: it cannot be" "$err"
	expect_equal "the output" "" "$out"
	rm "$bin/maker"
	run list --help
	expect_contains "the help before anything is built" "Usage: ./run-bench" "$out"
	expect_equal "the exit code of the help" 0 "$status"
}

# Both formats of apt's sources; mirrors and keys stay as the machine has them.
test_backports_configuration() {
	local parts=$scratch/apt-sources build=$scratch/private found
	# shellcheck source=scripts/packages.sh
	. "$TEST_TOP/scripts/packages.sh"
	mkdir -p "$parts/sources.list.d"
	cat >"$parts/sources.list" <<-END
	# deb http://commented.invalid/debian one main
	deb [signed-by=/k.gpg arch=amd64] http://line.invalid/debian one main contrib
	deb http://line.invalid/debian-security one-security main
	deb-src http://line.invalid/debian one main
	END
	cat >"$parts/sources.list.d/x.sources" <<-END
	# The release
	Types: deb deb-src
	URIs: http://stanza.invalid/debian
	Suites: one one-updates
	Components: main
	Signed-By:
	 -----BEGIN PGP PUBLIC KEY BLOCK-----
	 .
	 abc

	Types: deb
	URIs: http://other.invalid/debian
	Suites: one-security
	Components: main

	Enabled: no
	Types: deb
	URIs: http://disabled.invalid/debian
	Suites: one
	Components: main
	END
	echo 'deb http://third.invalid/ stable main' >"$parts/sources.list.d/third.list"
	found=$(prepare_private_apt "$parts" one) || fail "no entry of the release was found"
	expect_contains "the options" "Dir::Etc::SourceParts=$build/apt/sources.list.d" "$found"
	expect_contains "the options" "Dir::Etc::SourceList=/dev/null" "$found"
	expect_contains "the options" one-backports "$found"
	expect_equal "the one-line entries" \
		"deb [signed-by=/k.gpg arch=amd64] http://line.invalid/debian one main contrib
deb [signed-by=/k.gpg arch=amd64] http://line.invalid/debian one-backports main contrib" \
		"$(<"$build/apt/sources.list.d/main.list")"
	expect_equal "the stanza's suites" "Suites: one one-updates one-backports" \
		"$(grep ^Suites "$build/apt/sources.list.d/x.sources")"
	expect_contains "the stanza's key" " abc" "$(<"$build/apt/sources.list.d/x.sources")"
	[ ! -e "$build/apt/sources.list.d/third.list" ] || fail "another repository was taken over"
	! prepare_private_apt "$parts" two >/dev/null || fail "a release without an entry was accepted"
}

test_passes_arguments_on
test_no_install_lists_and_exits_4
test_installs_what_the_command_needs
test_without_apt_names_the_packages
test_without_root_names_the_command
test_apt_failure_is_told
test_asks_once_on_a_terminal
test_build_failure_is_told
test_backports_configuration
finish
