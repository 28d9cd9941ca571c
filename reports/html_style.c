// SPDX-License-Identifier: GPL-2.0-only
#include "reports/html_style.h"

/*
 * The series' colours are Okabe and Ito's, which people with any kind of colour
 * vision tell apart, darkened for text on white and lightened for dark. The heat maps' are
 * one blue from pale to deep (h) and blue through grey to orange (r): both are told apart
 * without red and green. tests/test_html.py computes the contrast of every pair that meets.
 */
#define LIGHT                                                                                                 \
	"--paper:#fff;--card:#f8f9fb;--ink:#1b1f24;--soft:#56606c;--rule:#d9dee4;--grid:#e3e7ec;"             \
	"--good:#00614a;--good-bg:#dff5ec;--bad:#a01a15;--bad-bg:#fde7e5;--open:#6d4900;"                     \
	"--open-bg:#fdf1d4;--plain:#333b44;--plain-bg:#e9edf2;--mark-bg:#ffe9a8;--band:#00000012;"            \
	"--shadow:#00000030;--link:#005a94;--s0:#b84a05;--s1:#0064a4;--s2:#00704f;--s3:#9c3f73;--s4:#6b5d00;" \
	"--s5:#3a3f47;--on-pale:#14181d;--on-deep:#fff;--h0:#eff4fa;--h1:#d3e2f1;--h2:#b0cbe6;"               \
	"--h3:#86b0d8;--h4:#5b95c8;--h5:#2f6ca6;--h6:#154a7c;--r0:#2b6aa8;--r1:#7fb0da;"                      \
	"--r2:#c6dcef;--r3:#eceef0;--r4:#fbdcb8;--r5:#f0ab60;--r6:#a9500a"
#define DARK                                                                                                  \
	"--paper:#14171b;--card:#1b1f25;--ink:#e6e9ed;--soft:#a3adb9;--rule:#353c45;--grid:#2b313a;"          \
	"--good:#5fd6ac;--good-bg:#12372b;--bad:#ff9a90;--bad-bg:#47201d;--open:#f0c566;"                     \
	"--open-bg:#40320f;--plain:#ccd3dc;--plain-bg:#2a3038;--mark-bg:#4a3b08;--band:#ffffff14;"            \
	"--shadow:#000000b0;--link:#7cc4f5;--s0:#f0a050;--s1:#62bdf2;--s2:#3fcf9f;--s3:#e59ac2;--s4:#e8dc60;" \
	"--s5:#c7cdd6;--on-pale:#0e1114;--on-deep:#f4f7fa;--h0:#1c2834;--h1:#1e3a55;--h2:#235179;"            \
	"--h3:#2f6b9f;--h4:#6fa8d6;--h5:#9cc6ea;--h6:#d3e6f8;--r0:#9cc6ea;--r1:#2f6b9f;"                      \
	"--r2:#21425f;--r3:#2a3038;--r4:#5a3a14;--r5:#915410;--r6:#f3b870"
/* On which steps the text is dark in the light scheme, and in the dark one. */
#define LIGHT_STEPS \
	".h0,.h1,.h2,.h3,.h4,.r1,.r2,.r3,.r4,.r5{color:var(--on-pale)}.h5,.h6,.r0,.r6{color:var(--on-deep)}"
#define DARK_STEPS \
	".h0,.h1,.h2,.h3,.r1,.r2,.r3,.r4,.r5{color:var(--on-deep)}.h4,.h5,.h6,.r0,.r6{color:var(--on-pale)}"

