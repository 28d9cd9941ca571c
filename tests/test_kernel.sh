#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `proxeval kernel` as a whole, on a tree that is a kernel as far as it can tell: its Makefile
# answers allnoconfig and bzImage in a moment. No network, no compiler.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program patch
need_program git
need_program flex
need_program bison
need_program bc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_BUILD=$work/build
tree=$work/tree
series=$work/patches/series

make_tree() {
	mkdir -p "$tree/kernel" "$work/patches"
	printf 'one\ntwo\nthree\n' >"$tree/kernel/a.c"
	cat >"$tree/Makefile" <<-'MAKE'
		VERSION = 7
		PATCHLEVEL = 2
		SUBLEVEL = 99
		.RECIPEPREFIX = >
		.PHONY: allnoconfig bzImage olddefconfig modules_prepare modules
		allnoconfig:
		> sed /REFUSED/d $(KCONFIG_ALLCONFIG) >$(O)/.config
		bzImage:
		> ! grep BROKEN kernel/a.c
		> mkdir -p $(O)/arch/x86/boot
		> cat kernel/a.c $(O)/.config >$(O)/arch/x86/boot/bzImage
		> echo x >>$(O)/builds
		olddefconfig:
		> test -s $(O)/.config
		modules_prepare:
		> echo x >$(O)/prepared
		modules:
		> ! grep MODULELESS kernel/a.c
		> cat kernel/a.c $(M)/lab_run.c >$(M)/proxeval_lab.ko
		> echo x >>$(or $(O),$(M))/modules
	MAKE
	cat >"$work/patches/good.patch" <<-'PATCH'
		--- a/kernel/a.c
		+++ b/kernel/a.c
		@@ -1,3 +1,3 @@
		 one
		-two
		+TWO
		 three
	PATCH
	sed s/TWO/BROKEN/ "$work/patches/good.patch" >"$work/patches/broken.patch"
	sed 's/-two/-never/; s/TWO/x/' "$work/patches/good.patch" >"$work/patches/bad.patch"
	echo good.patch >"$series"
}

kernel() { # ACTION [OPTION…]; stdout in $out, stderr in $err, the exit code in $code
	code=0
	"$PROXEVAL" kernel "$@" >"$work/out" 2>"$work/err" || code=$?
	out=$(<"$work/out")
	err=$(<"$work/err")
}

expect() { # CODE [WORDS OF STDERR]
	[ "$code" = "$1" ] || fail "exit code $code instead of $1: $err"
	[ -z "${2-}" ] || grep -qF -- "$2" <<<"$err" || fail "'$2' is not said: $err"
}

