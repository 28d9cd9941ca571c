# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Finding what scripts/packages.txt asks for, and installing what is missing through apt. The
# system's own apt configuration is read, never written. Needs scripts/progress.sh.
#
# shellcheck disable=SC2154  # top and build are set by the script that sources this file

# Where Debian 12's own QEMU is too old for virtual time, the release's backports have a newer one.
readonly qemu_lowest_major=9

qemu_major() {
	local version

	version=$(qemu-system-x86_64 --version 2>/dev/null) || return 1
	version=${version#*version }
	echo "${version%%.*}"
}

is_check_met() { # CHECK
	local what=${1#*:} major

	case $1 in
	cmd:*) command -v "$what" >/dev/null ;;
	header:*) compgen -G "/usr/include/$what" >/dev/null ||
		compgen -G "/usr/include/*-linux-gnu/$what" >/dev/null ;;
	pc:*) pkg-config --exists "$what" 2>/dev/null ;;
	file:*) compgen -G "$what" >/dev/null ;;
	python:*) python3 -c "import $what" 2>/dev/null ;;
	qemu:*) major=$(qemu_major) && [ "$major" -ge "$what" ] ;;
	*) error "scripts/packages.txt has a check '$1' that is not known"; exit 6 ;;
	esac
}

# Prints "CHECK PACKAGE" for everything that the NEEDs ask for and this machine lacks.
list_missing() { # NEED…
	local need check package seen=' '

	while read -r need check package; do
		case " $* " in *" $need "*) ;; *) continue ;; esac
		case $seen in *" $package "*) continue ;; esac
		is_check_met "$check" && continue
		seen+="$package "
		printf '%s %s\n' "$check" "$package"
	done < <(grep -v '^#' "$top/scripts/packages.txt")
}

# Rewrites the entry of an apt source file that has the release itself so that it names the
# release's backports too; mirror, components and key stay what the machine's owner chose.
# Knows both formats, and prints nothing for a file without such an entry.
with_backports() { # FILE CODENAME
	case $1 in
	*.sources) awk -v RS='' -v codename="$2" '
		/(^|\n)Types:[^\n]*deb-src/ && !/(^|\n)Types:[^\n]*deb([ \t]|\n)/ { next }
		/(^|\n)Enabled:[ \t]*no/ { next }
		match($0, /(^|\n)Suites:[^\n]*/) {
			suites = substr($0, RSTART, RLENGTH)
			if (suites !~ "[ \t]" codename "([ \t]|$)")
				next
			print substr($0, 1, RSTART - 1) suites " " codename "-backports" \
				substr($0, RSTART + RLENGTH) "\n"
		}' "$1" ;;
	*) awk -v codename="$2" '
		$1 == "deb" {
			for (i = 2; i <= NF; i++)
				if ($i == codename) {
					print
					$i = codename "-backports"
					print
					next
				}
		}' "$1" ;;
	esac
}

# A private apt configuration below build/apt. Prints the options that make apt-get use it; 1
# when the machine's sources have no entry for the running release.
prepare_private_apt() { # APT-FOLDER CODENAME
	local codename=$2 parts=$build/apt/sources.list.d file name found=no

	rm -rf "$parts"
	mkdir -p "$parts" "$build/apt/lists/partial"
	for file in "$1/sources.list" "$1"/sources.list.d/*.list "$1"/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		name=$parts/${file##*/}
		[ "$file" = "$1/sources.list" ] && name=$parts/main.list
		with_backports "$file" "$codename" >"$name"
		if [ -s "$name" ]; then found=yes; else rm -f "$name"; fi
	done
	[ $found = yes ] || return 1
	printf -- '-o\nDir::Etc::SourceList=/dev/null\n-o\nDir::Etc::SourceParts=%s\n' "$parts"
	printf -- '-o\nDir::State::Lists=%s\n-o\nDir::Cache::pkgcache=\n-o\nDir::Cache::srcpkgcache=\n' \
		"$build/apt/lists"
	printf -- '-t\n%s-backports\n' "$codename"
}

# Root's apt-get, quietly, with its progress drawn. Everything that it says goes to the log.
run_apt() { # LABEL APT-GET-ARGUMENT…
	local label=$1 line rest percent
	shift
	progress_begin "$label" 200
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -y -q \
		-o APT::Status-Fd=1 -o DPkg::Lock::Timeout=600 "$@" 2>&1 </dev/null |
		while IFS= read -r line; do
			case $line in
			dlstatus:* | pmstatus:*)
				rest=${line#*:*:}
				percent=${rest%%[.:]*}
				case $line in pmstatus:*) percent=$((percent + 100)) ;; esac
				progress_update "$percent" "${rest#*:}"
				;;
			*) printf '%s\n' "$line" >>"$apt_log" ;;
			esac
		done
}

