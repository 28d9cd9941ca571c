#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# report --site: the same bytes whatever the order, the steps, the place and the locale; nobody's
# files are touched; a broken campaign publishes nothing; links lead somewhere. And of report
# itself, that the same inputs give the same bytes.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program python3
fixtures=$TEST_TOP/tests/fixtures/results
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs report; its exit code into $code, what it says on stderr into $said.
report() {
	code=0
	"$PROXEVAL" report "$@" >"$work/out" 2>"$work/err" || code=$?
	said=$(cat "$work/err")
}

# Publishes and fails the test unless that works: SITE DIR…
publish() {
	report --site "$@"
	[ "$code" = 0 ] || fail "publishing ${*:2} in $1 exits with $code: $said"
}

expect_refused() { # CODE PART ARGUMENT…
	local expected=$1 part=$2
	shift 2
	report "$@"
	expect_equal "the exit code of report $*" "$expected" "$code"
	expect_contains "report $*" "$part" "$said"
	expect_equal "the lines that report $* says" 1 "$(wc -l <"$work/err")"
}

same_site() { # WHAT ONE OTHER
	diff -rq "$2" "$3" >"$work/differences" || fail "$1: $(cat "$work/differences")"
}

test_order_and_steps_do_not_matter() {
	publish "$work/all" "$fixtures/same" "$fixtures/worse" "$fixtures/quick-virtual" "$fixtures/real-rounds"
	publish "$work/turned" "$fixtures/real-rounds" "$fixtures/quick-virtual" "$fixtures/worse" "$fixtures/same"
	same_site "another order gives another site" "$work/all" "$work/turned"
	publish "$work/steps" "$fixtures/worse"
	publish "$work/steps" "$fixtures/real-rounds" "$fixtures/same"
	publish "$work/steps" "$fixtures/quick-virtual"
	same_site "one by one gives another site" "$work/all" "$work/steps"
	publish "$work/steps" "$fixtures/same"
	publish "$work/steps"
	same_site "publishing again changes the site" "$work/all" "$work/steps"
	mkdir "$work/folder"
	cp -r "$fixtures/same" "$fixtures/worse" "$fixtures/quick-virtual" "$fixtures/real-rounds" "$work/folder"
	publish "$work/from-folder" "$work/folder"
	same_site "a folder of campaigns gives another site" "$work/all" "$work/from-folder"
}

# A decimal comma and a dotless i, where this machine can make them.
for locale in de_DE tr_TR; do
	mkdir -p "$work/locales"
	localedef -i "$locale" -f UTF-8 "$work/locales/$locale.UTF-8" 2>/dev/null || true
done
export LOCPATH=$work/locales

# Where it runs, when, in what language and with what rights is not in it.
test_place_and_locale_do_not_matter() {
	mkdir -p "$work/elsewhere/deep"
	(
		cd "$work/elsewhere/deep"
		umask 077
		env LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8 LANGUAGE=tr TZ=Pacific/Kiritimati COLUMNS=40 \
			"$PROXEVAL" report --site site "$fixtures/worse" "$fixtures/same/" \
			"$fixtures/real-rounds" "$fixtures/../results/quick-virtual" >"$work/out"
	) || fail "publishing elsewhere fails"
	same_site "another place or locale gives another site" "$work/all" "$work/elsewhere/deep/site"
	(
		cd "$work/elsewhere/deep"
		umask 000
		env LC_ALL=tr_TR.UTF-8 TZ=America/St_Johns "$PROXEVAL" report --site again \
			"$fixtures/worse" "$fixtures/same" "$fixtures/real-rounds" "$fixtures/quick-virtual" >"$work/out"
	) || fail "publishing in Turkish fails"
	same_site "Turkish gives another site" "$work/all" "$work/elsewhere/deep/again"
}

