// The list of watchers, live: only cells that differ are touched.

import { known, part, percent, printable, setText, size } from "./format.js";
import { subscribe } from "./live.js";
import { ago } from "./page.js";

const table = document.getElementById("watchers");
const body = table.tBodies[0];
const template = document.getElementById("row");
const filter = document.getElementById("filter");
const rows = new Map();
const CALM_MS = 3000;
const RANK = ["trouble", "changing", "frozen", "active", "stopped"];
const DOWN_FIRST = new Set(["ready", "restarts", "cpu", "mem", "changed"]);
const KEYS = {
  name: (row) => row.name.toLowerCase(),
  state: (row) => RANK.indexOf(row.tone),
  ready: (row) => row.told.ready || 0,
  restarts: (row) => row.told.restarts || 0,
  cpu: (row) => row.told.cpu || 0,
  mem: (row) => row.told.rss || 0,
  changed: (row) => row.told.changed || 0,
};

function tone(told) {
  if (told.trouble) return "trouble";
  if (told.state === "stopped" || told.state === "frozen") return told.state;
  return told.state !== "active" || told.progress ? "changing" : "active";
}

// -- rows ------------------------------------------------

function make(name) {
  const line = template.content.firstElementChild.cloneNode(true);
  const shown = printable(name), path = `/watchers/${part(name)}`;
  line.dataset.name = name;
  const link = line.querySelector(".name a");
  link.href = path;
  link.textContent = shown;
  const box = line.querySelector(".pick input");
  if (box) {
    box.value = name;
    box.setAttribute("aria-label", `Select ${shown}`);
    const restart = line.querySelector(".do button");
    restart.setAttribute("formaction", `${path}/restart`);
    restart.setAttribute("aria-label", `Restart ${shown}`);
  }
  const logs = line.querySelector(".do a");
  logs.href = `${path}/logs`;
  logs.setAttribute("aria-label", `Logs of ${shown}`);
  body.append(line);
  return line;
}

function row(name, line) {
  const cell = (selector) => line.querySelector(selector);
  return {
    name, line, told: {}, tone: "",
    state: cell(".state"), group: cell(".group"), ready: cell(".ready span"),
    restarts: cell(".restarts span"), cpu: cell(".cpu span"), mem: cell(".mem span"),
    changed: cell(".changed time"), trouble: cell(".note .trouble"), progress: cell(".note .progress"),
  };
}

function paint(one, told) {
  const before = one.told;
  one.told = told;
  setText(one.ready, `${known(told.ready)} of ${known(told.wanted)}`);
  setText(one.restarts, known(told.restarts));
  setText(one.cpu, percent(told.cpu));
  setText(one.mem, size(told.rss));
  setText(one.group, told.group || "");
  setText(one.trouble, printable(told.trouble || ""));
  setText(one.progress, printable(told.progress || ""));
  if (told.changed && before.changed !== told.changed) {
    one.changed.setAttribute("datetime", new Date(told.changed * 1000).toISOString());
    ago(one.changed);
  }
  const now = tone(told);
  if (before.state !== told.state || one.tone !== now) paintState(one, told, now);
}

function paintState(one, told, now) {
  one.tone = one.line.dataset.tone = one.state.dataset.tone = now;
  setText(one.state, told.state);
  if (one.state.tagName !== "BUTTON") return;
  const shown = printable(one.name), runs = told.state !== "stopped" && told.state !== "stopping";
  const act = runs ? "stop" : "start";
  one.state.setAttribute("formaction", `/watchers/${part(one.name)}/${act}`);
  const trouble = told.trouble ? ", in trouble" : "";
  one.state.setAttribute("aria-label", `${shown} is ${told.state}${trouble}: ${act}`);
  one.state.dataset.word = runs ? "Stop" : "Start";
  if (runs) one.state.dataset.confirm = `Stop ${shown}?`;
  else delete one.state.dataset.confirm;
}

// -- which, in what order ------------------------------------------------

const asked = () => new URLSearchParams(location.search);

function change(key, value) {
  const query = asked();
  if (value) query.set(key, value);
  else query.delete(key);
  const text = query.toString();
  history.replaceState(null, "", text ? `/?${text}` : "/");
  for (const field of document.querySelectorAll('input[name="next"]')) {
    field.value = location.pathname + location.search;
  }
}

