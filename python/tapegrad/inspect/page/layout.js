// Places of all that is shown of a scene: layout.py in JavaScript. A test holds both to the same
// numbers, so change them together.
"use strict";

// scene: {items: [{number, parent, members, width, height}], lines: [{source, sourcePlace, target,
// targetPlace, value}]}; opened: Set of frames. Gives {places: Map, stretches, width, height}.
function layOut(scene, opened) {
  const drafts = draftsOf(scene, opened);
  const numbers = [...drafts.keys()].sort((a, b) => a - b);
  for (const number of numbers.slice().reverse()) arrangeFrame(scene, drafts, number);
  return collect(scene, drafts, numbers);
}

function newDraft(members) {
  return { members, entries: new Map(), exits: new Map(), arcs: new Map(), level: null };
}

function draftsOf(scene, opened) {
  const items = scene.items, shown = [0], depth = [0];
  const drafts = new Map([[0, newDraft(items[0].members)]]);
  for (const item of items) {
    const k = item.number;
    if (k === 0) continue;
    depth[k] = depth[item.parent] + 1;
    if (!drafts.has(item.parent)) {
      shown[k] = shown[item.parent];
      continue;
    }
    shown[k] = k;
    if (item.members && opened.has(k)) drafts.set(k, newDraft(item.members));
  }
  const add = (map, bundle) => { if (!map.has(bundle)) map.set(bundle, map.size); };
  scene.lines.forEach((line, number) => {
    const u = shown[line.source], v = shown[line.target];
    if (u === v) return;
    const bundle = u === line.source ? line.value : -1 - u;
    const fromU = [], toV = [];
    let a = u, b = v;
    while (items[a].parent !== items[b].parent) {
      if (depth[a] >= depth[b]) {
        a = items[a].parent;
        fromU.push(a);
      } else {
        b = items[b].parent;
        toV.push(b);
      }
    }
    let out = ["place", u === line.source ? line.sourcePlace : 0.5], node = u;
    const into = ["place", v === line.target ? line.targetPlace : 0.5], point = ["place", 0];
    for (const frame of fromU) {
      const draft = drafts.get(frame);
      add(draft.exits, bundle);
      connect(draft, ["member", node], out, ["exit", bundle], point, number);
      [node, out] = [frame, ["bundle", bundle]];
    }
    const last = toV.length ? ["bundle", bundle] : into;
    connect(drafts.get(items[a].parent), ["member", node], out, ["member", b], last, number);
    for (let k = toV.length - 1; k >= 0; k--) {
      const draft = drafts.get(toV[k]);
      add(draft.entries, bundle);
      const inner = k > 0 ? toV[k - 1] : v, port = k > 0 ? ["bundle", bundle] : into;
      connect(draft, ["entry", bundle], point, ["member", inner], port, number);
    }
  });
  return drafts;
}

function connect(draft, u, out, v, into, line) {
  const key = `${u} ${out} ${v} ${into}`;
  const found = draft.arcs.get(key);
  if (found) found.lines.push(line);
  else draft.arcs.set(key, { u, out, v, into, lines: [line] });
}

function arrangeFrame(scene, drafts, number) {
  const draft = drafts.get(number), item = scene.items[number];
  const index = new Map(), widths = [], heights = [];
  const node = (key, width, height) => {
    index.set(key, widths.length);
    widths.push(width);
    heights.push(height);
  };
  for (const bundle of draft.entries.keys()) node(`entry,${bundle}`, 0, 0);
  for (const m of draft.members) {
    const inner = drafts.has(m) ? drafts.get(m).level : scene.items[m];
    node(`member,${m}`, inner.width, inner.height);
  }
  for (const bundle of draft.exits.keys()) node(`exit,${bundle}`, 0, 0);
  const distance = (key, port, below) => {
    if (port[0] === "place") return widths[index.get(`${key}`)] * port[1];
    const inner = drafts.get(key[1]);
    let place = (below ? inner.exits : inner.entries).get(port[1]);
    if (below) place += inner.level.left.length - inner.exits.size;
    return inner.level.left[place];
  };
  const arcs = [...draft.arcs.values()].map(({ u, out, v, into }) => ({
    u: index.get(`${u}`), du: distance(u, out, true),
    v: index.get(`${v}`), dv: distance(v, into, false),
  }));
  draft.level = {
    widths, heights, arcs, nEntries: draft.entries.size, nExits: draft.exits.size,
    header: number ? HEADER : 0, leastWidth: number ? Math.max(item.width, 90) : 0,
  };
  arrange(draft.level);
}

function collect(scene, drafts, numbers) {
  const root = drafts.get(0).level, places = new Map([[0, [0, 0, root.width, root.height]]]);
  const stretches = [];
  for (const number of numbers) {
    const draft = drafts.get(number), level = draft.level, [x, y] = places.get(number);
    draft.members.forEach((m, i) => {
      const k = i + draft.entries.size;
      places.set(m, [x + level.left[k], y + level.top[k], level.widths[k], level.heights[k]]);
    });
    let k = 0;
    for (const { v, into, lines } of draft.arcs.values()) {
      const arc = level.arcs[k++];
      stretches.push({
        lines, far: arc.far, ends: v[0] === "member" && into[0] === "place",
        stations: arc.stations.map(([px, y0, y1]) => [x + px, y + y0, y + y1]),
      });
    }
  }
  return { places, stretches, width: root.width, height: root.height };
}
