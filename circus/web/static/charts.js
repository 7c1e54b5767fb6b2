// CPU and memory of what a `data-chart` element names, over ten minutes or a day. Empty: circusd.

import { clock, percent, setText, size } from "./format.js";
import { subscribe } from "./live.js";

const SPANS = [[600, "10 min"], [86400, "24 h"]];
const KINDS = [
  { key: "cpu", title: "CPU", write: percent, least: 1, color: "--accent" },
  { key: "rss", title: "Memory", write: size, least: 1e6, color: "--fine" },
];
const LAPSE = 90; // seconds without a number that are no gap: one a minute is kept when nobody looks
const HEIGHT = 150, AXIS = 72;
const root = document.documentElement;

const dark = matchMedia("(prefers-color-scheme: dark)");
const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();

function make(tag, attributes, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  found.append(...children);
  return found;
}

const here = (path) => new URL(path, import.meta.url).href;

// uPlot is no module: it leaves its name with the window.
function load() {
  const script = make("script", { src: here("vendor/uPlot.iife.min.js") });
  const style = make("link", { rel: "stylesheet", href: here("vendor/uPlot.min.css") });
  const own = make("link", { rel: "stylesheet", href: here("charts.css") });
  const loaded = [script, style, own].map((one) => new Promise((resolve, reject) => {
    one.addEventListener("load", resolve);
    one.addEventListener("error", reject);
  }));
  document.head.append(script, style, own);
  return Promise.all(loaded);
}

class Chart {
  constructor(kind) {
    this.kind = kind;
    this.reading = make("p", { class: "chart-reading", role: "status" });
    this.summary = make("figcaption", {});
    this.place = make("div", { class: "chart", role: "img", tabindex: "0" });
    this.figure = make("figure", {}, this.summary, this.place, this.reading);
    this.place.addEventListener("keydown", (event) => this.walk(event));
    this.place.addEventListener("blur", () => setText(this.reading, ""));
    this.plot = null;
  }

  // Anew with the colours of now; `span` in seconds.
  draw(span) {
    const { kind } = this, grid = { stroke: color("--line"), width: 1 };
    const axis = { stroke: color("--muted"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const stroke = color(kind.color);
    const gaps = (plot, _series, _first, _last, found) =>
      found.filter(([from, to]) => to - from > (LAPSE * plot.bbox.width) / span);
    this.plot?.destroy();
    this.plot = new window.uPlot({
      width: this.width, height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { range: (_, least, most) => [(most ?? 0) - span, most ?? 0] },
        y: { range: (_, least, most) => [0, Math.max(kind.least, most ?? 0) * 1.1] },
      },
      axes: [
        { ...axis, values: (_, splits) => splits.map((at) => clock(at).slice(-8, -3)) },
        { ...axis, size: AXIS, values: (_, splits) => splits.map(kind.write) },
      ],
      series: [
        {},
        { stroke, width: 1.5, fill: `color-mix(in srgb, ${stroke} 14%, transparent)`, points: { show: false }, gaps },
      ],
      hooks: { setCursor: [(plot) => this.read(plot.cursor.idx)] },
    }, [[], []], this.place);
  }

  get width() {
    return Math.max(200, this.place.clientWidth);
  }

  set(at, values) {
    this.plot.setData([at, values]);
    const known = values.filter((one) => one !== null);
    const { title, write } = this.kind;
    const last = values.at(-1) ?? values.at(-2); // the step that has just begun has none yet
    const told = known.length
      ? `${title}: now ${write(last)}, lowest ${write(Math.min(...known))}, highest ${write(Math.max(...known))}`
      : `${title}: nothing is known yet`;
    setText(this.summary, told);
    this.place.setAttribute("aria-label", `${told}. Arrow keys read single values.`);
  }

  read(index) {
    if (index === null || index === undefined) return;
    const [at, values] = this.plot.data;
    if (at[index]) setText(this.reading, `${clock(at[index])}: ${this.kind.write(values[index])}`);
  }

  walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const [at] = this.plot.data;
    if (!step || !at.length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const here = this.plot.cursor.idx ?? at.length - (step < 0 ? 0 : 1);
    const index = Math.min(at.length - 1, Math.max(0, here + step));
    this.plot.setCursor({ left: this.plot.valToPos(at[index], "x"), top: 0 });
    this.read(index);
  }
}

class Charts {
  constructor(place) {
    this.name = place.dataset.chart;
    this.span = SPANS[0][0];
    this.charts = KINDS.map((kind) => new Chart(kind));
    this.at = [];
    this.values = KINDS.map(() => []);
    this.asked = 0;
    this.buttons = SPANS.map(([seconds, words]) => {
      const button = make("button", { type: "button", class: "plain" }, words);
      button.addEventListener("click", () => this.choose(seconds));
      return button;
    });
    const spans = make("div", { class: "spans", role: "group", "aria-label": "How far back" }, ...this.buttons);
    place.replaceChildren(spans, ...this.charts.map((one) => one.figure));
    new ResizeObserver(() => this.resize()).observe(place);
    dark.addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(root, { attributeFilter: ["data-theme"] });
    document.addEventListener("visibilitychange", () => document.hidden || this.fetch());
    const wanted = Number(new URLSearchParams(location.search).get("span"));
    this.choose(SPANS.some(([seconds]) => seconds === wanted) ? wanted : this.span);
    subscribe((state) => this.take(state));
  }

  choose(seconds) {
    const url = new URL(location.href);
    if (seconds === SPANS[0][0]) url.searchParams.delete("span");
    else url.searchParams.set("span", seconds);
    history.replaceState(history.state, "", url);
    this.span = seconds;
    this.buttons.forEach((one, number) => one.setAttribute("aria-pressed", SPANS[number][0] === seconds));
    this.at = [];
    this.draw();
    this.fetch();
  }

  async fetch() {
    const asked = this.asked = performance.now();
    const query = new URLSearchParams({ span: this.span });
    if (this.name) query.set("watcher", this.name);
    const answer = await fetch(`/api/v1/history?${query}`).catch(() => null);
    if (!answer?.ok || asked !== this.asked) return; // what is there stays
    const told = await answer.json();
    this.step = told.step;
    this.at = told.at;
    this.values = KINDS.map(({ key }) => told[key]);
    this.show();
  }

  // What is new of ten minutes comes by itself; of a day it is fetched once a minute.
  take(state) {
    if (this.span !== SPANS[0][0]) {
      if (performance.now() - this.asked > 60000) this.fetch();
      return;
    }
    const found = this.name ? state.watchers[this.name] : state.daemon;
    if (!this.step || state.at <= (this.at.at(-1) ?? 0)) return;
    this.at.push(state.at);
    KINDS.forEach(({ key }, number) => this.values[number].push((state.live && found?.[key]) ?? null));
    const old = this.at.findIndex((at) => at >= state.at - this.span);
    for (const series of [this.at, ...this.values]) series.splice(0, old);
    this.show();
  }

  show() {
    this.charts.forEach((one, number) => one.set(this.at, this.values[number]));
  }

  draw() {
    for (const one of this.charts) one.draw(this.span);
    this.show();
  }

  resize() {
    for (const one of this.charts) {
      if (one.plot && one.plot.width !== one.width) one.plot.setSize({ width: one.width, height: HEIGHT });
    }
  }
}

const places = document.querySelectorAll("[data-chart]");
if (places.length) load().then(() => places.forEach((place) => new Charts(place)), () => {});