const char html_style[] =
	":root{color-scheme:light dark;" LIGHT "}\n" LIGHT_STEPS "\n"
	"@media (prefers-color-scheme:dark){:root{" DARK "}" DARK_STEPS "}\n"
	/* Text. */
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:70rem;padding:1.1rem 1.25rem 4rem;background:var(--paper);"
	"color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',"
	"sans-serif;overflow-wrap:break-word;font-variant-numeric:tabular-nums}\n"
	"h1{font-size:1.45rem;line-height:1.3;margin:.5rem 0 .9rem;max-width:60rem;"
	"text-wrap:pretty}\n"
	"h2{font-size:1.25rem;margin:2.6rem 0 .5rem;padding-top:.9rem;border-top:1px solid var(--rule)}\n"
	"h3{font-size:1.05rem;margin:1.6rem 0 .3rem}\n"
	"h4{font-size:.95rem;margin:1.5rem 0 .4rem}\n"
	"p{margin:.45rem 0}.prose,.lead,.also,.note,.alert{max-width:46rem}\n"
	".soft{color:var(--soft);font-size:.9rem}p.soft{max-width:52rem}.soft code{color:inherit}\n"
	"a{color:var(--link)}a:focus-visible,summary:focus-visible,.scroll:focus-visible{"
	"outline:3px solid var(--link);outline-offset:2px;border-radius:2px}\n"
	"code,pre{font:.86em/1.45 ui-monospace,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}\n"
	"pre{margin:0;padding:.7rem .9rem;background:var(--card);border:1px solid var(--rule);"
	"border-radius:6px;white-space:pre-wrap}\n"
	"mark{color:inherit;background:var(--mark-bg);font-weight:600;border-radius:2px}\n"
	"details{margin:.7rem 0}summary{cursor:pointer;color:var(--link)}\n"
	"nav{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin-top:1rem;font-size:.9rem}\n"
	/* The first screen. */
	".origin{display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:center;color:var(--soft);"
	"font-size:.88rem;margin:0}\n"
	"dl,dt,dd{margin:0}dt{color:var(--soft);font-size:.78rem;letter-spacing:.02em}\n"
	".glance{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:.6rem 1.4rem;"
	"background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.8rem 1rem;"
	"margin:.6rem 0}\n"
	".glance b{font-size:1.15rem;line-height:1.3;margin-right:.3rem}\n"
	".machine{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,11.5rem),1fr));"
	"gap:.5rem 1.4rem;padding:.2rem 1rem;margin:.8rem 0;font-size:.92rem}\n"
	".alert{border-left:4px solid var(--bad);background:var(--bad-bg);padding:.5rem .9rem;"
	"margin:.6rem 0;border-radius:0 6px 6px 0}\n"
	".note{border-left:4px solid var(--open);background:var(--open-bg);padding:.35rem .9rem;"
	"margin:.4rem 0;font-size:.92rem;border-radius:0 6px 6px 0}\n"
	".chip{display:inline-block;padding:.05rem .6rem;border-radius:1rem;font-size:.82rem;"
	"font-weight:600;white-space:nowrap;color:var(--plain);background:var(--plain-bg)}\n"
	".chip.good{color:var(--good);background:var(--good-bg)}\n"
	".chip.bad{color:var(--bad);background:var(--bad-bg)}\n"
	".chip.open{color:var(--open);background:var(--open-bg)}\n"
	/* Tables. */
	/* A shadow at the edge behind which there is more. */
	".scroll{overflow-x:auto;-webkit-overflow-scrolling:touch;margin:.3rem 0;background:"
	"linear-gradient(90deg,var(--paper) 40%,transparent) left/2rem 100% no-repeat local,"
	"linear-gradient(270deg,var(--paper) 40%,transparent) right/2rem 100% no-repeat local,"
	"linear-gradient(90deg,var(--shadow),transparent) left/.7rem 100% no-repeat scroll,"
	"linear-gradient(270deg,var(--shadow),transparent) right/.7rem 100% no-repeat scroll}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
	"th,td{text-align:left;padding:.38rem .9rem .38rem 0;border-bottom:1px solid var(--rule);"
	"vertical-align:top}\n"
	"thead th{font-weight:600;color:var(--soft);font-size:.82rem;vertical-align:bottom}\n"
	"tbody th{font-weight:600}tbody th,td.keep,td.verdict>.chip{white-space:nowrap}\n"
	"th.n,td.n{text-align:right;white-space:nowrap}td.verdict{min-width:7rem}\n"
	"td.wide{min-width:14rem}.sheet tbody th{white-space:normal;min-width:8rem;font-weight:400;"
	"color:var(--soft)}\n"
	".json{font-size:.84rem;margin:0;font-weight:400}thead .json{font-size:.82rem;font-weight:600}.json summary{white-space:nowrap}\n"
	"td .json[open]{min-width:12rem;max-width:16rem}\n"
	/* Heat maps. */
	".heat{border-collapse:separate;border-spacing:3px;width:auto;margin:0 -3px}\n"
	".heat th,.heat td{border:0}.heat tbody th{padding-right:.8rem;vertical-align:middle}\n"
	".heat thead th{padding:0 .3rem .2rem;text-align:center;color:var(--ink)}\n"
	".heat td{min-width:6.2rem;padding:.45rem .5rem;text-align:center;vertical-align:middle;"
	"border-radius:4px;font-weight:600}\n"
	".heat td span{font-weight:400;font-size:.84rem}.where{font-weight:400;color:var(--soft);"
	"font-size:.78rem}\n"
	".heat td.none{border:1px dashed var(--rule);color:var(--soft);font-weight:400}\n"
	".ratios th,.ratios td{padding-top:.45rem}\n"
	".ramps{display:flex;flex-wrap:wrap;gap:.2rem 2rem;color:var(--soft);font-size:.84rem}\n"
	".ramp{display:inline-flex;gap:1px;vertical-align:middle;margin:0 .3rem}\n"
	".ramp i{width:1.1rem;height:.8rem;border:1px solid var(--rule)}\n"
	".h0{background:var(--h0)}.h1{background:var(--h1)}.h2{background:var(--h2)}"
	".h3{background:var(--h3)}.h4{background:var(--h4)}.h5{background:var(--h5)}"
	".h6{background:var(--h6)}.r0{background:var(--r0)}.r1{background:var(--r1)}"
	".r2{background:var(--r2)}.r3{background:var(--r3)}.r4{background:var(--r4)}"
	".r5{background:var(--r5)}.r6{background:var(--r6)}\n"
	/* Figures. */
	".key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.4rem 0;font-size:.9rem}\n"
	"svg.line{display:inline-block;width:1.9rem;height:.75rem;margin-right:.35rem;"
	"vertical-align:baseline}\n"
	".cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,25rem),1fr));"
	"gap:1rem;align-items:start}\n"
	".card{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;"
	"padding:.7rem .9rem;min-width:0}figcaption{margin-bottom:.3rem;font-size:.92rem}\n"
	".card svg{display:block;width:100%;height:auto;max-width:36rem}\n"
	"svg text{fill:var(--ink);font-size:12px;font-family:inherit}\n"
	"svg .tick{fill:var(--soft);font-size:11px}svg .mid{text-anchor:middle}"
	"svg .end{text-anchor:end}svg path{fill:none}svg .grid{stroke:var(--grid)}\n"
	"svg .one{stroke:var(--soft);stroke-dasharray:3 3}svg .band{fill:var(--band)}\n"
	"svg .thin{stroke-width:1;opacity:.35}svg .thick{stroke-width:2.2;stroke-linejoin:round}\n"
	"svg .whisker{stroke-width:2}svg .mark{stroke:var(--card);stroke-width:.8}\n"
	"svg .thick.s0{stroke-dasharray:7 3}svg .thick.s2{stroke-dasharray:2 2}"
	"svg .thick.s3{stroke-dasharray:10 3 2 3}svg .thick.s4{stroke-dasharray:4 2}"
	"svg .thick.s5{stroke-dasharray:12 4}\n"
	"path.s0{stroke:var(--s0)}path.s1{stroke:var(--s1)}path.s2{stroke:var(--s2)}"
	"path.s3{stroke:var(--s3)}path.s4{stroke:var(--s4)}path.s5{stroke:var(--s5)}\n"
	"svg .mark.s0{fill:var(--s0)}svg .mark.s1{fill:var(--s1)}svg .mark.s2{fill:var(--s2)}"
	"svg .mark.s3{fill:var(--s3)}svg .mark.s4{fill:var(--s4)}svg .mark.s5{fill:var(--s5)}\n"
	/* A phone, and paper. */
	"@media (max-width:34rem){body{padding:.7rem .8rem 3rem;font-size:15px}h1{font-size:1.12rem;"
	"margin:.4rem 0 .6rem}.glance{grid-template-columns:1fr;gap:.35rem;padding:.6rem .8rem}"
	".glance b{font-size:1.05rem}.machine{grid-template-columns:1fr;gap:.2rem;padding:0 .2rem;"
	"margin:.6rem 0}.machine div{display:grid;grid-template-columns:4.6rem 1fr}"
	"dt{padding-top:.1rem}th,td{padding-right:.65rem}.heat td{min-width:4.4rem;padding:.4rem .2rem}.heat tbody th{padding-right:.2rem;white-space:normal}.heat svg.line{display:none}td.verdict{min-width:6.2rem}"
	".card{padding:.6rem .5rem}}\n"
	"@media print{:root{color-scheme:light;" LIGHT "}" LIGHT_STEPS
	"body{max-width:none;padding:0;font-size:10pt}"
	"h1,h2,h3,h4,.key,figcaption,summary{break-after:avoid}.card,tr,dl,.alert,.note,.ramps{"
	"break-inside:avoid}.scroll{overflow:visible;background:none}nav,.json{display:none}"
	"details::details-content{content-visibility:visible;block-size:auto}"
	"summary{list-style:none;color:var(--ink)}a{color:inherit;text-decoration:none}"
	".heat td,.ramp i,.chip,.alert,.note,mark{print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}td.wide,td.verdict{min-width:0}}\n";