state_of() { # DIR
	(cd "$1" && find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

builds() { cat "$PROXEVAL_BUILD"/kernel/sources/*/objects/builds 2>/dev/null | wc -l; }

test_usage() {
	kernel
	expect 3 'fetch, patch, build, module and list'
	kernel bake
	expect 3
	kernel list
	expect 0
	grep -q 'No kernel has been built' <<<"$out" || fail "an empty list says: $out"
	kernel build --kernel-tree "$work/nowhere"
	expect 5 "$work/nowhere"
	kernel fetch --base nonsense
	expect 5 "not 'nonsense'"
	kernel patch --kernel-tree "$tree" --series "$work/nowhere"
	expect 5 "cannot read the series $work/nowhere"
	kernel patch --kernel-tree "$tree" --series "$series" --config nosuch
	expect 5 'kernel-patches/config/nosuch.config'
	kernel build --kernel-tree "$work/patches"
	expect 5 'not a Linux source'
}

check_list_schema() { # DOCUMENT
	/usr/bin/python3 -c 'from jsonschema import Draft202012Validator' 2>/dev/null || return 0
	/usr/bin/python3 -c '
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
document = json.load(sys.stdin)
Draft202012Validator(schema).validate(document)
assert all(round(k["build_s"], 1) == k["build_s"] for k in document["kernels"])
document["kernels"][0].pop("hash")
assert not Draft202012Validator(schema).is_valid(document), "a kernel without a hash passes"
' "$TEST_TOP/reports/schema/kernels-1.schema.json" <<<"$1" ||
		fail "the list is not what the schema says: $1"
}

test_build() {
	local before image
	before=$(state_of "$tree")
	kernel build --kernel-tree "$tree" --series "$series" --jobs 1
	expect 0
	image=$out
	grep -q TWO "$image" || fail "the image $image is not of the patched tree"
	python3 -c '
import json, sys
m = json.load(open(sys.argv[1]))
assert m["base"] == "7.2.99", m
assert [p["patch"] for p in m["series"]] == ["good.patch"], m
assert len(m["image_sha256"]) == 64, m
assert m["config"]["CONFIG_SCHED_PROXY_EXEC"] == "y", m
' "${image%/*}/manifest.json" || fail "the manifest is wrong"
	[ -s "${image%/*}/build.log" ] || fail "the build log is not kept"
	[ -s "${image%/*}/config" ] || fail "the configuration is not kept"
	kernel build --kernel-tree "$tree" --series "$series" --jobs 1
	[ "$out" = "$image" ] || fail "the second build is another one: $out"
	[ "$(builds)" = 1 ] || fail "what was built already was built again"
	# A patch by another name makes the same kernel, and the name of today is what is told.
	mkdir -p "$work/renamed"
	cp "$work/patches/good.patch" "$work/renamed/better.patch"
	echo better.patch >"$work/renamed/series"
	kernel build --kernel-tree "$tree" --series "$work/renamed/series" --jobs 1
	[ "$out" = "$image" ] || fail "a renamed patch makes another kernel: $out"
	[ "$(builds)" = 1 ] || fail "a renamed patch was built again"
	grep -q '"better.patch"' "${image%/*}/manifest.json" || fail "the manifest has the old name"
	kernel build --kernel-tree "$tree" --series /dev/null --json
	grep -q two "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["image"])' <<<"$out")" ||
		fail "--series /dev/null is not the tree as it is"
	kernel list --json
	[ "$(python3 -c 'import json,sys; print(len(json.load(sys.stdin)["kernels"]))' <<<"$out")" = 2 ] ||
		fail "the list does not have both kernels: $out"
	check_list_schema "$out"
	[ "$before" = "$(state_of "$tree")" ] || fail "the user's tree was written to"
}

modules() { cat "$PROXEVAL_BUILD"/kernel/sources/*/{objects,module-objects}/modules 2>/dev/null | wc -l; }

# The module lies beside each image, is of the same tree, and costs no kernel to build again.
test_laboratory() {
	local image other data=$work/data PROXEVAL_BUILD=$work/build-with-modules
	kernel build --kernel-tree "$tree" --series "$series"
	image=$out
	grep -q TWO "${image%/*}/proxeval_lab.ko" || fail "the module is not of the patched tree"
	kernel build --kernel-tree "$tree" --series /dev/null
	other=$out
	grep -q two "${other%/*}/proxeval_lab.ko" || fail "the module is not of the tree as it is"
	[ "$(modules)" = 2 ] || fail "modules were built $(modules) times instead of 2"
	mkdir -p "$data"
	# What is built out of tree reaches its sources by links: an edit must not go through one.
	cp -rL "$TEST_TOP/workloads" "$TEST_TOP/kernel-patches" "$data"
	echo '/* edited */' >>"$data/workloads/kmod/lab_run.c"
	PROXEVAL_DATA=$data kernel build --kernel-tree "$tree" --series "$series"
	[ "$out" = "$image" ] || fail "an edited module makes another kernel: $out"
	[ "$(builds)" = 2 ] || fail "an edited module costs a kernel build"
	grep -q edited "${image%/*}/proxeval_lab.ko" || fail "an edited module is not built again"
	grep -q TWO "${image%/*}/proxeval_lab.ko" || fail "it is built for another kernel's tree"
	sed s/TWO/MODULELESS/ "$work/patches/good.patch" >"$work/patches/moduleless.patch"
	echo moduleless.patch >"$work/patches/moduleless"
	kernel build --kernel-tree "$tree" --series "$work/patches/moduleless"
	expect 0 'the lock laboratory does not build for this kernel'
	[ ! -e "${out%/*}/proxeval_lab.ko" ] || fail "a module that does not build is there"
	kernel build --kernel-tree "$tree" --series "$work/patches/moduleless"
	[[ $err != *'does not build'* ]] || fail "what does not build is tried twice: $err"
	kernel module --kernel-tree "$work/patches"
	expect 5 'include/config/kernel.release'
	mkdir -p "$tree/include/config"
	echo 7.2.99-here >"$tree/include/config/kernel.release"
	kernel module --kernel-tree "$tree"
	rm -r "$tree/include"
	expect 0
	grep -q two "$PROXEVAL_BUILD/kernel/modules/7.2.99-here/proxeval_lab.ko" ||
		fail "the module for a foreign kernel is not there: $err"
	[ "$out" = "$PROXEVAL_BUILD/kernel/modules/7.2.99-here/proxeval_lab.ko" ] || fail "$out is named"
}

# What the command line names is meant from where the user stands.
test_relative_paths() {
	cd "$work"
	echo "# nothing" >own.config
	kernel patch --kernel-tree tree --series patches/series
	expect 0
	grep -q TWO "$out/kernel/a.c" || fail "a relative series was not applied to $out"
	cd patches
	PROXEVAL_BUILD=$work/another kernel build --kernel-tree ../tree --series series --config ../own.config
	expect 0
	grep -q TWO "$out" || fail "a series in this folder was not applied"
	cd "$TEST_TOP"
}

# A tree that cannot be patched is not left behind as a copy.
test_failed_patch() {
	echo bad.patch >"$work/patches/unfit"
	kernel patch --kernel-tree "$tree" --series "$work/patches/unfit"
	expect 5 'bad.patch does not apply'
	expect_equal "what a failed patch leaves" "" "$(ls -A "$PROXEVAL_BUILD/kernel/sources")"
	command -v qemu-system-x86_64 >/dev/null || return 0
	code=0
	"$PROXEVAL" run --target vm --kernel-tree "$tree" --series "$work/patches/unfit" \
		--results "$work/results" >/dev/null 2>"$work/err" || code=$?
	err=$(<"$work/err")
	expect 5 'bad.patch does not apply'
	grep -q 'in every placement that exists$' "$work/err" || fail "the plan says: $err"
	expect_equal "what a failed start leaves" "" "$(ls -A "$work/results")"
}

test_failures() {
	echo bad.patch >>"$series"
	kernel patch --kernel-tree "$tree" --series "$series"
	expect 5 'bad.patch does not apply: hunk 1 of kernel/a.c'
	echo broken.patch >"$series"
	kernel build --kernel-tree "$tree" --series "$series"
	expect 6 'build.log'
	echo good.patch >"$series"
	echo CONFIG_REFUSED=y >"$work/own.config"
	kernel build --kernel-tree "$tree" --series "$series" --config "$work/own.config"
	expect 5 CONFIG_REFUSED
	kernel build --kernel-tree "$tree" --series "$series" --config no-such-fragment
	expect 5 no-such-fragment
	touch "$tree/.config"
	kernel build --kernel-tree "$tree" --series "$series"
	expect 5 mrproper
	rm "$tree/.config"
}

test_git_tree() {
	git -C "$tree" init -q
	kernel fetch --kernel-tree "$tree"
	expect 5 'has no commits'
	git -C "$tree" add -A
	git -C "$tree" -c user.name=t -c user.email=t@example.com commit -qm tree
	kernel patch --kernel-tree "$tree" --series "$series"
	expect 0 'git commit'
	grep -q TWO "$out/kernel/a.c" || fail "the export of the git tree is not patched"
	echo four >>"$tree/kernel/a.c"
	kernel patch --kernel-tree "$tree" --series "$series"
	expect 0 'not committed'
	! grep -q four "$out/kernel/a.c" || fail "what is not committed was taken"
	! git -C "$tree" status --porcelain | grep -v ' kernel/a.c' || fail "the git tree was written to"
}

mbox() { # FILE [OPTION…]: patches the tree with the series in it
	local file=$1
	shift
	kernel patch --kernel-tree "$tree" --mbox "$file" "$@"
}

# The same series as an mbox, as bare mails and compressed; a lore page; then what is not whole.
test_mbox() {
	local mails=$TEST_TOP/tests/fixtures/mbox file
	gzip -c "$mails/thread.mbox" >"$work/thread.mbox.gz"
	sed 's/$/\r/' "$mails/thread.mbox" >"$work/thread-crlf.mbox"
	for file in "$mails/thread.mbox" "$mails/thread.txt" "$work/thread.mbox.gz" \
		"$work/thread-crlf.mbox"; do
		mbox "$file"
		expect 0 '3 patches of v2 out of 6 mails'
		expect 0 '1 reply with a patch of its own left out'
		expect_equal "$file in the tree" "one TWO THREE " "$(tr '\n' ' ' <"$out/kernel/a.c")"
		expect_equal "$file's new file" new "$(<"$out/kernel/new.c")"
	done
	file=$(grep -l 'From now on' "$PROXEVAL_BUILD"/kernel/mbox/*/0002-sched-Make-three-louder.patch | head -n 1)
	grep -q '^Signed-off-by: Ada' "$file" || fail "a patch loses its message: $(<"$file")"
	mbox "$mails/page.txt" --without 2
	expect 0 '2 patches of v2 out of 4 mails'
	expect_equal "the page in the tree" "one TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	sed '/^Subject: .PATCH v2 1/s/1.3/2\/3/' "$mails/thread.txt" >"$work/twice.txt"
	mbox "$work/twice.txt"
	expect 5 "two different patches are number 2 of v2"
	sed '/^Subject: .PATCH v2 1/s/v2 1.3/v1 1\/3/' "$mails/thread.txt" >"$work/gap.txt"
	mbox "$work/gap.txt"
	expect 5 'patch 1/3 of v2 is missing'
	sed 's/^/> /' "$mails/thread.txt" >"$work/quoted.txt"
	mbox "$work/quoted.txt"
	expect 5 'no mail with a patch'
	mbox "$work/nowhere"
	expect 5 "$work/nowhere"
	head -c 300 "$work/thread.mbox.gz" >"$work/cut.gz"
	mbox "$work/cut.gz"
	expect 5 "$work/cut.gz"
	mbox "$mails/thread.mbox" --series "$series"
	expect 3 'take one'
}

test_without() {
	sed -n '/^--- a/,$p' "$work/patches/good.patch" >"$work/patches/0001-two.patch"
	sed 's/^ one/-one/; s/^-two/+ONE/; s/^+TWO/ TWO/' "$work/patches/good.patch" >"$work/patches/0002-one.patch"
	echo 'aid or prose' >"$work/patches/0003-none.patch"
	cat >>"$work/patches/0003-none.patch" <<-'PATCH'
		--- /dev/null
		+++ b/kernel/z.c
		@@ -0,0 +1 @@
		+z
	PATCH
	printf '%s\n' '0001-two.patch # K1' '0002-one.patch # K2' '0003-none.patch # K3 needs K2' \
		>"$work/patches/tagged"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged"
	expect 0
	expect_equal "all patches" "ONE TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without k3
	expect 0
	[ ! -e "$out/kernel/z.c" ] || fail "--without k3 leaves its file there"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without K2
	expect 5 'K3 needs K2, which is left out: leave K3 out as well (--without K3)'
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without 2 --without 3
	expect 0
	expect_equal "patches by their numbers" "one TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without 3 --without 4
	expect 5 "no patch '4'"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without K3 --without 0002
	expect 0
	expect_equal "the first patch alone" "one TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without K1
	expect 5 '0002-one.patch does not apply without K1: hunk 1 of kernel/a.c'
	mkdir "$work/patches/without-K1"
	sed 's/ TWO/ two/' "$work/patches/0002-one.patch" >"$work/patches/without-K1/0002-one.patch"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without K1
	expect 0
	expect_equal "the adapted patch" "ONE two three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	printf '%s\n' '0001-two.patch # K1' '0002-one.patch # K2 holds R1' >"$work/patches/parts"
	kernel patch --kernel-tree "$tree" --series "$work/patches/parts" --without R1
	expect 5 '0002-one.patch has no form without its part R1, which would be without-R1/0002-one.patch'
	mkdir "$work/patches/without-R1"
	sed 's/^+ONE/+One/' "$work/patches/0002-one.patch" >"$work/patches/without-R1/0002-one.patch"
	kernel patch --kernel-tree "$tree" --series "$work/patches/parts" --without r1
	expect 0
	expect_equal "the patch without its part" "One TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without 000
	expect 5 'both begin with'
	kernel patch --kernel-tree "$tree" --series "$work/patches/tagged" --without K9
	expect 5 "no patch 'K9'"
}

tree_of() { # VERSION WORD: a tree of that version whose second line is WORD
	local folder=$work/tree-$1
	mkdir -p "$folder/kernel"
	sed "s/^PATCHLEVEL.*/PATCHLEVEL = ${1#*.}/" "$tree/Makefile" >"$folder/Makefile"
	printf 'one\n%s\nthree\n' "$2" >"$folder/kernel/a.c"
	printf '%s\n' "$folder"
}

# A patch has another form for another base, and yet another one without a patch before it.
test_base_forms() {
	local forms=$work/forms tree73
	mkdir -p "$forms/base-7.3" "$forms/without-K1/base-7.3"
	cp "$work/patches/0001-two.patch" "$work/patches/0002-one.patch" "$forms"
	cp "$work/patches/without-K1/0002-one.patch" "$forms/without-K1"
	printf '%s\n' '0001-two.patch # K1' '0002-one.patch # K2' >"$forms/series"
	tree73=$(tree_of 7.3 zwei)
	kernel patch --kernel-tree "$tree73" --series "$forms/series"
	expect 5 '0001-two.patch does not apply'
	sed s/-two/-zwei/ "$forms/0001-two.patch" >"$forms/base-7.3/0001-two.patch"
	kernel patch --kernel-tree "$tree73" --series "$forms/series"
	expect 0
	expect_equal "the form for 7.3" "ONE TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	kernel patch --kernel-tree "$tree" --series "$forms/series"
	expect 0
	kernel patch --kernel-tree "$(tree_of 7.4 zwei)" --series "$forms/series"
	expect 0
	expect_equal "a base after 7.3" "ONE TWO three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	kernel patch --kernel-tree "$(tree_of 7.10 two)" --series "$forms/series"
	expect 5 'base-7.3/0001-two.patch does not apply'
	kernel patch --kernel-tree "$tree73" --series "$forms/series" --without K2
	expect 0
	kernel patch --kernel-tree "$tree73" --series "$forms/series" --without K1
	expect 5 'without-K1/0002-one.patch does not apply without K1'
	cp "$forms/0002-one.patch" "$forms/base-7.3"
	kernel patch --kernel-tree "$tree73" --series "$forms/series" --without K1
	expect 5 'none of both, which would be without-K1/base-7.3/0002-one.patch'
	sed 's/ two/ zwei/' "$forms/without-K1/0002-one.patch" >"$forms/without-K1/base-7.3/0002-one.patch"
	kernel patch --kernel-tree "$tree73" --series "$forms/series" --without K1
	expect 0
	expect_equal "7.3 without K1" "ONE zwei three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
	mkdir "$forms/more"
	printf '%s\n' '../0001-two.patch # K1' '../0002-one.patch # K2' >"$forms/more/series"
	kernel patch --kernel-tree "$tree73" --series "$forms/more/series" --without K1
	expect 0
	expect_equal "by another folder" "ONE zwei three " "$(tr '\n' ' ' <"$out/kernel/a.c")"
}

make_package() { # VERSION WORD: linux-source-VERSION, as the archive has it
	local package=linux-source-$1 root=$work/root-$1
	mkdir -p "$root/DEBIAN" "$root/usr/src" "$work/archive"
	tar -C "$(tree_of "$1" "$2")" --transform "s,^\.,$package," -cJf "$root/usr/src/$package.tar.xz" .
	printf '%s\n' "Package: $package" 'Version: 1' 'Architecture: all' 'Description: for a test' \
		'Maintainer: nobody <nobody@example.com>' >"$root/DEBIAN/control"
	dpkg-deb --build "$root" "$work/archive/$package.deb" >/dev/null
}

# An apt whose archive is a folder: SUITE/PACKAGE has the version.
make_apt() {
	mkdir -p "$work/bin"
	cat >"$work/bin/apt-get" <<-END
	#!/bin/sh
	case "\$*" in
	*download*) for package; do :; done
	echo "\$package" >>"$work/downloads"
	cp "$work/archive/\$package.deb" "\${package}_1_all.deb" ;;
	esac
	END
	cat >"$work/bin/apt-cache" <<-END
	#!/bin/sh
	suite=\${APT_CONFIG%/*}
	version=\$(cat "$work/archive/\${suite##*/}/\$2" 2>/dev/null) || exit 0
	echo "\$2 | \$version | http://mirror.example/debian sid/main amd64 Packages"
	END
	chmod +x "$work/bin/apt-get" "$work/bin/apt-cache"
}

fetch() { # PACKAGE_VERSION [OPTION…]: which source that takes
	local id=$1
	shift
	kernel fetch "$@"
	expect 0
	expect_equal "kernel fetch $*" "$PROXEVAL_BUILD/kernel/sources/$id/tree" "$out"
}

# Without --base the first base of the list, whatever else is there; another one only where that is
# not to be had, and then it is said.
test_bases() {
	local PROXEVAL_BUILD=$work/bases PATH=$work/bin:$PATH archive=$work/archive
	command -v dpkg-deb >/dev/null && grep -rqs '\bmain\b' /etc/apt/sources.list /etc/apt/sources.list.d ||
		return 0
	make_package 7.2 two
	make_package 7.3 zwei
	make_apt
	kernel fetch
	expect 4 'no apt archive of this machine has the kernel source package that the series is for'
	kernel fetch --base 7.1
	expect 4 'has the kernel source linux-source-7.1'
	mkdir -p "$archive/trixie-backports" "$archive/sid"
	echo 7.3.4-1 >"$archive/trixie-backports/linux-source-7.3"
	fetch linux-source-7.3_7.3.4-1
	grep -q 'linux-source-7.2 is not to be had here; linux-source-7.3 7.3.4-1 from trixie-backports is taken' \
		<<<"$err" || fail "another base is taken without a word: $err"
	fetch linux-source-7.3_7.3.4-1
	expect_equal "downloads" linux-source-7.3 "$(<"$work/downloads")"
	echo 7.2.12-1 >"$archive/trixie-backports/linux-source-7.2"
	echo 7.2.13-1 >"$archive/sid/linux-source-7.2"
	fetch linux-source-7.2_7.2.13-1
	! grep -q 'not to be had' <<<"$err" || fail "the first base is excused: $err"
	fetch linux-source-7.3_7.3.4-1 --base 7.3
	rm -r "$archive"
	fetch linux-source-7.2_7.2.13-1
	rm -r "$PROXEVAL_BUILD"/kernel/sources/linux-source-7.2*
	fetch linux-source-7.3_7.3.4-1
	grep -q 'linux-source-7.2 is not to be had here' <<<"$err" || fail "what is left is taken without a word: $err"
	expect_equal "downloads" "linux-source-7.3 linux-source-7.2 " "$(tr '\n' ' ' <"$work/downloads")"
}

# What Kconfig cannot say reaches make, and makes another kernel.
test_make_settings() {
	local before PROXEVAL_BUILD=$work/settings
	kernel build --kernel-tree "$tree" --series "$series" --config "$work/own.config"
	before=$out
	echo '# make: EXTRA_WORD=a word' >>"$work/own.config"
	# shellcheck disable=SC2016
	sed -i 's|echo x >>|echo "$(EXTRA_WORD)" >$(O)/word; echo x >>|' "$tree/Makefile"
	kernel build --kernel-tree "$tree" --series "$series" --config "$work/own.config"
	expect 0
	[ "$out" != "$before" ] || fail "another make setting is not another kernel"
	grep -q '^a word$' "$PROXEVAL_BUILD"/kernel/sources/*/objects/word || fail "make has not got the setting"
	sed -i 's|echo "[^|]*/word; ||' "$tree/Makefile"
	kernel build --debug magic
	expect 3 magic
}

# A kernel that checks itself has all that its fragment asks for, and the others' not.
test_debug_kernels() {
	local checker other config images='' PROXEVAL_BUILD=$work/debug
	for checker in lockdep kasan kcsan; do
		kernel build --kernel-tree "$tree" --series "$series" --debug "$checker"
		expect 0
		config=$TEST_TOP/kernel-patches/config/$checker.config
		[ "$(grep -c '^CONFIG_.*=y' "$config")" -gt 3 ] || fail "$config asks for too little"
		while read -r line; do
			grep -qxF "$line" "$out" || fail "the kernel with $checker lacks $line"
		done < <(grep -E '^CONFIG_' "$config")
		for other in PROVE_LOCKING KASAN KCSAN; do
			[ "$(grep -c "^CONFIG_$other=y" "$config")" = "$(grep -c "^CONFIG_$other=y" "$out")" ] ||
				fail "the kernel with $checker is not told apart by CONFIG_$other"
		done
		images+="$out "
	done
	expect_equal "how many kernels these are" 3 "$(tr ' ' '\n' <<<"$images" | grep . | sort -u | wc -l)"
}

# KCSAN's own core.o checks no races, or it would call itself; the scheduler's core.o does.
test_kcsan_folders() {
	local PROXEVAL_BUILD=$work/kcsan answers
	# shellcheck disable=SC2016
	sed -i 's|echo x >>$(O)/builds|for obj in kernel/sched kernel/kcsan kernel; do $(MAKE) -s --no-print-directory obj=$$obj sanitize; done >$(O)/sanitize; &|' "$tree/Makefile"
	# shellcheck disable=SC2016
	printf 'sanitize:\n> @echo $(obj) $(KCSAN_SANITIZE)\n' >>"$tree/Makefile"
	kernel build --kernel-tree "$tree" --series "$series" --debug kcsan
	expect 0
	answers=$(cat "$PROXEVAL_BUILD"/kernel/sources/*/objects/sanitize)
	expect_equal "where races are looked for" "kernel/sched y kernel/kcsan n kernel n" "$(tr '\n' ' ' <<<"$answers" | sed 's/ $//')"
}

# A build that is cut off anywhere leaves nothing that looks finished.
test_interruption() {
	# shellcheck disable=SC2016
	sed -i 's|echo x >>|touch $(O)/started; sleep 60; echo x >>|' "$tree/Makefile"
	git -C "$tree" -c user.name=t -c user.email=t@example.com commit -qam slow
	"$PROXEVAL" kernel build --kernel-tree "$tree" --series "$series" >/dev/null 2>&1 &
	local pid=$! waited=0
	until compgen -G "$PROXEVAL_BUILD/kernel/sources/*/objects/started" >/dev/null; do
		((waited++ < 300)) || fail "the build never began"
		((waited < 300)) || return 0
		read -rt 0.1 <> <(:) || true
	done
	kill -INT "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" = 6 ] || fail "an interrupted build exits with $code"
	[ -z "$(pgrep -f "$PROXEVAL_BUILD" || true)" ] || fail "an interrupted build leaves processes behind"
	kernel list --json
	[ "$(python3 -c 'import json,sys; print(len(json.load(sys.stdin)["kernels"]))' <<<"$out")" = 2 ] ||
		fail "an interrupted build is in the list: $out"
}

make_tree
test_usage
test_failed_patch
test_relative_paths
test_build
test_mbox
test_without
test_base_forms
test_bases
echo "# nothing" >"$work/own.config"
test_make_settings
test_debug_kernels
test_kcsan_folders
test_failures
test_git_tree
test_laboratory
# The last: its Makefile takes a minute.
test_interruption
finish
