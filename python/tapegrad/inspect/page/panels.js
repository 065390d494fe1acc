// What stands around the graph: details of what is selected, the search, the table of values.
"use strict";

const KIND_WORDS = {
  input: "input", captured: "read from outside the function", constant: "constant", step: "operation",
  kernel: "fused kernel", output: "result", line: "source line", function: "function",
  repeat: "equal steps, again and again", block: "part of a longer sequence", inputs: "inputs",
  outputs: "results", body: "what is applied, as often as it says", root: "function",
};
const MOST_FOUND = 60, MOST_LINKS = 24, ROW_HEIGHT = 26;

// The panel at the side. `go` shows a row in the graph, `show` an item.
function showDetails(panel, program, go, show) {
  const item = program.scene.items[program.selected];
  if (!item) return panel.replaceChildren(...overview(program));
  const parts = [
    make("h2", {}, item.title), make("p", { class: "kind" }, KIND_WORDS[item.kind] || item.kind),
  ];
  if (item.members) parts.push(...aboutGroup(program, item));
  if (item.guarded) {
    parts.push(make("p", { class: "bad" }, "Plain code took a branch by this value: the recording is the function's only where it is the same."));
  }
  for (const k of item.rows) parts.push(...aboutRow(program, program.rows[k], item, go));
  parts.push(...around(program, item, show));
  panel.replaceChildren(...parts);
}

// The frames that an item stands in, the innermost first.
function around(program, item, show) {
  const found = [];
  for (let k = item.parent; k > 0; k = program.scene.items[k].parent) {
    const frame = program.scene.items[k];
    found.push(make("li", { title: frame.title }, make("a", { onclick: () => show(k), role: "button", tabindex: "0" }, frame.title)));
  }
  return found.length ? [make("h3", {}, "Stands in"), make("ul", {}, ...found)] : [];
}

function overview(program) {
  const n = program.rows.filter((row) => row.kind === "step" && row.output === 0 && !row.scope).length;
  return [
    make("h2", {}, program.label),
    make("p", {}, `${n.toLocaleString("en")} steps, ${timeText(program.costs.time)}, ${bytesText(program.costs.bytes)} of results`),
    make("h3", {}, "How to look around"),
    make("p", {}, "Drag to move, wheel or + and − to zoom, 0 to see all of it. A click on a box selects it: lines into it turn blue, out of it orange. A click on a group (a double edge), or on the title of an open one, opens and closes it. / searches, Escape clears."),
    make("h3", {}, "What is shown"),
    make("p", {}, "Values flow downwards. Below an operation stand its value and the derivative of the result by it (numbers), or its type (arrays). Constants stand inside what reads them."),
  ];
}

function aboutGroup(program, item) {
  const inside = [];
  const visit = (k) => {
    const found = program.scene.items[k];
    inside.push(...found.rows.map((r) => program.rows[r]));
    if (found.members && found.kind !== "body") found.members.forEach(visit);
    if (found.members && k === item.number && found.kind === "body") found.members.forEach(visit);
  };
  visit(item.number);
  const ops = new Map();
  for (const row of inside) {
    if (row.kind === "step" && row.output === 0) ops.set(row.title, (ops.get(row.title) || 0) + 1);
  }
  const counts = [...ops].sort((a, b) => b[1] - a[1]).slice(0, 8);
  const parts = [make("p", {}, `${item.boxes.toLocaleString("en")} boxes${item.time ? `, ${timeText(item.time)}${share(program, item.time)}` : ""}`)];
  if (counts.length) {
    parts.push(make("h3", {}, "Operations inside"));
    parts.push(make("p", { class: "mono" }, counts.map(([op, n]) => (n > 1 ? `${n} × ${op}` : op)).join(", ")));
  }
  const coded = inside.find((row) => row.code);
  if (coded && item.kind === "line") parts.push(make("h3", {}, "Source"), make("p", { class: "mono" }, coded.path), make("pre", {}, coded.code));
  return parts;
}

