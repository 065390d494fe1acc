// Where time goes: a flame graph (each bar is as wide as its time; below it stand its parts) and
// tables of lines and operations.
"use strict";

const FLAME_ROW = 23, LEAST_WIDTH = 1.5, MOST_LISTED = 40;

function showCosts(section, program, root = program.costs) {
  const flame = make("div", { id: "flame" });
  const total = program.costs.time;
  const intro = total > 0
    ? `${timeText(total)} in ${program.costs.steps.toLocaleString("en")} steps; results take ${bytesText(program.costs.bytes)}. Each step was run by itself. Click a bar to look closer, the first to come back.`
    : "No times were measured.";
  const parts = [make("p", {}, intro), flame];
  const lines = new Map(), ops = new Map();
  gather(program.costs, "", lines, ops);
  if (lines.size) parts.push(make("h2", {}, "By source line"), costTable(lines, total));
  parts.push(make("h2", {}, "By operation or kernel"), costTable(ops, total));
  section.replaceChildren(...parts);
  const zoom = (part) => {
    const width = flame.clientWidth || section.clientWidth - 32 || 900, bars = [];
    const back = part === program.costs ? program.costs : null;
    let deepest = 0;
    const add = (cost, left, size, depth) => {
      if (size < LEAST_WIDTH) return;
      deepest = Math.max(deepest, depth);
      const text = `${cost.name}  ${timeText(cost.time)}`;
      bars.push(make("div", {
        title: `${text}, ${(100 * cost.time / total).toFixed(1)} %, ${cost.steps} steps, ${bytesText(cost.bytes)}`,
        style: `left:${left.toFixed(1)}px;width:${Math.max(size - 1, 1).toFixed(1)}px;top:${depth * FLAME_ROW}px;background:${warm(cost.name)}`,
        onclick: () => zoom(depth === 0 ? program.costs : cost),
      }, size > 30 ? text : ""));
      let x = left;
      for (const inner of cost.parts) {
        const inside = cost.time > 0 ? size * inner.time / cost.time : 0;
        add(inner, x, inside, depth + 1);
        x += inside;
      }
    };
    add(part, 0, width, 0);
    flame.style.height = `${(deepest + 1) * FLAME_ROW}px`;
    flame.dataset.root = back ? "" : part.name;
    flame.replaceChildren(...bars);
  };
  if (total > 0) zoom(root);
}

// A colour of a name: the same name has the same one everywhere.
function warm(name) {
  let hash = 7;
  for (const c of name) hash = (hash * 31 + c.charCodeAt(0)) % 1009;
  return `hsl(${24 + (hash % 22)} ${62 + (hash % 17)}% ${66 + (hash % 11)}%)`;
}

// Leaves are operations; what holds them is the line, where it is known.
function gather(cost, around, lines, ops) {
  for (const part of cost.parts) {
    if (part.parts.length) gather(part, part.name, lines, ops);
    else {
      addCost(ops, part.name, part);
      if (around) addCost(lines, around, part);
    }
  }
}

function addCost(into, name, part) {
  const found = into.get(name) || { time: 0, steps: 0, bytes: 0 };
  into.set(name, { time: found.time + part.time, steps: found.steps + part.steps, bytes: found.bytes + part.bytes });
}

function costTable(costs, total) {
  const rows = [...costs].sort((a, b) => b[1].time - a[1].time).slice(0, MOST_LISTED);
  const head = make("tr", {}, ...["", "Time", "Share", "Steps", "Results", ""].map((w, k) => (
    make("th", k > 0 && k < 5 ? { class: "right" } : {}, w)
  )));
  return make("table", {}, head, ...rows.map(([name, { time, steps, bytes }]) => make(
    "tr", {}, make("td", {}, name), make("td", { class: "right" }, timeText(time)),
    make("td", { class: "right" }, total > 0 ? `${(100 * time / total).toFixed(1)} %` : ""),
    make("td", { class: "right" }, steps.toLocaleString("en")), make("td", { class: "right" }, bytesText(bytes)),
    make("td", { class: "bar" }, make("i", { style: `width:${total > 0 ? (100 * time / total).toFixed(1) : 0}%` })),
  )));
}
