// Programs as they stand in the page's data (web.py), taken apart into objects.
"use strict";

function readProgram(data) {
  const text = (k) => data.texts[k], frames = new Set(data.items.frames);
  const guarded = new Set(data.items.guarded), c = data.items, r = data.rows, l = data.lines;
  const items = c.parent.map((parent, number) => ({
    number, parent, kind: text(c.kind[number]), title: text(c.title[number]),
    left: text(c.left[number]), right: text(c.right[number]), width: c.width[number],
    height: c.height[number], boxes: c.boxes[number], rows: c.rows[number],
    members: frames.has(number) ? [] : null, guarded: guarded.has(number),
  }));
  for (const item of items) if (item.parent >= 0) items[item.parent].members.push(item.number);
  const held = new Set(r.held), bad = new Set(r.bad);
  const rows = r.number.map((number, k) => {
    const kind = text(r.kind[k]), source = data.sources[r.line[k]];
    return {
      row: k, number, kind, scope: text(r.scope[k]), title: text(r.title[k]), output: r.output[k],
      type: text(r.type[k]), operands: r.operands[k], item: r.item[k], value: text(r.value[k]),
      adjoint: text(r.adjoint[k]), time: r.time[k], path: text(r.line[k]),
      line: source ? source[0] : "", inside: source ? source[1] : "", code: source ? source[2] : "",
      attributes: text(r.attributes[k]), held: held.has(k), bad: bad.has(k), users: [],
    };
  });
  for (const row of rows) for (const k of new Set(row.operands)) rows[k].users.push(row.row);
  for (const item of items) {
    const shown = item.rows.map((k) => rows[k]);
    item.bad = shown.some((row) => row.bad);
    item.value = shown.length > 0 && shown[0].value !== "" && !shown[0].type.includes("(");
  }
  for (let k = items.length - 1; k >= 0; k--) { // members come after their frames
    const item = items[k], own = item.kind === "output" ? [] : item.rows;
    item.time = own.reduce((sum, row) => sum + (rows[row].time || 0), 0);
    if (item.members && !item.rows.length) item.time = item.members.reduce((sum, m) => sum + items[m].time, 0);
  }
  const lines = l.source.map((source, k) => ({
    source, target: l.target[k], value: l.value[k],
    sourcePlace: l.places[l.sourcePlace[k]], targetPlace: l.places[l.targetPlace[k]],
  }));
  return {
    label: data.label, note: data.note, scene: { items, lines }, rows, costs: readCost(data.costs),
    first: new Set([0, ...data.items.opened]), opened: new Set([0, ...data.items.opened]),
    selected: -1, camera: null,
  };
}

function readCost([name, time, steps, bytes, parts]) {
  return { name, time, steps, bytes, parts: parts.map(readCost) };
}

function nameOf(row) {
  return `${row.scope}%${row.number}`;
}

function timeText(ns) {
  if (ns === null || ns === undefined) return "";
  for (const [unit, n] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    if (ns >= n) return `${Number((ns / n).toPrecision(3))} ${unit}`;
  }
  return `${Number(ns.toPrecision(3))} ns`;
}

function bytesText(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (n >= size) return `${Number((n / size).toPrecision(3))} ${unit}`;
  }
  return `${n} B`;
}

// The rows whose operation, name, line or type holds all words of a query; "%12" is a number.
function searchRows(program, query, most) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean), found = [];
  let n = 0;
  if (!words.length) return { found, n };
  for (const row of program.rows) {
    const item = program.scene.items[row.item];
    const name = row.kind === "step" ? "" : item.title;
    const text = `${row.title} ${name} ${row.line} ${row.code} ${row.inside} ${row.type} ${row.attributes}`.toLowerCase();
    if (!words.every((w) => (w[0] === "%" ? nameOf(row) === w : text.includes(w)))) continue;
    n += 1;
    if (found.length < most) found.push(row);
  }
  return { found, n };
}

// Elements: make("p", {class: "x"}, child, "text", ...). Text is never read as HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, x] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), x);
    else element.setAttribute(key, x);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
