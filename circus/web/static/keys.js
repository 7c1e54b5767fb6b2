// Everything by keyboard. What a key presses says so itself, by `data-key`.

const PLACES = { w: "/", o: "/sockets", e: "/events", p: "/plan" };
let led = false;

export function watchKeys() {
  const help = document.getElementById("keys-help"), on = document.getElementById("keys-on");
  const opener = document.getElementById("keys");
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  on.checked = wanted();
  on.addEventListener("change", () => remember(on.checked));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") leave();
    else if (!typing(event.target) && on.checked && pressed(event.key, help)) event.preventDefault();
  });
}

function wanted() {
  try {
    return localStorage.getItem("circus-keys") !== "off";
  } catch {
    return true;
  }
}

function remember(yes) {
  try {
    localStorage.setItem("circus-keys", yes ? "on" : "off");
  } catch { /* then it holds for this page */ }
}

function typing(element) {
  return element.matches("input:not([type=checkbox]), select, textarea");
}

function leave() {
  const field = document.activeElement;
  if (!typing(field)) return;
  if (field.type === "search" && field.value) {
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  } else field.blur();
}

// Whether the key meant something.
function pressed(key, help) {
  if (led) {
    led = false;
    if (PLACES[key]) location.assign(PLACES[key]);
    return Boolean(PLACES[key]);
  }
  switch (key) {
    case "?": help.showModal(); return true;
    case "g": led = true; return true;
    case "/": return focus(document.getElementById("filter"));
    case "j": case "ArrowDown": return step(1, key);
    case "k": case "ArrowUp": return step(-1, key);
    default: return press(key);
  }
}

function focus(element) {
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

const here = () => document.activeElement.closest("main tbody tr");

function step(by, key) {
  const row = here();
  if (!row && key.startsWith("Arrow")) return false; // the page scrolls
  const rows = [...document.querySelectorAll("main tbody tr:not([hidden])")];
  const next = row ? rows[rows.indexOf(row) + by] : rows[by > 0 ? 0 : rows.length - 1];
  next?.scrollIntoView({ block: "nearest" });
  return focus(next?.querySelector("th a, a, button"));
}

// In the row where we are; otherwise on the page itself, which from within a row only leads away:
// who means a worker shall not restart the watcher.
function press(key) {
  if (!/^[a-z]$/.test(key)) return false;
  const wanted = `[data-key="${key}"]`, row = here();
  const ofPage = [...document.querySelectorAll(row ? `a${wanted}` : wanted)];
  const found = row?.querySelector(wanted) || ofPage.find((one) => !one.closest("tbody"));
  if (!found) return false;
  found.click();
  return true;
}