function aboutRow(program, row, item, go) {
  const parts = [];
  const cell = (word, text, style) => make("div", { class: row.bad && text ? `${style} bad` : style }, make("small", {}, word), text || "–");
  const name = `${nameOf(row)}${row.output ? ` (result ${row.output})` : ""}`;
  parts.push(make("h3", {}, "Value"), make("p", { class: "mono" }, `${name}  ${row.type}`));
  if (row.value || row.adjoint) {
    parts.push(make("div", { class: "pair" }, cell("value", row.value, "value"), cell("derivative", row.adjoint, "adjoint")));
  }
  if (row.scope) parts.push(make("p", { class: "kind" }, "Inside of a body: it has another value at each pass, which is not kept."));
  if (row.held) parts.push(make("p", { class: "kind" }, "Lets no derivative through."));
  if (row.attributes) parts.push(make("h3", {}, "Attributes"), make("p", { class: "mono" }, row.attributes));
  if (row.time !== null) parts.push(make("h3", {}, "Time"), make("p", {}, `${timeText(row.time)}${share(program, row.time)}`));
  if (row.path) {
    parts.push(make("h3", {}, "Source"), make("p", { class: "mono" }, `${row.path}${row.inside ? ` in ${row.inside}()` : ""}`));
    if (row.code) parts.push(make("pre", {}, row.code));
  }
  if (item.kind === "output") parts.push(...links("Made by", [row.row], program, go));
  else parts.push(...links("Operands", row.operands, program, go), ...links("Read by", row.users, program, go));
  return parts;
}

function share(program, time) {
  const all = program.costs.time;
  return all > 0 ? `, ${(100 * time / all).toFixed(1)} % of all` : "";
}

function links(title, numbers, program, go) {
  if (!numbers.length) return [];
  const entries = numbers.slice(0, MOST_LINKS).map((k) => {
    const row = program.rows[k], text = `${nameOf(row)} ${row.title}`;
    const tail = row.value && row.kind !== "constant" ? ` = ${row.value}` : "";
    if (row.kind === "constant") return make("li", { title: row.value }, `constant ${row.title}`);
    return make("li", { title: text + tail }, make("a", { onclick: () => go(k), role: "button", tabindex: "0" }, text), tail);
  });
  if (numbers.length > MOST_LINKS) entries.push(make("li", {}, `and ${numbers.length - MOST_LINKS} more`));
  return [make("h3", {}, title), make("ul", {}, ...entries)];
}

// The search: shows what is found while one types; Enter and the arrows go through it.
class Search {
  constructor(input, list, state) {
    Object.assign(this, { input, list, state, current: -1, rows: [] });
    input.addEventListener("input", () => this.update());
    input.addEventListener("focus", () => this.update());
    input.addEventListener("blur", () => setTimeout(() => { list.hidden = true; }, 150));
    input.addEventListener("keydown", (e) => {
      if (e.key === "ArrowDown" || (e.key === "Enter" && !e.shiftKey)) this.step(1);
      else if (e.key === "ArrowUp" || e.key === "Enter") this.step(-1);
      else if (e.key === "Escape") {
        input.value = "";
        this.update();
        input.blur();
      } else return;
      e.preventDefault();
      e.stopPropagation();
    });
  }

  update() {
    const { found, n } = searchRows(this.state.program(), this.input.value, MOST_FOUND);
    this.rows = found;
    this.current = -1;
    const entries = found.map((row) => make(
      "li", { onmousedown: (e) => { e.preventDefault(); this.state.go(row.row); } },
      `${nameOf(row)} ${row.kind === "step" ? row.title : this.state.program().scene.items[row.item].title || row.title} `,
      make("span", {}, `${row.value || row.type}  ${row.line}`),
    ));
    if (n > found.length) entries.push(make("li", { class: "more" }, `${n - found.length} more; say more to find less`));
    if (!n && this.input.value.trim()) entries.push(make("li", { class: "more" }, "Nothing is called so."));
    this.list.replaceChildren(...entries);
    this.list.hidden = entries.length === 0;
  }