# report of several campaigns: neither their order nor their place is in the files.
test_report_is_a_function_of_its_inputs() {
	local name
	mkdir -p "$work/in/one" "$work/in/two"
	for name in same too-few; do
		cp -r "$fixtures/$name" "$work/in/one/$name"
	done
	cp -r "$fixtures/same" "$work/in/two/b"
	cp -r "$fixtures/too-few" "$work/in/two/a"
	report --output "$work/in/one/report" "$work/in/one/same" "$work/in/one/too-few"
	expect_equal "the exit code of report on two" 0 "$code"
	report --output "$work/in/one/turned" "$work/in/one/too-few" "$work/in/one/same"
	(
		cd "$work/in/two"
		umask 077
		env LC_ALL=de_DE.UTF-8 TZ=Asia/Kathmandu "$PROXEVAL" report --output report a b >"$work/out"
	) || fail "report in another folder fails"
	same_site "another order gives another report" "$work/in/one/report" "$work/in/one/turned"
	for name in report.txt report.md summary.json; do
		cmp "$work/in/one/report/$name" "$work/in/two/report/$name" ||
			fail "another folder gives another $name"
	done
	# The figures' ids count the page's bytes.
	for name in one two; do
		sed 's|"[^"]*/\(boot-[^"]*\)"|"\1"|g; s|"\([td]\)[0-9]*"|"\1"|g' \
			"$work/in/$name/report/index.html" >"$work/$name.html"
	done
	cmp "$work/one.html" "$work/two.html" || fail "another folder changes more than the links of the page"
}

# Every link of every page leads to a file of the site; none leaves it; nothing is loaded or run.
test_links() { # SITE
	python3 - "$1" <<-'END' || fail "the links of $1, see above"
	import html.parser, json, os, re, sys, urllib.parse, xml.dom.minidom
	site, wrong = os.path.realpath(sys.argv[1]), []
	class Links(html.parser.HTMLParser):
	    def handle_starttag(self, tag, attributes):
	        if tag in ("script", "iframe", "img", "object", "embed", "base", "form"):
	            wrong.append(f"<{tag}>")
	        for name, value in attributes:
	            if name.startswith("on") or name == "src":
	                wrong.append(name)
	            if name == "id":
	                ids.add(value)
	            if name == "href":
	                links.append(value)
	pages = [os.path.join(d, f) for d, _, names in os.walk(site) for f in names if f.endswith(".html")]
	assert len(pages) >= 2, pages
	for page in pages:
	    links, ids = [], set()
	    Links().feed(open(page, encoding="utf-8").read())
	    for link in links:
	        parts = urllib.parse.urlsplit(link)
	        if parts.scheme or parts.netloc or link.startswith("/"):
	            wrong.append(f"{page}: {link} leaves the site")
	        elif not parts.path:
	            if parts.fragment not in ids:
	                wrong.append(f"{page}: {link} is not on the page")
	        else:
	            path = os.path.realpath(os.path.join(os.path.dirname(page), urllib.parse.unquote(parts.path)))
	            if not path.startswith(site + "/") or not os.path.isfile(path):
	                wrong.append(f"{page}: {link} leads nowhere")
	index = json.load(open(site + "/index.json"))
	there = sorted(os.path.relpath(os.path.join(d, f), site) for d, _, names in os.walk(site) for f in names)
	if sorted(index["files"] + ["index.json"]) != there:
	    wrong.append(f"index.json's files are not those that are there")
	for report in index["reports"]:
	    if not os.path.isfile(os.path.join(site, report["path"])):
	        wrong.append(report["path"])
	if os.path.exists(site + "/feed.xml"):
	    feed = xml.dom.minidom.parse(site + "/feed.xml")
	    entries = feed.getElementsByTagName("entry")
	    if len(entries) != sum(report["started"] is not None for report in index["reports"]):
	        wrong.append("the feed's entries")
	for what in wrong:
	    print(what)
	sys.exit(bool(wrong))
	END
}

test_what_the_index_says() {
	python3 - "$work/all" <<-'END' || fail "the index, see above"
	import json, re, sys
	index = json.load(open(sys.argv[1] + "/index.json"))
	page = open(sys.argv[1] + "/index.html", encoding="utf-8").read()
	reports = {report["id"]: report for report in index["reports"]}
	assert len(reports) == 4, list(reports)
	starts = [report["started"] for report in index["reports"]]
	assert starts == sorted(starts, reverse=True), starts
	def one(part):
	    found = [r for r in index["reports"] if part in r["path"]]
	    assert len(found) == 1, (part, list(reports))
	    return found[0]
	assert one("worse")["verdicts"]["worse"] == 1 and one("worse")["exit_code"] == 1
	assert one("quick-virtual")["verdicts"]["better"] == 4 and one("quick-virtual")["boots"] == 12
	assert one("same")["verdicts"]["equivalent"] == 1
	assert one("real-rounds")["time"] == "real" and one("real-rounds")["machine"] != one("same")["machine"]
	assert "4 reports, 1 with a regression" in page
	assert page.count('<tr class="machine-') == 4
	# Each choice of rows has its anchor, its rule and at least one row.
	choices = re.findall(r'id="((?:machine|kernel)-\d+)"', page)
	assert len(choices) == 2, choices
	for choice in choices:
	    assert f'href="#{choice}"' in page and f"#{choice}:target~" in page
	    assert re.search(f'<tr class="[^"]*{choice}[ "]', page), choice
	assert [history["format"] for history in index["histories"]] == ["proxeval-history"] * 2
	END
}

