// What every page does: forms without leaving it, what is told, the header, times, the theme.

import { clock, percent, printable, setText, span } from "./format.js";
import { watchKeys } from "./keys.js";
import { morph } from "./morph.js";

const root = document.documentElement;
const messages = document.getElementById("messages");
const skew = Number(root.dataset.now) - Date.now() / 1000 || 0;
const OFTEN_MS = 1000;

const now = () => Date.now() / 1000 + skew;

// -- what is told ------------------------------------------------

function tell(text, kind) {
  const line = document.createElement("p");
  line.className = "message";
  line.dataset.kind = kind;
  line.textContent = text;
  adopt(line);
  messages.append(line);
  while (messages.children.length > 5) messages.firstElementChild.remove();
}

function adopt(line) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain close";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close this message");
  close.addEventListener("click", () => line.remove());
  line.append(close);
  if (line.dataset.kind === "done") setTimeout(() => line.remove(), 8000);
}

// -- forms ------------------------------------------------

let agreed = null;

function ask(text, word) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-yes").textContent = word;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  if (form.getAttribute("method") !== "post") return;
  const question = button !== agreed && button?.dataset.confirm;
  agreed = null;
  if (question) {
    event.preventDefault();
    ask(question, button.dataset.word || button.textContent.trim()).then((yes) => {
      if (!yes) return;
      agreed = button;
      form.requestSubmit(button);
    });
  } else if ("act" in form.dataset) {
    event.preventDefault();
    send(form, button);
  }
});

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const where = button?.getAttribute("formaction") || form.getAttribute("action");
  const headers = { Accept: "application/json", "X-CSRF-Token": csrf() };
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(where, { method: "POST", body, headers });
    if (!entered(answer)) return;
    const told = await answer.json();
    for (const one of told.messages || [{ text: told.detail || told.title, kind: "refused" }]) {
      tell(one.text, one.kind);
    }
    refresh();
  } catch {
    tell("The console does not answer. Was anything done? Look again when it does.", "refused");
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

function csrf() {
  return document.querySelector('meta[name="csrf"]').content;
}

// Whether somebody is still logged in; if not, off to the login.
export function entered(answer) {
  const left = answer.status === 401 || new URL(answer.url).pathname === "/login";
  if (left) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  return !left;
}

// -- what changes ------------------------------------------------

const refreshed = document.querySelectorAll("[data-refresh]");
const SHARE = 3; // so many times as long as a page took it is left alone
let asked = 0, took = 0, waiting = 0;

// The server renders the page again, and what differs of its changing parts is taken over.
function refresh() {
  if (!refreshed.length || waiting || document.hidden) return;
  waiting = setTimeout(async () => {
    asked = Date.now();
    try {
      await fetchParts();
    } catch { /* the header says that nothing comes */ }
    took = Date.now() - asked;
    waiting = 0;
  }, Math.max(0, asked + Math.max(OFTEN_MS, SHARE * took) - Date.now()));
}

async function fetchParts() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!entered(answer) || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  localise(page);
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const next = page.querySelector(`[data-refresh="${part.dataset.refresh}"]`);
    if (next) morph(part, next);
  }
}

// Also a tab that nobody looks at says how many watchers are in trouble.
function tab(state) {
  const troubled = Object.values(state.watchers).filter(({ trouble }) => trouble).length;
  const title = document.title.replace(/^\d+ in trouble - /, "");
  const wanted = troubled ? `${troubled} in trouble - ${title}` : title;
  if (document.title !== wanted) document.title = wanted;
  const icon = document.querySelector('link[rel="icon"]');
  const file = new URL(troubled ? "trouble.svg" : "favicon.svg", import.meta.url).href;
  if (icon.href !== file) icon.href = file;
}

function header(state) {
  const { daemon } = state;
  const own = document.getElementById("circusd"), stats = document.getElementById("circusd-stats");
  if (!own) return;
  own.dataset.tone = state.live ? "active" : "trouble";
  setText(own, state.live ? "circusd" : "circusd does not answer");
  const facts = `pid ${daemon.pid}, up ${span(daemon.age)}, ${percent(daemon.cpu)}`;
  setText(document.getElementById("circusd-facts"), state.live && daemon.pid ? facts : "");
  stats.dataset.tone = daemon.stats === "active" ? "active" : "stopped";
  setText(document.getElementById("endpoint"), printable(state.endpoint));
  setText(stats, `circusd-stats ${daemon.stats || "off"}`);
}

const rendered = document.getElementById("live")?.dataset.kind === "live" ? Number(root.dataset.now) : 0;

function connection(kind, since, reason) {
  const badge = document.getElementById("live");
  if (!badge) return;
  const words = { live: "Live", polling: "Live, every few seconds" };
  const last = since ?? rendered; // of a page that has heard nothing since it was made
  const stale = last ? `Stale since ${clock(last)}` : "Not connected";
  badge.dataset.kind = kind;
  setText(badge, words[kind] || stale);
  document.getElementById("stale").hidden = kind !== "stale";
  setText(document.getElementById("reason"), reason ? ` (${printable(reason)})` : "");
}

// -- times and theme ------------------------------------------------

export function ago(element) {
  const at = Date.parse(element.getAttribute("datetime")) / 1000;
  if (at) setText(element, `${span(now() - at)} ago`);
}

// The server writes moments in its own time.
function localise(page) {
  for (const one of page.querySelectorAll("time[datetime]")) {
    if ("ago" in one.dataset) ago(one);
    else setText(one, clock(Date.parse(one.dateTime) / 1000));
  }
}

setInterval(() => {
  if (!document.hidden) document.querySelectorAll("time[data-ago]").forEach(ago);
}, OFTEN_MS);

const THEMES = { "": "System's", light: "Light", dark: "Dark" };

function themes() {
  const button = document.getElementById("theme");
  const chosen = () => root.dataset.theme || "";
  const show = () => setText(document.getElementById("theme-word"), `${THEMES[chosen()]} theme`);
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(chosen()) + 1) % names.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      localStorage.setItem("circus-theme", next);
    } catch { /* then it holds for this page */ }
    show();
  });
  button.hidden = false;
  show();
}

const HEADLINES = ["state", "trouble", "progress"];

// Whether what changed can be seen on this page.
function concerns(change) {
  const { page, watcher } = root.dataset;
  if (!change) return true;
  if (page === "sockets") return "sockets" in change;
  const part = change.watchers?.[watcher];
  if (page === "watcher" || part === null) return part !== undefined;
  return Boolean(part) && HEADLINES.some((key) => key in part);
}

async function follow() {
  const live = await import("./live.js"); // which begins at once, and not for strangers
  live.subscribe((state, change) => {
    header(state);
    tab(state);
    if (concerns(change)) refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  live.happened(() => {
    const { page } = root.dataset;
    if (page === "events" || page === "watcher") refresh();
  });
  live.status((kind, since, reason) => {
    connection(kind, since, reason);
    if (kind !== "stale" && root.dataset.page === "error" && "down" in root.dataset) location.reload();
  });
}

messages.querySelectorAll(".message").forEach(adopt);
document.querySelector(".places [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
localise(document);
themes();
watchKeys();
if (document.getElementById("live")) follow();
