// What tests drive the page by, without a hand at the mouse. "#selftest" uses the page and writes
// what happened into the element "selftest"; "#do=program:1;open-all;select:3" does what it says.
"use strict";

function obey(page, text) {
  for (const command of text.split(";").filter(Boolean)) {
    const [word, rest = ""] = command.split(/:(.*)/s);
    const actions = {
      program: () => page.showProgram(Number(rest)), view: () => page.showView(rest),
      "open-all": () => page.openAll(), "close-all": () => page.setOpened(new Set([0])),
      fit: () => page.view.fitAll(), heat: () => page.toggleHeat(), go: () => page.go(Number(rest)), toggle: () => page.toggle(Number(rest)),
      zoom: () => page.view.zoomBy(Number(rest)),
      search: () => {
        page.by("search").value = rest;
        page.search.update();
      },
    };
    actions[word]();
  }
}

// The places of everything, for comparison with those that Python computes.
function numbersOf(layout) {
  return {
    width: layout.width, height: layout.height,
    places: [...layout.places].map(([k, place]) => [k, ...place]),
    stretches: layout.stretches.map((s) => [s.lines, s.far, s.ends, s.stations]),
  };
}

function overlaps(view) {
  let n = 0;
  for (let i = 0; i < Math.min(view.boxes.length, 600); i++) {
    const [x, y, w, h] = view.boxes[i].place;
    for (let j = 0; j < i; j++) {
      const [a, b, c, d] = view.boxes[j].place;
      if (x < a + c && a < x + w && y < b + d && b < y + h) n += 1;
    }
  }
  return n;
}

// How bright the canvas is, of 255, and how many colours are on it.
function look(view) {
  view.draw();
  const { canvas } = view, { data } = view.context.getImageData(0, 0, canvas.width, canvas.height);
  const paper = view.dark ? [15, 19, 24] : [255, 255, 255], colours = new Set();
  let total = 0;
  for (let k = 0; k < data.length; k += 4) {
    const share = data[k + 3] / 255;
    const [red, green, blue] = [0, 1, 2].map((c) => Math.round(data[k + c] * share + paper[c] * (1 - share)));
    total += (red + green + blue) / 3;
    colours.add(red * 65536 + green * 256 + blue);
  }
  return { brightness: 4 * total / data.length, colours: colours.size };
}

// What a hand would do, as events.
function useMouseAndKeys(page) {
  const { view } = page, { canvas } = view, box = canvas.getBoundingClientRect(), found = {};
  const pointer = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, clientX: box.left + x, clientY: box.top + y, bubbles: true,
  }));
  const key = (name, target = document.body) => target.dispatchEvent(
    new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }),
  );
  page.showProgram(0);
  const item = page.program.scene.items.find((i) => i.number && !i.members);
  if (!item) return found;
  page.go(page.program.rows.find((row) => row.item === item.number).row);
  page.select(-1);
  const x = canvas.clientWidth / 2, y = canvas.clientHeight / 2, camera = { ...view.camera };
  pointer("pointermove", x, y);
  found.hint = canvas.title.split("\n")[0] === item.title;
  pointer("pointerdown", x, y);
  pointer("pointerup", x, y);
  found.clicked = page.program.selected === item.number;
  pointer("pointerdown", x, y);
  pointer("pointermove", x + 30, y + 40);
  pointer("pointerup", x + 30, y + 40);
  found.dragged = [(camera.x - view.camera.x) * camera.zoom, (camera.y - view.camera.y) * camera.zoom];
  const point = view.toScene(100, 100);
  canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -200, clientX: box.left + 100, clientY: box.top + 100 }));
  found.wheel = view.camera.zoom / camera.zoom;
  found.fixed = view.toScene(100, 100).map((at, k) => at - point[k]);
  key("-");
  found.smaller = view.camera.zoom / camera.zoom < found.wheel;
  key("/");
  found.searching = document.activeElement === page.by("search");
  page.by("search").value = item.title;
  page.search.update();
  found.listed = page.by("found").children.length;
  key("Enter", page.by("search"));
  found.entered = page.program.selected >= 0;
  key("Escape", page.by("search"));
  found.cleared = page.by("search").value === "" && page.by("found").hidden;
  key("Escape");
  found.none = page.program.selected === -1;
  key("h");
  found.heat = view.heat;
  key("h");
  page.by("close-all").click();
  found.closed = page.program.opened.size === 1;
  page.by("reset").click();
  found.reset = page.program.opened.size === page.program.first.size;
  page.by("programs").lastChild.click();
  found.last = page.current === page.programs.length - 1;
  page.showProgram(0);
  return found;
}

function selftest(page) {
  const clock = performance.now();
  const results = { error: null, programs: [] };
  try {
    page.programs.forEach((program, k) => {
      page.showProgram(k);
      const { scene, rows } = program, found = { label: program.label, rows: rows.length, items: scene.items.length };
      const frames = scene.items.filter((item) => item.members && item.number).map((item) => item.number);
      found.shown = page.view.boxes.length;
      found.first = numbersOf(page.view.layout);
      Object.assign(found, look(page.view));
      const start = performance.now();
      page.openAll();
      const arranged = performance.now();
      page.view.fitAll();
      page.view.draw();
      found.milliseconds = [arranged - start, performance.now() - arranged];
      found.opened = page.view.boxes.length;
      found.overlaps = overlaps(page.view);
      page.setOpened(new Set([0]));
      found.closed = page.view.boxes.length;
      if (frames.length) {
        page.toggle(frames[0]);
        found.toggled = page.view.boxes.length - found.closed;
        page.toggle(frames[0]);
        found.toggledBack = page.view.boxes.length - found.closed;
      }
      const step = rows.find((row) => row.kind === "step");
      if (step) {
        page.go(step.row);
        found.selected = page.program.selected === step.item;
        found.details = page.by("details").textContent;
        found.centred = page.view.at(page.view.canvas.clientWidth / 2, page.view.canvas.clientHeight / 2)?.item.number === step.item;
        found.found = searchRows(program, step.title, 5).n;
        found.byNumber = searchRows(program, nameOf(step), 5).n;
        page.view.draw();
        found.painted = page.view.painted;
        page.view.camera.x -= 1e6; // nothing is there
        page.view.click(2, 2);
        found.cleared = page.program.selected;
      }
      page.toggleHeat();
      found.heat = [page.by("legend").textContent, page.view.hottest];
      page.toggleHeat();
      page.showView("values");
      found.tableRows = page.by("values").querySelectorAll(".row").length;
      found.tableText = page.by("values").querySelector(".row")?.textContent ?? "";
      page.showView("time");
      found.bars = page.by("flame").children.length;
      page.showView("graph");
      results.programs.push(found);
    });
    results.events = useMouseAndKeys(page);
    const before = page.view.camera.zoom;
    page.view.zoomBy(2);
    results.zoomed = page.view.camera.zoom / before;
    results.injected = window.injected === undefined ? "no" : "yes";
    results.elements = document.querySelectorAll("script").length;
    results.milliseconds = performance.now() - clock;
  } catch (error) {
    results.error = `${error}\n${error.stack}`;
  }
  page.by("selftest").textContent = JSON.stringify(results);
}