# Eight campaigns, one for each release; from the fifth on proxy waits twice as long.
make_history() { # DIRECTORY
	python3 - "$fixtures/quick-virtual" "$1" <<-'END'
	import glob, json, os, sys
	source, target = sys.argv[1:]
	releases = ["7.2.13", "7.3-rc1", "7.3-rc2", "7.3-rc10", "7.3", "7.3.1", "7.3.2", "7.3.10"]
	for n, release in enumerate(releases):
	    # The later, the earlier in the alphabet: names must not decide.
	    folder, name = f"{target}/{'hgfedcba'[n]}", f"campaign-{'hgfedcba'[n]}"
	    os.makedirs(folder)
	    campaign = json.load(open(source + "/campaign.json"))
	    campaign["id"] = name
	    json.dump(campaign, open(folder + "/campaign.json", "w"))
	    for path in glob.glob(source + "/boot-*.json"):
	        boot = json.load(open(path))
	        boot["campaign"]["id"] = name
	        boot["boot"]["seed"] += 1000 * n
	        boot["variant"]["image_sha256"] = f"{n:064x}"
	        boot["environment"]["kernel"].update(release=release, version=f"#{n}")
	        boot["host_run"]["started"] = f"2026-{n + 1:02}-01T00:00:00Z"
	        if n >= 4 and boot["variant"]["label"] == "proxy":
	            for section in boot["sections"]:
	                for metric in section["metrics"]:
	                    if metric["name"] == "donor_wait_ns":
	                        bits = metric["histogram"]["bits"]
	                        for key in ("min", "max", "mean", "p50", "p90"):
	                            metric[key] *= 2
	                        # Above the linear part, twice the value is half a doubling's buckets on.
	                        metric["histogram"]["buckets"] = [
	                            [index + (1 << bits - 1), count] for index, count in metric["histogram"]["buckets"]]
	        json.dump(boot, open(f"{folder}/{os.path.basename(path)}", "w"))
	END
}

test_trends() {
	make_history "$work/history"
	publish "$work/trends" "$work/history"
	[ -s "$work/trends/trends.html" ] || fail "eight campaigns have no trends.html"
	test_links "$work/trends"
	python3 - "$work/trends" <<-'END' || fail "the trends, see above"
	import json, re, sys
	page = open(sys.argv[1] + "/trends.html", encoding="utf-8").read()
	assert page.count("<figure") == 4, page.count("<figure")
	figure = page[page.index("<figure"):page.index("</figure>")]
	assert figure.count("<path class=\"thick s0\"") >= 1 and figure.count("<path class=\"thick s1\"") >= 1
	assert figure.count('class="one"') == 1, "one change in the figure"
	assert "proxy worse since 7.3 (campaign-d)" in figure, figure
	assert "x 2.00" in figure, figure
	# Oldest release first in the figure, newest first in the table.
	line = re.findall(r'<path class="thick s1" d="M([^"]*)"', figure)[-1]
	xs = [float(point.split()[0]) for point in line.split("L")]
	assert len(xs) == 8 and xs == sorted(xs), xs
	ys = [float(point.split()[1]) for point in line.split("L")]
	assert max(ys[4:]) < min(ys[:4]), ys
	releases = re.findall(r"<tr><td>([^<]*)</td>", figure)
	assert releases == ["7.3.10", "7.3.2", "7.3.1", "7.3", "7.3-rc10", "7.3-rc2", "7.3-rc1", "7.2.13"], releases
	index = open(sys.argv[1] + "/index.html", encoding="utf-8").read()
	assert "WORSE: donor wait of proxy" in index and 'href="trends.html"' in index
	END
	publish "$work/steps" "$work/history/b" "$work/history/a"
	[ -s "$work/steps/trends.html" ] || fail "two campaigns more have no trends"
}

