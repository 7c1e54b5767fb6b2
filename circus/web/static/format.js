// Numbers and moments in words, as pages/text.py writes them.

const UNKNOWN = "–";

export function known(value) {
  return value === null || value === undefined ? UNKNOWN : String(value);
}

export function size(octets) {
  if (octets === null || octets === undefined) return UNKNOWN;
  let value = octets / 1000;
  for (const unit of ["kB", "MB", "GB"]) {
    if (value < 1000) return `${value.toFixed(unit === "kB" ? 0 : 1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

export function percent(value) {
  return value === null || value === undefined ? UNKNOWN : `${value.toFixed(1)} %`;
}

export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  const [unit, name, smaller, smallerName] =
    whole < 86400 ? [3600, "h", 60, "min"] : [86400, "d", 3600, "h"];
  const rest = Math.floor((whole % unit) / smaller);
  return `${Math.floor(whole / unit)} ${name}` + (rest ? ` ${rest} ${smallerName}` : "");
}

export function clock(seconds) {
  const then = new Date(seconds * 1000), now = new Date();
  const time = then.toTimeString().slice(0, 8);
  if (then.toDateString() === now.toDateString()) return time;
  const two = (number) => String(number).padStart(2, "0");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

// What a terminal would act on, written out.
export function printable(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (one) => {
    const code = one.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

// The same of a line, whose tabs are harmless.
export function visible(text) {
  return text.split("\t").map(printable).join("\t");
}

// A name as one part of a path: see names.py.
export function part(name) {
  if (name === ".") return "%252E";
  if (name === "..") return "%252E%252E";
  return encodeURIComponent(name.replaceAll("%", "%25").replaceAll("/", "%2F"));
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