  step(by) {
    if (!this.rows.length) return;
    this.current = (this.current + by + this.rows.length) % this.rows.length;
    [...this.list.children].forEach((e, k) => e.classList.toggle("current", k === this.current));
    this.list.children[this.current].scrollIntoView({ block: "nearest" });
    this.state.go(this.rows[this.current].row);
  }
}

// The table of values: only the rows in sight are elements.
class Table {
  constructor(section, state) {
    Object.assign(this, { section, state });
    const words = ["Number", "Operation", "Operands", "Type", "Value", "Derivative", "Time", "Line"];
    this.head = make("div", { class: "head" }, ...words.map((w, k) => make("span", k === 6 ? { class: "right" } : {}, w)));
    this.body = make("div", { class: "body" });
    section.append(this.head, this.body);
    section.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(section);
  }

  show(program) {
    this.program = program;
    this.body.style.height = `${program.rows.length * ROW_HEIGHT}px`;
    this.draw();
  }

  reveal(k) {
    const top = k * ROW_HEIGHT, height = this.section.clientHeight - ROW_HEIGHT;
    if (top < this.section.scrollTop || top > this.section.scrollTop + height - ROW_HEIGHT) {
      this.section.scrollTop = Math.max(0, top - height / 2);
    }
  }

  draw() {
    if (!this.program || this.section.hidden) return;
    const first = Math.max(0, Math.floor(this.section.scrollTop / ROW_HEIGHT) - 4);
    const n = Math.ceil(this.section.clientHeight / ROW_HEIGHT) + 8, rows = this.program.rows;
    this.body.replaceChildren(...rows.slice(first, first + n).map((row) => this.line(row)));
  }

  line(row) {
    const items = this.program.scene.items, item = items[row.item];
    const chosen = items[this.program.selected];
    const title = row.kind === "step" || row.kind === "constant" ? row.title : item.title;
    const operands = row.operands.map((k) => `%${this.program.rows[k].number}`).join(" ");
    const current = chosen && chosen.rows.includes(row.row) ? " current" : "";
    const cell = (text, style = "") => make("span", { class: style, title: text }, text);
    return make(
      "div", { class: `row${current}`, style: `top:${row.row * ROW_HEIGHT}px`, onclick: () => this.state.go(row.row) },
      cell(nameOf(row), "faint"), cell(row.kind === "constant" ? `constant` : title), cell(operands, "faint"), cell(row.type, "faint"),
      cell(row.kind === "constant" ? row.title : row.value, row.bad ? "bad" : "value"),
      cell(row.adjoint, row.bad ? "bad" : "adjoint"), cell(timeText(row.time), "right faint"), cell(row.line, "faint"),
    );
  }
}

function showLegend(box, program, view) {
  if (view.heat) {
    const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => make("i", { class: "heat", style: `background:${view.heatColour(share)}` }));
    return box.replaceChildren("time: none", ...steps, `the most, ${timeText(view.hottest)}`);
  }
  const words = { input: "input", step: "operation", kernel: "fused kernel", output: "result", body: "loop or call", group: "line, function, block" };
  const kinds = new Set(program.scene.items.slice(1).map((item) => (
    item.kind === "repeat" ? "body" : item.kind === "captured" ? "input" : view.colours[item.kind] ? item.kind : "group"
  )));
  const entries = Object.entries(words).filter(([kind]) => kinds.has(kind)).map(([kind, word]) => {
    const [fill, line] = view.colourOf({ kind });
    return make("span", {}, make("i", { style: `background:${fill};border-color:${line}` }), word);
  });
  if (program.scene.items.some((item) => item.guarded)) entries.push(make("span", {}, make("i", { class: "guard" }), "branch taken"));
  if (program.rows.some((row) => row.adjoint)) {
    entries.push(make("b", { class: "value" }, "value"), make("b", { class: "adjoint" }, "derivative"));
  }
  return box.replaceChildren(...entries);
}