test_folders_of_others_are_refused() {
	mkdir "$work/home"
	echo precious >"$work/home/thesis.txt"
	expect_refused 3 "is not empty" --site "$work/home" "$fixtures/same"
	expect_equal "what is in the folder" thesis.txt "$(ls -A "$work/home")"
	printf '{"format":"something else","version":1}\n' >"$work/home/index.json"
	expect_refused 3 "not a site" --site "$work/home" "$fixtures/same"
	expect_equal "what is in the folder" "index.json thesis.txt" "$(cd "$work/home" && echo *)"
	expect_refused 3 "Not a directory" --site "$work/home/thesis.txt" "$fixtures/same"
	# A repository's own folder is nobody's page.
	mkdir -p "$work/pages/.git"
	echo bare >"$work/pages/.git/config"
	publish "$work/pages" "$fixtures/same"
	echo example.org >"$work/pages/CNAME"
	mkdir "$work/pages/campaigns/mine"
	echo note >"$work/pages/campaigns/mine/note"
	publish "$work/pages" "$fixtures/worse"
	local kept
	for kept in .git/config CNAME campaigns/mine/note; do
		[ -s "$work/pages/$kept" ] || fail "$kept, which is not the site's, is gone"
	done
}

# What was ours and is no more goes; through a list that somebody forged nothing else does.
test_old_files() {
	local name
	cp -r "$work/all" "$work/old"
	name=$(basename "$(find "$work/old/campaigns" -mindepth 1 -maxdepth 1 -name '*worse*')")
	rm -r "$work/old/campaigns/$name"
	publish "$work/old"
	[ ! -e "$work/old/campaigns/$name" ] || fail "a campaign that was taken out is back"
	grep -q "campaigns/$name/" "$work/old/index.html" "$work/old/index.json" && fail "the index still has $name"
	publish "$work/three" "$fixtures/same" "$fixtures/quick-virtual" "$fixtures/real-rounds"
	same_site "a site without it is another" "$work/three" "$work/old"
	# A campaign that has a boot less, and a page that there is no more.
	cp -r "$fixtures/same" "$work/shorter"
	rm "$work/shorter"/boot-0011-*
	echo old >"$work/old/old.html"
	echo mine >"$work/mine.txt"
	mkdir "$work/target"
	echo linked >"$work/target/file"
	ln -s "$work/target" "$work/old/link"
	python3 - "$work/old/index.json" "$work/mine.txt" <<-'END'
	import json, sys
	index = json.load(open(sys.argv[1]))
	index["files"] += ["old.html", "../mine.txt", sys.argv[2], "link/file", "campaigns/../../mine.txt", "", "."]
	json.dump(index, open(sys.argv[1], "w"))
	END
	publish "$work/old" "$work/shorter"
	[ ! -e "$work/old/old.html" ] || fail "a page of an earlier run is still there"
	[ -s "$work/mine.txt" ] || fail "a forged list removed a file outside of the site"
	[ -s "$work/target/file" ] || fail "a forged list removed a file through a link"
	expect_equal "the boots that were taken out" "" \
		"$(find "$work/old/campaigns" -path '*same*' -name 'boot-0011-*')"
}

