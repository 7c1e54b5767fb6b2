// Follows the output of a watcher. What is shown is text and nothing else.

import { clock, part, setText, visible } from "./format.js";
import { entered } from "./page.js";

const log = document.getElementById("log");
const KEPT = 5000; // lines in the page
const WAITING = 5000; // lines that wait while it is paused; then they stay where they are
const OFTEN_MS = 1000, AWAY_MS = 5000, LINES = 1000;

const filter = document.getElementById("filter"), pause = document.getElementById("pause");
const query = new URLSearchParams(location.search);
const where = `/api/v1/watchers/${part(document.documentElement.dataset.watcher)}/logs`;
let cursor = log?.dataset.cursor, waiting = [], dropped = 0;
let paused = query.has("since"), scrolled = false; // `scrolled`: paused by that alone

function line({ stream, text, at, severity }) {
  const item = document.createElement("li");
  item.dataset.stream = stream;
  if (severity) item.dataset.severity = severity;
  if (at) {
    const time = document.createElement("time");
    time.dateTime = new Date(at * 1000).toISOString();
    time.textContent = clock(at);
    item.append(time, " ");
  }
  item.append(piece("severity", severity || ""), " ", piece("text", visible(text)));
  return item;
}

function piece(name, text) {
  const found = document.createElement("span");
  found.className = name;
  found.textContent = text;
  return found;
}

function gap() {
  const item = document.createElement("li");
  item.className = "gap";
  item.textContent = "Lines are missing here: they were gone before they could be read";
  return item;
}

// -- what is shown ------------------------------------------------

function fits(item) {
  return item.textContent.toLowerCase().includes(filter.value.toLowerCase());
}

function add(lines) {
  const part = document.createDocumentFragment();
  for (const one of lines) {
    const item = one === null ? gap() : line(one);
    item.hidden = Boolean(filter.value) && !fits(item);
    part.append(item);
  }
  log.append(part);
  while (log.childElementCount > KEPT) {
    log.firstElementChild.remove();
    dropped += 1;
  }
  toEnd();
  count();
}

// Lines out of sight have no height yet, so the end is where it seems to be only at the second look.
function toEnd() {
  if (paused) return;
  log.scrollTop = log.scrollHeight;
  requestAnimationFrame(() => {
    if (!paused) log.scrollTop = log.scrollHeight;
  });
}

function atEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 30;
}

function count() {
  const all = log.childElementCount;
  const shown = filter.value ? log.querySelectorAll("li:not([hidden])").length : all;
  const lines = all === 1 ? "1 line" : `${all} lines`;
  const earlier = dropped ? `, ${dropped} earlier ones are not kept here` : "";
  setText(document.getElementById("count"), (filter.value ? `${shown} of ${lines}` : lines) + earlier);
  document.getElementById("nothing").hidden = all > 0;
}

function show() {
  for (const item of log.children) item.hidden = Boolean(filter.value) && !fits(item);
  toEnd();
  count();
}

// -- pause ------------------------------------------------

function button() {
  const more = waiting.length >= WAITING ? `${WAITING} or more` : waiting.length;
  setText(pause, paused ? `Go on${waiting.length ? ` (${more} new)` : ""}` : "Pause");
  pause.setAttribute("aria-pressed", String(paused));
}

function hold(yes, byScrolling = false) {
  if (paused === yes) return;
  paused = yes;
  scrolled = yes && byScrolling;
  if (!paused) {
    add(waiting);
    waiting = [];
  }
  button();
}

// -- reading ------------------------------------------------

async function read() {
  if (paused && waiting.length >= WAITING) return OFTEN_MS;
  const wanted = new URLSearchParams({ cursor, lines: LINES });
  if (query.get("stream")) wanted.set("stream", query.get("stream"));
  const answer = await fetch(`${where}?${wanted}`, { headers: { Accept: "application/json" } });
  if (!entered(answer)) return null;
  if (!answer.ok) return AWAY_MS;
  const found = await answer.json();
  ({ cursor } = found);
  const lines = found.gap ? [null, ...found.lines] : found.lines;
  if (paused) {
    waiting.push(...lines);
    button();
  } else if (lines.length) add(lines);
  return found.more ? 0 : OFTEN_MS;
}

async function follow() {
  for (;;) {
    const rest = await read().catch(() => AWAY_MS);
    if (rest === null) return;
    await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

function start() {
  const wrap = document.getElementById("wrap");
  document.getElementById("wrap-label").hidden = false;
  wrap.addEventListener("change", () => log.classList.toggle("wrap", wrap.checked));
  pause.hidden = false;
  pause.addEventListener("click", () => hold(!paused));
  // who scrolls back wants to read, who comes to the end wants to follow
  let before = 0;
  log.addEventListener("scroll", () => {
    const up = log.scrollTop < before - 2 && !atEnd();
    before = log.scrollTop;
    if (up) hold(true, true);
    else if (scrolled && atEnd()) hold(false);
    else if (paused && waiting.length && atEnd()) {
      add(waiting.splice(0, 200)); // who jumped to a time reads on from there
      button();
    }
  }, { passive: true });
  filter.addEventListener("input", () => {
    const next = new URLSearchParams(location.search);
    if (filter.value) next.set("filter", filter.value);
    else next.delete("filter");
    const text = next.toString();
    history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
    show();
  });
  button();
  toEnd();
  follow();
}

// The field shows the time where the browser is, the address says which one is meant.
function showSince() {
  const since = document.getElementById("since"), at = new Date(query.get("since"));
  if (Number.isNaN(at.getTime())) return;
  since.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

document.getElementById("logbar").addEventListener("submit", (event) => {
  event.preventDefault();
  const next = new URLSearchParams();
  for (const [key, value] of new FormData(event.target)) if (value) next.set(key, value);
  if (next.has("since")) next.set("since", new Date(next.get("since")).toISOString());
  const text = next.toString();
  location.assign(location.pathname + (text ? `?${text}` : ""));
});
document.getElementById("stream").addEventListener("change", ({ target }) => target.form.requestSubmit());
if (query.has("since")) showSince();
if (log) start();
