// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_html_parts.h"

namespace pkvmemu::campaign {

// Outcomes have a colour, a symbol and a word; contrasts are 4.5 and more in both schemes.
const std::string_view page_style = R"css(:root {
  --back: #ffffff; --text: #1c2330; --faint: #596476; --line: #d8dee6; --card: #f5f7f9;
  --link: #0b5cad; --mark: #fff3c4;
  --clean: #e6eaef; --clean-text: #4a5565;
  --expected: #cdebd6; --expected-text: #0f4d26;
  --bug: #c8202b; --bug-text: #ffffff;
  --panic: #7a3fc7; --panic-text: #ffffff;
  --hang: #8a5a00; --hang-text: #ffffff;
  --lost: #2b3038; --lost-text: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0f141b; --text: #e3e8ef; --faint: #9aa6b6; --line: #2b3442; --card: #171e28;
    --link: #79b8ff; --mark: #4a3d00;
    --clean: #222b37; --clean-text: #a9b5c5;
    --expected: #123d24; --expected-text: #9fe3b5;
    --bug: #ff6b70; --bug-text: #2a0003;
    --panic: #c39bff; --panic-text: #1f0640;
    --hang: #f0b849; --hang-text: #2b1a00;
    --lost: #e3e8ef; --lost-text: #0f141b;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
code, pre { font: 0.87em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
a { color: var(--link); }
small { color: var(--faint); font-size: 0.87em; font-weight: normal; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
h3 .badge { margin-right: 0.4rem; }
.kicker, .hint, footer { color: var(--faint); margin: 0 0 0.5rem; }
.verdict { font-size: 1.15rem; font-weight: 600; margin: 0.75rem 0; padding: 0.5rem 0.9rem;
  border-left: 0.35rem solid var(--line); background: var(--card); }
.verdict span { color: var(--faint); font-weight: normal; }
.verdict.bad { border-color: var(--bug); }
.verdict.good { border-color: #2f9e55; }
.verdict.doubtful { border-color: var(--hang); }
.note { border-left: 0.35rem solid var(--hang); background: var(--card); margin: 0.75rem 0;
  padding: 0.5rem 0.9rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 0.5rem;
  list-style: none; margin: 1rem 0; padding: 0; }
.tile { border: 1px solid var(--line); border-radius: 6px; padding: 0.5rem 0.7rem; }
.tile small { display: block; line-height: 1.35; }
.tile b { font-size: 1.15rem; margin-left: 0.2rem; }
.tile.none { opacity: 0.65; }
.tile[role=button] { cursor: pointer; }
.tile[aria-pressed=false] { text-decoration: line-through; opacity: 0.5; }
.cell { display: inline-flex; align-items: center; justify-content: center; width: 1.45rem;
  height: 1.45rem; border-radius: 4px; font: 700 0.95rem/1 "DejaVu Sans", system-ui, sans-serif;
  text-decoration: none; }
.cell:focus-visible, .tile:focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
a.cell:hover { outline: 2px solid var(--text); }
.not-run { border: 1px dashed var(--line); }
.gap { color: var(--faint); font-size: 0.87em; align-self: center; padding: 0 0.4rem; }
.badge { border-radius: 4px; padding: 0.1rem 0.45rem; font-size: 0.87rem; font-weight: 600;
  white-space: nowrap; }
.clean { background: var(--clean); color: var(--clean-text); }
.expected { background: var(--expected); color: var(--expected-text); }
.bug { background: var(--bug); color: var(--bug-text); }
.panic { background: var(--panic); color: var(--panic-text); }
.hang { background: var(--hang); color: var(--hang-text); }
.lost { background: var(--lost); color: var(--lost-text); }
#filter { position: sticky; top: 0; z-index: 2; background: var(--back); padding: 0.5rem 0;
  border-bottom: 1px solid var(--line); }
#filter input { font: inherit; color: inherit; background: var(--card); width: min(26rem, 70vw);
  border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem 0.6rem; margin-left: 0.4rem; }
#filter output { color: var(--faint); margin-left: 0.6rem; }
article { border: 1px solid var(--line); border-radius: 6px; padding: 0.8rem 1rem; margin: 0 0 0.9rem; }
details { border-top: 1px solid var(--line); padding: 0.35rem 0; scroll-margin-top: 4rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
details:target, tr:target { background: var(--mark); }
dl { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0.35rem 0.75rem;
  margin: 0.6rem 0 0.3rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
dd small { display: block; }
pre { margin: 0; padding: 0.5rem 0.7rem; background: var(--card); border-radius: 6px;
  max-height: 26rem; overflow: auto; color: var(--text); }
.replay { user-select: all; white-space: pre-wrap; border: 1px solid var(--line); }
.path, .found { margin: 0; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: normal; vertical-align: top; }
thead th { color: var(--faint); font-size: 0.87em; vertical-align: bottom; }
td, th { padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; overflow-wrap: anywhere; }
td small { display: block; }
.plain th code { overflow-wrap: anywhere; }
.plain tr { scroll-margin-top: 4rem; }
.matrix th[scope=rowgroup] { width: 17rem; }
.matrix th small { display: block; line-height: 1.35; }
.matrix td:first-of-type { white-space: nowrap; color: var(--faint); font-size: 0.87em; width: 6rem; }
.matrix tbody tr:not(:last-child) td { border-bottom: 0; }
.strip, .ruler { max-width: calc(30 * (1.45rem + 2px)); }
.strip { display: flex; flex-wrap: wrap; gap: 2px; }
.ruler { display: flex; gap: 2px; height: 1.3em; overflow: hidden; flex-wrap: wrap; }
.ruler i { flex: none; width: 1.45rem; font: inherit; text-align: center; }
.pairs { width: auto; }
.pairs td, .pairs th { border: 0; padding: 1px; }
.pairs tbody th { padding-right: 0.6rem; white-space: nowrap; vertical-align: middle; }
.pairs thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg);
  white-space: nowrap; padding: 0.3rem 0; }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 0.75rem;
  font-size: 0.9em; overflow-wrap: anywhere; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.dimmed { opacity: 0.12; }
[hidden] { display: none !important; }
@media (max-width: 40rem) {
  body { padding: 0.8rem; }
  dl { grid-template-columns: minmax(0, 1fr); }
  .matrix th[scope=rowgroup] { width: auto; }
}
@media print {
  #filter { display: none; }
  pre { max-height: none; overflow: visible; white-space: pre-wrap; }
}
)css";

// Filters, and opens what a link leads to; the page is whole without it.
const std::string_view page_script = R"js("use strict";
const form = document.getElementById("filter");
const input = form.querySelector("input");
const output = form.querySelector("output");
const rows = [...document.querySelectorAll("[data-text]")]
  .map((node) => ({ node, text: node.dataset.text.toLowerCase() }));
const cells = [...document.querySelectorAll("a.cell")];
const tiles = [...document.querySelectorAll("[data-toggle]")];
const hidden = new Set();
function apply() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { node, text } of rows) {
    const outcome = node.dataset.outcome;
    node.hidden = hidden.has(outcome) || !words.every((word) => text.includes(word));
    if (outcome && !node.hidden) shown += node.tagName === "ARTICLE" ?
      node.querySelectorAll("details").length : 1;
  }
  for (const cell of cells)
    cell.classList.toggle("dimmed", [...hidden].some((outcome) => cell.classList.contains(outcome)));
  output.textContent = words.length || hidden.size ? shown + " cases shown" : "";
}
function toggle(tile) {
  const outcome = tile.dataset.toggle;
  const hide = !hidden.delete(outcome);
  if (hide) hidden.add(outcome);
  tile.setAttribute("aria-pressed", String(!hide));
  apply();
}
for (const tile of tiles) {
  tile.setAttribute("role", "button");
  tile.setAttribute("aria-pressed", "true");
  tile.tabIndex = 0;
  tile.title = "Show or hide these cases";
  tile.addEventListener("click", () => toggle(tile));
  tile.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle(tile);
  });
}
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let node = target; node; node = node.parentElement) {
    node.hidden = false;
    if (node.tagName === "DETAILS") node.open = true;
  }
  target.scrollIntoView();
}
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
input.addEventListener("input", apply);
addEventListener("hashchange", reveal);
reveal();
)js";

}  // namespace pkvmemu::campaign
