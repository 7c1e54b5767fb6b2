// The state of everything, as it changes. All tabs of a browser share one stream: the tab that has
// the lock reads it and passes on what comes. Where there are no locks, each tab reads for itself;
// where there is no stream, it asks every two seconds.

const LOCK = "circus-live", STREAM = "/live", STATE = "/api/v1/state";
const POLL_MS = 2000; // between two questions
const STALE_MS = 2800; // without a word, and what is shown is old
const DEAF_MS = 6000; // without a word from the tab that reads, and another one does
const STREAM_AGAIN_MS = 30000; // after there was no stream for us
const LOGGED_OUT = "You are not logged in any more. Load this page again to log in";
const AWAY = "The console does not answer";

let state = null, change = null, drawn = true;
let kind = "stale", reason = "", told = "";
let heard = performance.now(); // when anything was heard of the console, here or in another tab
let fresh = heard; // when the console last told what is so
let reader = null; // what this tab does when it reads for all
const changed = new Set(), events = new Set(), kinds = new Set();

// fn(state, change): at once if there is a state, then with every change, once a frame at most.
// `change` is what has changed of it, or null for all.
export function subscribe(fn) {
  changed.add(fn);
  if (state) fn(state, null);
  return () => changed.delete(fn);
}

// fn({topic, message, at}) for each event of circusd.
export function happened(fn) {
  events.add(fn);
  return () => events.delete(fn);
}

// fn(kind, since, reason): "live", "polling", or "stale" since then (seconds of the epoch, if known).
export function status(fn) {
  kinds.add(fn);
  if (told) fn(...standing());
  return () => kinds.delete(fn);
}

// -- what is known ------------------------------------------------

// RFC 7396; without prototypes, for a watcher may have any name.
export function merged(before, patch) {
  const after = Object.assign(Object.create(null), before);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete after[key];
    else if (typeof value === "object" && !Array.isArray(value)) after[key] = merged(after[key], value);
    else after[key] = value;
  }
  return after;
}

function both(first, second) { // two changes as one, with what is gone
  const found = Object.assign(Object.create(null), first);
  for (const [key, value] of Object.entries(second)) {
    const deep = value && typeof value === "object" && !Array.isArray(value);
    found[key] = deep && found[key] ? both(found[key], value) : value;
  }
  return found;
}

function take(message) {
  heard = performance.now();
  if (message.standing) {
    [kind, reason] = message.standing;
  } else if (message.happened) {
    for (const fn of events) fn(message.happened);
  } else if (message.state) {
    fresh = heard;
    draw(merged(null, message.state), null);
  } else if (message.delta && state && message.before === state.id) {
    fresh = heard;
    draw(merged(state, message.delta), message.delta);
  } else if (message.delta && !reader) {
    say({ hello: true }); // we have missed something
  }
  tell();
}

function draw(next, part) {
  const before = drawn ? undefined : change;
  change = part && before !== null ? (before ? both(before, part) : part) : null;
  state = next;
  if (!drawn) return;
  drawn = false;
  requestAnimationFrame(() => {
    drawn = true;
    for (const fn of changed) fn(state, change);
  });
}

function standing() {
  const silent = performance.now() - fresh > STALE_MS;
  if (silent || kind === "stale") return ["stale", state?.at, reason || (silent ? AWAY : "")];
  if (state && !state.live) return ["stale", state.since, state.reason];
  return [kind, undefined, ""];
}

function tell() {
  if (!state && performance.now() - fresh < STALE_MS && !reason) return; // it has just begun
  const now = standing(), text = JSON.stringify(now);
  if (text === told) return;
  told = text;
  for (const fn of kinds) fn(...now);
}

// -- between tabs ------------------------------------------------

const channel = "BroadcastChannel" in window ? new BroadcastChannel(LOCK) : null;

function say(message) {
  channel?.postMessage(message);
}

function pass(message) { // to this tab and all others
  take(message);
  say(message);
}

function onMessage({ data }) {
  if (!data.hello) take(data);
  else if (reader && state) {
    say({ state });
    say({ standing: [kind, reason] });
  }
}

// -- reading ------------------------------------------------

function read() { // until the function that it returns is called
  let source = null, timer = 0, over = false;

  function stand(...next) {
    if (next[0] !== kind || next[1] !== reason) pass({ standing: next });
  }

  function listen() {
    const last = state ? `?last=${encodeURIComponent(state.id)}` : "";
    source = new EventSource(STREAM + last);
    source.addEventListener("snapshot", ({ data }) => {
      stand("live", "");
      pass({ state: JSON.parse(data) });
    });
    source.addEventListener("delta", ({ data }) => {
      stand("live", "");
      pass({ delta: JSON.parse(data), before: state?.id });
    });
    source.addEventListener("happened", ({ data }) => pass({ happened: JSON.parse(data) }));
    source.addEventListener("crowded", () => poll(performance.now() + STREAM_AGAIN_MS));
    source.addEventListener("error", () => {
      // it connects again by itself, unless it was refused: then we have to see why
      if (source.readyState === EventSource.CLOSED) poll(performance.now() + POLL_MS);
    });
  }

  // `again`: when there may be a stream for us
  async function poll(again) {
    source?.close();
    const answer = await fetch(STATE, { headers: { Accept: "application/json" } }).catch(() => null);
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (over) return;
    if (found) {
      stand("polling", "");
      pass({ state: found });
    } else {
      stand("stale", answer?.status === 401 ? LOGGED_OUT : AWAY);
    }
    const next = found ? again : 0; // once who was away is back, it has a stream
    timer = setTimeout(() => {
      if (found && performance.now() >= next) listen();
      else poll(next);
    }, POLL_MS);
  }

  const here = setInterval(() => say({ standing: [kind, reason] }), POLL_MS);
  if ("EventSource" in window) listen();
  else poll(Infinity);
  return () => {
    over = true;
    clearInterval(here);
    clearTimeout(timer);
    source?.close();
  };
}

// -- who reads ------------------------------------------------

let place = null; // ours in the line for the lock

async function enlist(steal = false) {
  const mine = place = { waiting: new AbortController(), release: () => {} };
  const how = steal ? { steal } : { signal: mine.waiting.signal };
  let stop = null;
  try {
    await navigator.locks.request(LOCK, how, () => {
      stop = reader = read();
      return new Promise((resolve) => { mine.release = resolve; });
    });
  } catch { /* we left, or a tab that heard nothing from us has taken it */ }
  stop?.();
  if (stop && reader === stop) reader = null;
  if (place === mine) enlist();
}

function leave() {
  const mine = place;
  place = null;
  mine?.waiting.abort();
  mine?.release();
}

const shared = Boolean(channel && navigator.locks);

function begin() {
  heard = fresh = performance.now();
  if (!shared) {
    reader = read();
    return;
  }
  channel.onmessage = onMessage;
  enlist();
  say({ hello: true });
}

function end() {
  leave();
  if (!shared) reader?.();
  reader = null;
}

setInterval(() => {
  tell();
  const deaf = performance.now() - heard > DEAF_MS;
  if (!shared || reader || !deaf || document.hidden || !place) return;
  heard = performance.now();
  leave();
  enlist(true);
}, 200);

// a page that may come back from the browser's memory neither reads nor keeps others from it
addEventListener("pagehide", end);
addEventListener("pageshow", (event) => {
  if (event.persisted) begin();
});
begin();