function show() {
  const text = filter.value.toLowerCase(), only = asked().get("show") || "";
  let shown = 0;
  for (const one of rows.values()) {
    const fits = (!only || one.tone === only) &&
      (one.name.toLowerCase().includes(text) || (one.told.group || "").toLowerCase().includes(text));
    if (one.line.hidden === fits) one.line.hidden = !fits;
    shown += fits;
  }
  const empty = document.getElementById("empty");
  if (empty && rows.size) empty.hidden = shown > 0;
}

function sort() {
  const wanted = asked().get("sort") || "name", down = wanted.startsWith("-");
  const key = KEYS[down ? wanted.slice(1) : wanted] || KEYS.name;
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const found = [...rows.values()].sort((a, b) =>
    (down ? -1 : 1) * compare(key(a), key(b)) || compare(KEYS.name(a), KEYS.name(b)));
  const lines = found.map((one) => one.line);
  if (lines.some((line, at) => body.children[at] !== line)) body.append(...lines);
}

function headings() {
  const wanted = asked().get("sort") || "name";
  for (const link of table.tHead.querySelectorAll("a[data-key]")) {
    const heading = link.closest("th"), { key } = link.dataset;
    if (wanted === key) heading.setAttribute("aria-sort", "ascending");
    else if (wanted === `-${key}`) heading.setAttribute("aria-sort", "descending");
    else heading.removeAttribute("aria-sort");
  }
}

function tally() {
  const counts = Object.fromEntries(RANK.map((one) => [one, 0]));
  for (const one of rows.values()) counts[one.tone] += 1;
  for (const number of document.querySelectorAll("[data-count]")) {
    const count = number.dataset.count ? counts[number.dataset.count] : rows.size;
    setText(number, String(count));
    number.closest("a").classList.toggle("none", !count && Boolean(number.dataset.count));
  }
}

// -- selection ------------------------------------------------

const boxes = () => [...body.querySelectorAll(".pick input")];

function selected() {
  const chosen = boxes().filter((box) => box.checked);
  const query = asked();
  query.delete("select");
  for (const box of chosen) query.append("select", box.value);
  const text = query.toString();
  history.replaceState(null, "", text ? `/?${text}` : "/");
  const what = chosen.length === 1 ? "1 watcher" : `${chosen.length} watchers`;
  setText(document.getElementById("selected"), chosen.length ? `${what} selected:` : "None selected");
  for (const button of document.querySelectorAll("[data-bulk]")) {
    button.disabled = !chosen.length;
    if (button.value !== "start") button.dataset.confirm = `${button.dataset.bulk} ${what}?`;
  }
}

// -- together ------------------------------------------------

let sorted = 0;

function take(watchers) {
  let changed = false;
  for (const [name, told] of Object.entries(watchers)) {
    if (!rows.has(name)) {
      rows.set(name, row(name, make(name)));
      changed = true;
    }
    const one = rows.get(name), before = one.tone;
    if (one.told !== told) paint(one, told);
    changed ||= before !== one.tone;
  }
  for (const [name, one] of rows) {
    if (name in watchers) continue;
    one.line.remove();
    rows.delete(name);
    changed = true;
  }
  if (changed) {
    tally();
    show();
  }
  // nobody wants a row to move away under the pointer
  const busy = table.matches(":hover, :focus-within");
  if (!sorted || (!busy && Date.now() - sorted > CALM_MS)) {
    sorted = Date.now();
    sort();
  }
}

for (const line of body.rows) rows.set(line.dataset.name, row(line.dataset.name, line));

filter.addEventListener("input", () => {
  change("filter", filter.value);
  show();
});

table.tHead.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-key]");
  if (!link || !sorted) return; // until the state is known the server sorts
  event.preventDefault();
  const { key } = link.dataset, wanted = asked().get("sort") || "name";
  const first = DOWN_FIRST.has(key) ? `-${key}` : key;
  const other = first === key ? `-${key}` : key;
  const next = wanted === first ? other : first;
  change("sort", next === "name" ? "" : next);
  headings();
  sort();
});

document.querySelector(".tally").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-show]");
  if (!link || !sorted) return;
  event.preventDefault();
  change("show", link.dataset.show);
  for (const one of document.querySelectorAll(".tally a")) one.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  show();
});

const all = document.getElementById("all");
if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked && !box.closest("tr").hidden;
    selected();
  });
  body.addEventListener("change", selected);
  selected();
}

subscribe((state) => take(state.watchers));