# The lists may be older than the mirror, or not be there at all: then get them and try again.
install_packages() { # PACKAGE…
	run_apt "installing $# packages" install --no-install-recommends "$@" && {
		progress_end "done"
		return 0
	}
	note "the package lists here are out of date: getting new ones"
	run_apt "reading the package lists" update || true
	run_apt "installing $# packages" install --no-install-recommends "$@" || return 1
	progress_end "done"
}

apt_candidate_major() { # PACKAGE
	local version

	version=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')
	version=${version#*:}
	version=${version%%.*}
	case $version in '' | *[!0-9]*) echo 0 ;; *) echo "$version" ;; esac
}

install_qemu() {
	local options codename

	if [ "$(apt_candidate_major qemu-system-x86)" = 0 ]; then
		run_apt "reading the package lists" update || true
	fi
	if [ "$(apt_candidate_major qemu-system-x86)" -ge $qemu_lowest_major ]; then
		install_packages qemu-system-x86
		return
	fi
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	mapfile -t options < <(prepare_private_apt /etc/apt "$codename")
	if [ ${#options[@]} -eq 0 ]; then
		error "apt's sources here do not name this release, so its backports cannot be found"
		return 1
	fi
	note "this release's QEMU is older than $qemu_lowest_major: taking it from the release's backports" \
		"(a private apt configuration in ${build#"$PWD"/}/apt; the system's is not changed)"
	run_apt "reading the backports' package lists" "${options[@]}" update || return 1
	run_apt "installing QEMU" "${options[@]}" install --no-install-recommends qemu-system-x86 ||
		return 1
	progress_end "done"
}

# How this user becomes root for apt, in the array as_root; 1 when there is no way.
find_root() {
	as_root=()
	if [ "$(id -u)" = 0 ]; then
		return 0
	fi
	command -v sudo >/dev/null || return 1
	if [ -t 0 ]; then
		as_root=(sudo)
	else
		as_root=(sudo -n)
		sudo -n true 2>/dev/null
	fi
}

describe_missing() { # LINE ("CHECK PACKAGE")…
	local line check

	for line in "$@"; do
		check=${line% *}
		case $check in
		cmd:*) check="the program ${check#cmd:}" ;;
		header:*) check="the C header ${check#header:}" ;;
		pc:*) check="the library ${check#pc:}" ;;
		file:*) check="a file ${check#file:}" ;;
		python:*) check="the Python module ${check#python:}" ;;
		qemu:*) check="QEMU ${check#qemu:} or newer (qemu-system-x86_64)" ;;
		esac
		printf '    %-28s %s\n' "${line##* }" "$check" >&2
	done
}

# Installs what is missing. ask, go or never as the first argument. Returns 0, or 4 with the
# reason said.
install_missing() { # POLICY LINE…
	local policy=$1 line answer packages=() wants_qemu=no
	shift
	for line in "$@"; do
		case $line in
		qemu:*) wants_qemu=yes ;;
		*) packages+=("${line##* }") ;;
		esac
	done
	note "not on this machine yet (Debian's name for the package, and what it is for):"
	describe_missing "$@"
	if [ "$policy" = never ]; then
		error "--no-install: nothing was installed; install these, or leave the option out"
		return 4
	fi
	if ! command -v apt-get >/dev/null; then
		error "this distribution has no apt: install what the list above names, then try again"
		return 4
	fi
	if ! find_root; then
		error "only root can install; ask for: apt-get install ${packages[*]-}$(
			[ $wants_qemu = no ] || echo " qemu-system-x86 (version $qemu_lowest_major or newer)")"
		return 4
	fi
	if [ "$policy" = ask ]; then
		read -r -p "$progress_name: install them with apt? [Y/n] " answer
		case $answer in [nN]*) error "nothing was installed"; return 4 ;; esac
	fi
	mkdir -p "$build/logs"
	apt_log=$build/logs/apt.log
	: >"$apt_log"
	if { [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"; } &&
		{ [ $wants_qemu = no ] || install_qemu; }; then
		hash -r
		return 0
	fi
	show_log_tail "$apt_log"
	error "apt could not install everything; mend that, or install what the list names yourself"
	return 4
}

# Makes sure that everything which the NEEDs ask for is here. 0, or 4 with the reason said.
provide() { # POLICY NEED…
	local policy=$1 missing
	shift
	mapfile -t missing < <(list_missing "$@")
	[ ${#missing[@]} -eq 0 ] && return 0
	install_missing "$policy" "${missing[@]}" || return 4
	mapfile -t missing < <(list_missing "$@")
	[ ${#missing[@]} -eq 0 ] && return 0
	error "still missing after the installation:"
	describe_missing "${missing[@]}"
	return 4
}