# One bad campaign among good ones: its name, exit 5, and the site is what it was.
test_broken_campaigns() {
	local name
	for name in truncated nan huge; do
		cp -r "$fixtures/worse" "$work/$name"
	done
	find "$work/truncated" -name 'boot-0003-*' -exec truncate -s 500 {} +
	sed -i '0,/"min": *[0-9]*/s//"min":NaN/' "$work/nan"/boot-0002-*
	sed -i '0,/"samples": *[0-9]*/s//"samples":9223372036854775808/' "$work/huge"/boot-0001-*
	for name in truncated nan huge; do
		expect_refused 5 "$work/$name/boot-000" --site "$work/new" "$fixtures/same" "$work/$name" "$fixtures/quick-virtual"
		[ ! -e "$work/new" ] || fail "$name: a site was made"
		cp -r "$work/all" "$work/before"
		expect_refused 5 "$work/$name/boot-000" --site "$work/all" "$work/$name"
		same_site "$name: the site was changed" "$work/before" "$work/all"
		expect_equal "what is left in the site" "" "$(find "$work/all" -name '.*' -mindepth 1)"
		rm -r "$work/before"
	done
	expect_refused 5 "neither boots nor campaigns" --site "$work/new" "$work/target"
	expect_refused 5 "none of that name" --site "$work/new" "$work/no-such-folder"
	expect_refused 3 "not of single files" --site "$work/new" "$fixtures"/same/boot-0000-*
	cp -r "$fixtures/same" "$work/twin"
	expect_refused 5 "both campaign" --site "$work/new" "$fixtures/same" "$work/twin"
	cp "$fixtures"/worse/boot-0000-* "$work/twin/boot-0099-no-proxy.json"
	expect_refused 5 "of campaign worse" --site "$work/new" "$work/twin"
	rm "$work/twin/campaign.json"
	expect_refused 5 "several campaigns" --site "$work/new" "$work/twin"
	expect_refused 3 "no campaign" --site "$work/new"
	expect_refused 3 "give one of them" --site "$work/new" --output "$work/new" "$fixtures/same"
	expect_refused 3 "goes with --site" --anonymous "$fixtures/same"
	mkdir "$work/empty-campaign"
	cp "$fixtures/same/campaign.json" "$work/empty-campaign"
	expect_refused 4 "no boot of this campaign" --site "$work/new" "$work/empty-campaign"
	[ ! -e "$work/new" ] || fail "a refused site's folder is left"
}

# Names from documents are data: in a path, a link, a page, a feed and a style sheet.
test_hostile_names() {
	cp -r "$fixtures/same" "$work/evil"
	python3 - "$work/evil" <<-'END'
	import glob, json, sys
	name = "../../x</style><script>alert(1)</script>'\" $(id)\u202e%2e%2e"
	for path in glob.glob(sys.argv[1] + "/*.json"):
	    document = json.load(open(path))
	    if path.endswith("campaign.json"):
	        document["id"] = name
	        document["topology"] = "<b>2x2x2</b>"
	    else:
	        document["campaign"]["id"] = name
	        document["environment"]["kernel"]["release"] = "7<i>.&2"
	        document["environment"]["hostname"] = "</style><img src=x>"
	        document["host_run"]["started"] = "2026-11-22T00:00:00Z"
	    json.dump(document, open(path, "w"))
	END
	publish "$work/deep/site" "$fixtures/hostile" "$work/evil" "$fixtures/same"
	[ -z "$(find "$work" "$work/deep" -maxdepth 1 -name 'x*')" ] || fail "an id led out of the site"
	test_links "$work/deep/site"
	grep -lE '<(script|img|i>|b>2x2)' "$work/deep/site/index.html" "$work/deep/site/feed.xml" &&
		fail "a name became markup"
	return 0
}

test_anonymous() {
	cp -r "$fixtures/real-rounds" "$work/told"
	mkdir "$work/told/logs"
	echo "Linux version on secret-host" >"$work/told/logs/boot-0000-proxy.log"
	python3 - "$work/told" <<-'END'
	import glob, json, sys
	for path in glob.glob(sys.argv[1] + "/*.json"):
	    document = json.load(open(path))
	    if path.endswith("campaign.json"):
	        document["variants"][0].update(image_path="/home/secret/bzImage", manifest_path="/home/secret/m.json")
	    else:
	        document["environment"]["hostname"] = "secret-host"
	        document["host_run"] = {"started": "2026-01-02T03:04:05Z", "wall_s": 1.5, "host": "secret-host"}
	    json.dump(document, open(path, "w"))
	END
	publish "$work/open" "$work/told"
	grep -q secret-host "$work/open"/campaigns/*/logs/boot-0000-proxy.log || fail "the log was not copied"
	publish "$work/closed" --anonymous --no-logs "$work/told"
	grep -rlE 'secret|2026-01-02|host_run' "$work/closed" && fail "the files above tell where or when it ran"
	[ ! -e "$work/closed/feed.xml" ] || fail "there is a feed of campaigns without a date"
	test_links "$work/closed"
	"$PROXEVAL" compare --exact "$work/told" "$work"/closed/campaigns/* >"$work/out" ||
		fail "the copies' figures are others: $(cat "$work/out")"
}

test_order_and_steps_do_not_matter
test_place_and_locale_do_not_matter
test_report_is_a_function_of_its_inputs
test_links "$work/all"
test_what_the_index_says
test_trends
test_folders_of_others_are_refused
test_old_files
test_broken_campaigns
test_hostile_names
test_anonymous
finish
