# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the suite without a trace in the source tree: build/src is a folder of symbolic links
# to it, where autoreconf may write, and each configuration has a build folder of its own. Needs
# scripts/progress.sh.
#
# shellcheck disable=SC2154  # top and build are set by the script that sources this file

suite_folders() {
	local file

	for file in "$top"/*/Makemodule.am; do
		file=${file%/Makemodule.am}
		printf '%s\n' "${file##*/}"
	done
}

# Whether DIRECTORY was built from just these sources with just these arguments.
suite_is_current() { # DIRECTORY CONFIGURE-ARGUMENT…
	local directory=$1 folders
	shift
	[ -x "$directory/proxeval" ] && [ -e "$directory/.built" ] || return 1
	[ "$(<"$directory/.built")" = "$top $*" ] || return 1
	folders=("$top"/*/Makemodule.am)
	[ -z "$(find "${folders[@]%/Makemodule.am}" "$top/configure.ac" "$top/Makefile.am" \
		-newer "$directory/.built" -print -quit)" ]
}

# The links. m4 is a copy, for aclocal --install may add to it.
suite_link_sources() {
	local source=$build/src name

	mkdir -p "$source/m4"
	cp -pu "$top"/m4/*.m4 "$source/m4/"
	while read -r name; do
		ln -sfn "$top/$name" "$source/$name"
	done < <(
		suite_folders
		printf '%s\n' .ci .clang-format LICENSE Makefile.am README.md configure.ac run-bench run-tests
	)
}

# Runs one step with its output in a log. 0, or 1 with the log's end shown.
suite_step() { # LOG COMMAND…
	local log=$1
	shift
	if "$@" >>"$log" 2>&1 </dev/null; then
		return 0
	fi
	progress_end failed
	show_log_tail "$log"
	return 1
}

suite_configure() { # DIRECTORY LOG CONFIGURE-ARGUMENT…
	local directory=$1 log=$2
	shift 2
	if [ ! -e "$build/src/configure" ]; then
		progress_update 0 autoreconf
		suite_step "$log" autoreconf -i "$build/src" || return 1
	fi
	if [ ! -e "$directory/Makefile" ] || [ "$(cat "$directory/.arguments" 2>/dev/null)" != "$top $*" ]; then
		progress_update 0 configure
		rm -rf "$directory"
		mkdir -p "$directory"
		(cd "$directory" && suite_step "$log" "$build/src/configure" "$@") || return 1
		printf '%s\n' "$top $*" >"$directory/.arguments"
	fi
}

suite_make() { # DIRECTORY LOG TARGET…
	local directory=$1 log=$2 line done=0
	shift 2
	# Counted without -j: the list of what is still to be compiled.
	# shellcheck disable=SC2034  # scripts/progress.sh reads it
	progress_total=$(make -n -C "$directory" "$@" 2>/dev/null </dev/null | grep -c '"  CC ' || true)
	make -j"$(nproc)" -C "$directory" "$@" 2>&1 </dev/null |
		while IFS= read -r line; do
			printf '%s\n' "$line" >>"$log"
			case $line in
			'  CC '*)
				done=$((done + 1))
				progress_update $done "${line##* }"
				;;
			esac
		done && return 0
	progress_end failed
	show_log_tail "$log"
	return 1
}

# Builds the suite in DIRECTORY when anything changed. 0, or 1 with the reason said.
suite_build() { # DIRECTORY CONFIGURE-ARGUMENT…
	local directory=$1 log lock status=0
	shift
	if suite_is_current "$directory" "$@"; then
		return 0
	fi
	mkdir -p "$build/logs"
	exec {lock}>"$build/.lock"
	if ! flock -n "$lock"; then
		note "another build is under way in $build: waiting for it"
		flock "$lock"
	fi
	if ! suite_is_current "$directory" "$@"; then
		log=$build/logs/${directory##*/}.log
		: >"$log"
		suite_build_locked "$directory" "$log" "$@" || status=1
	fi
	exec {lock}>&-
	return $status
}

suite_build_locked() { # DIRECTORY LOG CONFIGURE-ARGUMENT…
	local directory=$1 log=$2 stamp=$build/.stamp.$$
	shift 2
	progress_begin "building the suite (${directory##*/})" 1
	suite_link_sources
	suite_configure "$directory" "$log" "$@" || return 1
	# Dated before make reads the sources: an edit made meanwhile is newer than it.
	printf '%s\n' "$top $*" >"$stamp"
	suite_make "$directory" "$log" all || { rm -f "$stamp"; return 1; }
	mv "$stamp" "$directory/.built"
	progress_end "done"
}
