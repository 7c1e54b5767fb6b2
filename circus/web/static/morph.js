// Make one element like another, touching only what differs: focus, selection and what was opened
// stay. Children with `data-id` are recognised wherever they are.

const KEPT = new Set(["open"]);

export function morph(old, next) {
  if (old.isEqualNode(next)) return;
  attributes(old, next);
  children(old, next);
}

function attributes(old, next) {
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function children(old, next) {
  const known = new Map();
  for (const child of old.children) if (child.dataset.id) known.set(child.dataset.id, child);
  let at = old.firstChild;
  for (const wanted of next.childNodes) {
    const id = wanted.dataset?.id;
    const found = id ? known.get(id) : like(at, wanted) ? at : null;
    if (!found) {
      old.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (found === at) at = at.nextSibling;
    else old.insertBefore(found, at);
    if (found.nodeType === Node.ELEMENT_NODE) morph(found, wanted);
    else if (found.nodeValue !== wanted.nodeValue) found.nodeValue = wanted.nodeValue;
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function like(old, wanted) {
  return old && old.nodeName === wanted.nodeName && !old.dataset?.id;
}
