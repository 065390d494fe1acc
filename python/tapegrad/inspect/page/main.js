// The page: programs and views, and what buttons and keys do.
"use strict";

const MOST_OPEN = 4000; // boxes that "Open all" shows; beyond, it opens the outer groups

class Page {
  constructor(data) {
    this.programs = data.programs.map(readProgram);
    this.current = 0;
    this.viewName = "graph";
    const by = (id) => document.getElementById(id);
    this.by = by;
    by("name").textContent = data.name;
    by("name").title = data.name;
    const state = { program: () => this.program, go: (row) => this.go(row) };
    this.view = new View(by("canvas"), data.colours, {
      select: (item) => this.select(item),
      toggle: (item) => this.toggle(item),
    });
    this.table = new Table(by("values"), state);
    this.search = new Search(by("search"), by("found"), state);
    this.programs.forEach((program, k) => by("programs").append(
      make("button", { role: "tab", onclick: () => this.showProgram(k) }, program.label),
    ));
    for (const button of by("views").children) {
      button.addEventListener("click", () => this.showView(button.dataset.view));
    }
    by("open-all").addEventListener("click", () => this.openAll());
    by("close-all").addEventListener("click", () => this.setOpened(new Set([0])));
    by("reset").addEventListener("click", () => this.setOpened(new Set(this.program.first)));
    by("zoom-in").addEventListener("click", () => this.view.zoomBy(1.3));
    by("zoom-out").addEventListener("click", () => this.view.zoomBy(1 / 1.3));
    by("fit").addEventListener("click", () => this.view.fitAll());
    by("heat").addEventListener("click", () => this.toggleHeat());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.legend());
    document.addEventListener("keydown", (e) => this.key(e));
    this.showView(data.start);
    this.showProgram(0);
  }

  get program() {
    return this.programs[this.current];
  }

  showProgram(k) {
    this.current = k;
    mark(this.by("programs"), (_, i) => i === k);
    this.by("note").textContent = this.program.note;
    this.view.show(this.program);
    this.legend();
    this.refresh();
  }

  showView(name) {
    this.viewName = name;
    mark(this.by("views"), (button) => button.dataset.view === name);
    for (const id of ["graph", "values", "time"]) this.by(id).hidden = id !== name;
    this.by("details").hidden = name === "time";
    this.view.resize();
    if (this.view.program) this.refresh();
  }

  // Everything that shows the program or what is selected, except for the graph.
  refresh() {
    showDetails(this.by("details"), this.program, (row) => this.go(row), (item) => {
      this.select(item);
      this.view.centre(item);
    });
    if (this.viewName === "values") this.table.show(this.program);
    if (this.viewName === "time") showCosts(this.by("time"), this.program);
    if (this.view.heat) this.legend();
    const n = this.program.scene.items.length - this.program.scene.items.filter((i) => i.members).length;
    const shown = this.view.boxes.length;
    this.by("status").textContent = `${shown.toLocaleString("en")} boxes shown of ${n.toLocaleString("en")}`;
  }

  legend() {
    showLegend(this.by("legend"), this.program, this.view);
  }

  toggleHeat() {
    this.view.heat = !this.view.heat;
    this.by("heat").setAttribute("aria-pressed", String(this.view.heat));
    this.view.redraw();
    this.legend();
  }

  select(item) {
    this.view.select(item);
    this.refresh();
  }

  toggle(item) {
    const opened = this.program.opened;
    if (!opened.delete(item)) opened.add(item);
    this.program.selected = item;
    this.view.show(this.program, item);
    this.refresh();
  }

  setOpened(opened) {
    this.program.opened = opened;
    this.program.camera = null;
    this.view.show(this.program);
    this.refresh();
  }

  // Opens from the outside inwards, as far as a picture can be looked at.
  openAll() {
    const items = this.program.scene.items, opened = new Set([0]);
    let shown = items[0].members.length;
    let waiting = items[0].members;
    while (waiting.length) {
      const following = [];
      for (const k of waiting) {
        const inner = items[k].members;
        if (!inner || shown + inner.length - 1 > MOST_OPEN) continue;
        shown += inner.length - 1;
        opened.add(k);
        following.push(...inner);
      }
      waiting = following;
    }
    this.setOpened(opened);
  }

  // Shows a row: opens what it stands in, selects it and brings it into sight.
  go(row) {
    const items = this.program.scene.items, item = this.program.rows[row].item;
    let added = false;
    for (let k = items[item].parent; k > 0; k = items[k].parent) {
      added = added || !this.program.opened.has(k);
      this.program.opened.add(k);
    }
    if (added) this.view.show(this.program);
    this.view.select(item === 0 ? -1 : item);
    if (item > 0) this.view.centre(item);
    this.table.show(this.program);
    if (this.viewName === "values") this.table.reveal(row);
    this.refresh();
  }

  key(e) {
    if (e.target.tagName === "INPUT" || e.ctrlKey || e.metaKey || e.altKey) return;
    const far = 80 / this.view.camera.zoom;
    const move = (dx, dy) => {
      this.view.camera.x += dx;
      this.view.camera.y += dy;
      this.view.redraw();
    };
    const keys = {
      "/": () => this.by("search").focus(), "+": () => this.view.zoomBy(1.3), "=": () => this.view.zoomBy(1.3),
      "-": () => this.view.zoomBy(1 / 1.3), 0: () => this.view.fitAll(), Escape: () => this.select(-1), h: () => this.toggleHeat(),
      ArrowLeft: () => move(-far, 0), ArrowRight: () => move(far, 0),
      ArrowUp: () => move(0, -far), ArrowDown: () => move(0, far),
    };
    const known = keys[e.key];
    if (!known || (e.key.startsWith("Arrow") && this.viewName !== "graph")) return;
    e.preventDefault();
    known();
  }
}

function mark(tabs, chosen) {
  [...tabs.children].forEach((button, k) => button.setAttribute("aria-selected", String(chosen(button, k))));
}

const page = new Page(JSON.parse(document.getElementById("data").textContent));
if (location.hash.startsWith("#do=")) obey(page, decodeURIComponent(location.hash.slice(4)));
if (location.hash === "#selftest") selftest(page);
