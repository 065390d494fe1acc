// The graph on a canvas: what is in sight is drawn, moved, zoomed and clicked.
"use strict";

class View {
  constructor(canvas, colours, on) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.colours = colours;
    this.on = on; // {select(item), toggle(item)}
    this.camera = { x: 0, y: 0, zoom: 1 };
    this.program = null;
    this.waiting = false;
    this.heat = false;
    this.listen();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.readTheme(dark.matches));
    this.readTheme(dark.matches);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  readTheme(dark) {
    const style = getComputedStyle(document.documentElement);
    this.dark = dark;
    this.theme = {};
    for (const name of ["paper", "ink", "muted", "value", "adjoint", "edge", "accent", "bad", "mono"]) {
      this.theme[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this.redraw();
  }

  colourOf(item) {
    if (this.heat && item.time !== undefined) {
      const [, line] = this.dark ? ["", "#5d6773"] : ["", "#a3adb8"], open = this.program.opened.has(item.number);
      return [open ? this.theme.paper : this.heatColour(this.hottest > 0 ? item.time / this.hottest : 0), line];
    }
    const [fill, line, darkFill, darkLine] = this.colours[item.kind] || this.colours.group;
    return this.dark ? [darkFill, darkLine] : [fill, line];
  }

  // From the paper's colour to red, for a share of the longest time that is shown.
  heatColour(share) {
    const s = Math.sqrt(share);
    return this.dark
      ? `hsl(${38 - 30 * s} ${30 + 45 * s}% ${11 + 25 * s}%)`
      : `hsl(${45 - 33 * s} ${70 + 20 * s}% ${98 - 34 * s}%)`;
  }

  resize() {
    const ratio = window.devicePixelRatio || 1, { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.ratio = ratio;
    if (this.program && !this.program.camera) this.fit();
    this.draw();
  }

  // Shows a program; with `keep` an item stays where it is on the screen.
  show(program, keep = null) {
    const before = keep !== null && this.layout ? this.layout.places.get(keep) : null;
    this.program = program;
    this.layout = layOut(program.scene, program.opened);
    this.boxes = [];
    this.frames = [];
    for (const [k, place] of this.layout.places) {
      if (k === 0) continue;
      const item = program.scene.items[k];
      (item.members && program.opened.has(k) ? this.frames : this.boxes).push({ item, place });
    }
    for (const s of this.layout.stretches) {
      s.low = [Infinity, Infinity];
      s.high = [-Infinity, -Infinity];
      for (const [x, y0, y1] of s.stations) {
        s.low = [Math.min(s.low[0], x), Math.min(s.low[1], y0)];
        s.high = [Math.max(s.high[0], x), Math.max(s.high[1], y1)];
      }
    }
    this.hottest = this.boxes.reduce((most, { item }) => Math.max(most, item.time), 0);
    const after = keep !== null ? this.layout.places.get(keep) : null;
    if (before && after) {
      this.camera.x += after[0] + after[2] / 2 - before[0] - before[2] / 2;
      this.camera.y += after[1] - before[1];
    } else if (program.camera) this.camera = { ...program.camera };
    else this.fit();
    this.select(program.selected);
  }

  select(item) {
    this.program.selected = item;
    // Lines to and from it, by what is shown of both ends, and the boxes there.
    this.marked = new Map();
    this.beside = new Set();
    if (item >= 0) {
      const { items, lines } = this.program.scene;
      const inside = (k) => {
        while (k > 0 && k !== item) k = items[k].parent;
        return k === item;
      };
      lines.forEach((line, k) => {
        const from = inside(line.source), to = inside(line.target);
        if (from === to) return;
        this.marked.set(k, to ? "value" : "adjoint");
        this.beside.add(this.shownFor(to ? line.source : line.target));
      });
    }
    this.redraw();
  }

  // What stands for an item: itself or the closed frame around it.
  shownFor(item) {
    const places = this.layout.places, items = this.program.scene.items;
    while (item > 0 && !places.has(item)) item = items[item].parent;
    return item;
  }

  fit() {
    const w = this.canvas.clientWidth, h = this.canvas.clientHeight;
    if (!w || !h || !this.layout) return;
    const zoom = Math.min(1.25, Math.max(0.02, Math.min((w - 48) / this.layout.width, (h - 110) / this.layout.height)));
    this.camera = { x: this.layout.width / 2, y: this.layout.height / 2 + 2 / zoom, zoom };
    if (zoom < 0.45) { // too much to read at once: its beginning
      this.camera.zoom = Math.min(1, Math.max(0.45, (w - 48) / this.layout.width));
      this.camera.y = h / 2 / this.camera.zoom - 60 / this.camera.zoom;
      this.camera.x = this.middleOfTop();
    }
    this.redraw();
  }

  middleOfTop() {
    let low = Infinity, high = -Infinity;
    for (const { place } of [...this.boxes, ...this.frames]) {
      if (place[1] > 120) continue;
      low = Math.min(low, place[0]);
      high = Math.max(high, place[0] + place[2]);
    }
    const w = this.canvas.clientWidth / this.camera.zoom;
    return high - low > w ? low + w / 2 - 20 : (low + high) / 2;
  }

  fitAll() {
    const w = this.canvas.clientWidth, h = this.canvas.clientHeight;
    const zoom = Math.min(1.25, (w - 48) / this.layout.width, (h - 110) / this.layout.height);
    this.camera = { x: this.layout.width / 2, y: this.layout.height / 2 + 2 / zoom, zoom };
    this.redraw();
  }

  centre(item) {
    const place = this.layout.places.get(this.shownFor(item));
    this.camera.x = place[0] + place[2] / 2;
    this.camera.y = place[1] + Math.min(place[3], 300) / 2;
    this.camera.zoom = Math.max(this.camera.zoom, 0.8);
    this.redraw();
  }

  zoomBy(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
    const [x, y] = this.toScene(px, py), c = this.camera;
    const zoom = Math.min(4, Math.max(0.002, c.zoom * factor));
    c.x = x - (x - c.x) * c.zoom / zoom;
    c.y = y - (y - c.y) * c.zoom / zoom;
    c.zoom = zoom;
    this.redraw();
  }

  toScene(px, py) {
    const c = this.camera;
    return [
      c.x + (px - this.canvas.clientWidth / 2) / c.zoom,
      c.y + (py - this.canvas.clientHeight / 2) / c.zoom,
    ];
  }

  // The innermost box, or the header of a frame, at a point of the screen.
  at(px, py) {
    if (!this.layout) return null;
    const [x, y] = this.toScene(px, py);
    const hit = ([l, t, w, h]) => x >= l && x <= l + w && y >= t && y <= t + h;
    const box = this.boxes.find(({ place }) => hit(place));
    if (box) return { item: box.item, header: false };
    for (let k = this.frames.length - 1; k >= 0; k--) {
      const [l, t, w] = this.frames[k].place;
      if (hit([l, t, w, HEADER])) return { item: this.frames[k].item, header: true };
    }
    return null;
  }

  listen() {
    const canvas = this.canvas, pointers = new Map();
    let moved = 0, spread = 0;
    const distance = () => {
      const [a, b] = [...pointers.values()];
      return Math.hypot(a[0] - b[0], a[1] - b[1]);
    };
    canvas.addEventListener("pointerdown", (e) => {
      pointers.set(e.pointerId, [e.offsetX, e.offsetY]);
      if (e.isTrusted) canvas.setPointerCapture(e.pointerId); // events of tests have no pointer
      moved = 0;
      if (pointers.size === 2) spread = distance();
    });
    canvas.addEventListener("pointermove", (e) => {
      const last = pointers.get(e.pointerId);
      if (!last) {
        const hit = this.at(e.offsetX, e.offsetY);
        canvas.classList.toggle("over", hit !== null);
        canvas.title = hit ? [hit.item.title, hit.item.left, hit.item.right].filter(Boolean).join("\n") : "";
        return;
      }
      pointers.set(e.pointerId, [e.offsetX, e.offsetY]);
      const dx = e.offsetX - last[0], dy = e.offsetY - last[1];
      moved += Math.abs(dx) + Math.abs(dy);
      if (pointers.size === 2) {
        this.zoomBy(distance() / spread, e.offsetX, e.offsetY);
        spread = distance();
      } else if (moved > 3) {
        canvas.classList.add("moving");
        this.camera.x -= dx / this.camera.zoom;
        this.camera.y -= dy / this.camera.zoom;
        this.redraw();
      }
    });
    const end = (e) => {
      if (!pointers.delete(e.pointerId)) return;
      canvas.classList.remove("moving");
      if (e.type === "pointerup" && moved <= 3 && pointers.size === 0) this.click(e.offsetX, e.offsetY);
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("wheel", (e) => {
      e.preventDefault();
      this.zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), e.offsetX, e.offsetY);
    }, { passive: false });
  }

  click(px, py) {
    const hit = this.at(px, py);
    if (!hit) this.on.select(-1);
    else if (hit.item.members) this.on.toggle(hit.item.number);
    else this.on.select(hit.item.number);
  }

  redraw() {
    if (this.program) this.program.camera = { ...this.camera };
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }
}
