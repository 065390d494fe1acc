// Places of boxes in layers: layers.py in JavaScript, step by step. A test holds both to the same
// numbers, so change them together; the reasons stand there.
"use strict";

const GAP_X = 18, GAP_LINE = 9, GAP_Y = 26, PAD = 14, HEADER = 24;
const ROOM = 4000, ROOM_EACH = 8;
const SWEEPS = 4, PLACINGS = 5, MOST_COUNTED = 4000;

// level: {widths, heights, nEntries, nExits, arcs: [{u, du, v, dv}], header, leastWidth}; gives it
// left, top, width, height, and each arc its stations [[x, y0, y1], ...] and whether it is far.
function arrange(level) {
  const work = {
    level, widths: level.widths.slice(), heights: level.heights.slice(), layer: layersOf(level),
    down: level.widths.map(() => []), up: level.widths.map(() => []), routes: [],
    nReal: level.widths.length,
  };
  route(work);
  let nRows = 0;
  for (const k of work.layer) nRows = Math.max(nRows, k + 1);
  work.rows = Array.from({ length: nRows }, () => []);
  work.layer.forEach((layer, v) => work.rows[layer].push(v));
  work.x = new Array(work.widths.length).fill(0);
  order(work);
  place(work);
  finish(work);
}

function layersOf(level) {
  const n = level.widths.length, base = level.nEntries ? 1 : 0;
  const layer = level.widths.map((_, v) => (v < level.nEntries ? 0 : base));
  const outgoing = level.widths.map(() => []), nIncoming = new Array(n).fill(0);
  for (const arc of level.arcs) {
    outgoing[arc.u].push(arc.v);
    nIncoming[arc.v] += 1;
  }
  for (let u = 0; u < n; u++) {
    for (const v of outgoing[u]) layer[v] = Math.max(layer[v], layer[u] + 1);
  }
  const firstExit = n - level.nExits;
  let last = 0;
  for (let v = 0; v < firstExit; v++) last = Math.max(last, layer[v] + 1);
  for (let v = firstExit; v < n; v++) layer[v] = last;
  for (let u = firstExit - 1; u >= level.nEntries; u--) {
    if (nIncoming[u] === 0 && outgoing[u].length) {
      let least = Infinity;
      for (const v of outgoing[u]) least = Math.min(least, layer[v]);
      layer[u] = Math.max(layer[u], least - 1);
    }
  }
  return layer;
}

function route(work) {
  const chains = new Map(), reach = reachOf(work.level, work.layer);
  const segment = (u, du, v, dv) => {
    work.down[u].push([du, v, dv]);
    work.up[v].push([dv, u, du]);
  };
  for (const arc of work.level.arcs) {
    const first = work.layer[arc.u], last = work.layer[arc.v];
    arc.far = last - first > reach;
    const key = `${arc.u} ${arc.du}`;
    if (!chains.has(key)) chains.set(key, []);
    const chain = chains.get(key);
    if (arc.far) {
      work.routes.push([]);
      continue;
    }
    while (chain.length < last - first - 1) {
      const point = work.widths.length;
      work.widths.push(0);
      work.heights.push(0);
      work.layer.push(first + chain.length + 1);
      work.down.push([]);
      work.up.push([]);
      if (chain.length) segment(chain[chain.length - 1], 0, point, 0);
      else segment(arc.u, arc.du - work.widths[arc.u] / 2, point, 0);
      chain.push(point);
    }
    const points = chain.slice(0, last - first - 1), dv = arc.dv - work.widths[arc.v] / 2;
    if (points.length) segment(points[points.length - 1], 0, arc.v, dv);
    else segment(arc.u, arc.du - work.widths[arc.u] / 2, arc.v, dv);
    work.routes.push(points);
  }
}

function reachOf(level, layer) {
  let room = ROOM + ROOM_EACH * level.widths.length;
  const spans = level.arcs.map((arc) => layer[arc.v] - layer[arc.u]).sort((a, b) => a - b);
  for (const span of spans) {
    room -= span - 1;
    if (room < 0) return span - 1;
  }
  return spans.length ? spans[spans.length - 1] : 0;
}

function order(work) {
  const at = new Array(work.widths.length).fill(0);
  for (const row of work.rows) row.forEach((v, k) => { at[v] = k; });
  let nSegments = 0;
  for (const found of work.down) nSegments += found.length;
  const copy = () => work.rows.map((row) => row.slice());
  let best = copy(), least = -1;
  for (let sweep = 0; sweep < SWEEPS && least !== 0; sweep++) {
    for (const downwards of [true, false]) {
      const n = work.rows.length;
      for (let k = 1; k < n; k++) {
        const row = downwards ? work.rows[k] : work.rows[n - 1 - k];
        sortRow(work, row, at, downwards ? work.up : work.down);
      }
      if (nSegments > MOST_COUNTED) continue;
      const found = crossings(work, at);
      if (least < 0 || found < least) [best, least] = [copy(), found];
    }
  }
  if (nSegments <= MOST_COUNTED) work.rows = best;
}

function sortRow(work, row, at, neighbours) {
  const key = new Map();
  for (const v of row) {
    const found = neighbours[v];
    let total = 0;
    for (const [dv, u, du] of found) {
      total += at[u] + fraction(du, work.widths[u]) - fraction(dv, work.widths[v]);
    }
    key.set(v, found.length ? total / found.length : at[v]);
  }
  row.sort((a, b) => key.get(a) - key.get(b));
  row.forEach((v, k) => { at[v] = k; });
}

function fraction(d, width) {
  return width > 0 ? 0.8 * d / width : 0;
}

function crossings(work, at) {
  let total = 0;
  for (const row of work.rows) {
    const ends = [];
    for (const u of row) {
      for (const [du, v, dv] of work.down[u]) {
        ends.push([at[u] + fraction(du, work.widths[u]), at[v] + fraction(dv, work.widths[v])]);
      }
    }
    ends.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    total += inversions(ends.map((end) => end[1]));
  }
  return total;
}

function inversions(ends) {
  const rank = new Map();
  for (const x of [...new Set(ends)].sort((a, b) => a - b)) rank.set(x, rank.size + 1);
  const tree = new Array(rank.size + 1).fill(0);
  let total = 0;
  ends.forEach((x, seen) => {
    let below = 0;
    for (let k = rank.get(x); k > 0; k -= k & -k) below += tree[k];
    total += seen - below;
    for (let k = rank.get(x); k < tree.length; k += k & -k) tree[k] += 1;
  });
  return total;
}

function place(work) {
  const rows = work.rows, n = rows.length;
  for (const row of rows) {
    const offsets = offsetsOf(work, row);
    const middle = offsets.length ? offsets[offsets.length - 1] / 2 : 0;
    row.forEach((v, k) => { work.x[v] = offsets[k] - middle; });
  }
  for (let k = 0; k < PLACINGS; k++) {
    for (let r = 1; r < n; r++) placeRow(work, rows[r], [work.up]);
    for (let r = n - 2; r >= 0; r--) placeRow(work, rows[r], [work.down]);
  }
  for (const row of rows) placeRow(work, row, [work.up, work.down]);
}

function offsetsOf(work, row) {
  let offset = 0;
  return row.map((v, k) => {
    if (k > 0) {
      const u = row[k - 1], line = work.widths[u] === 0 || work.widths[v] === 0;
      offset += (work.widths[u] + work.widths[v]) / 2 + (line ? GAP_LINE : GAP_X);
    }
    return offset;
  });
}

function placeRow(work, row, sides) {
  const offsets = offsetsOf(work, row), starts = [], sums = [], weights = [];
  row.forEach((v, k) => {
    let total = 0, n = 0;
    for (const side of sides) {
      for (const [dv, u, du] of side[v]) {
        total += work.x[u] + du - dv;
        n += 1;
      }
    }
    const wanted = n ? total / n : work.x[v];
    const weight = n ? (v >= work.nReal ? 4 : 1) * n : 0.05;
    starts.push(k);
    sums.push((wanted - offsets[k]) * weight);
    weights.push(weight);
    for (let b = sums.length - 1; b > 0; b--) {
      if (sums[b - 1] / weights[b - 1] < sums[b] / weights[b]) break;
      starts.pop();
      sums[b - 1] += sums.pop();
      weights[b - 1] += weights.pop();
    }
  });
  starts.push(row.length);
  sums.forEach((total, b) => {
    for (let k = starts[b]; k < starts[b + 1]; k++) work.x[row[k]] = total / weights[b] + offsets[k];
  });
}

function finish(work) {
  const level = work.level, n = work.nReal, x = work.x;
  let low = Infinity, high = -Infinity;
  for (let v = 0; v < x.length; v++) {
    low = Math.min(low, x[v] - work.widths[v] / 2);
    high = Math.max(high, x[v] + work.widths[v] / 2);
  }
  if (!x.length) low = high = 0;
  level.width = Math.max(high - low + 2 * PAD, level.leastWidth);
  const shift = (level.width - (high - low)) / 2 - low, tops = [], bottoms = [];
  let y = level.nEntries ? 0 : level.header + PAD;
  work.rows.forEach((row, k) => {
    let height = 0, widest = 0;
    if (k === 0 && level.nEntries) height = level.header;
    else for (const v of row) height = Math.max(height, work.heights[v]);
    tops.push(y);
    bottoms.push(y + height);
    for (const u of row) {
      for (const [du, v, dv] of work.down[u]) widest = Math.max(widest, Math.abs(x[v] + dv - x[u] - du));
    }
    y += height + GAP_Y + Math.min(60, 0.06 * widest);
  });
  if (!work.rows.length) level.height = level.header + PAD;
  else level.height = bottoms[bottoms.length - 1] + (level.nExits ? 0 : PAD);
  level.left = [];
  level.top = [];
  for (let v = 0; v < n; v++) {
    const layer = work.layer[v];
    level.left.push(x[v] - work.widths[v] / 2 + shift);
    level.top.push(v < level.nEntries ? 0 : (tops[layer] + bottoms[layer] - work.heights[v]) / 2);
  }
  level.arcs.forEach((arc, k) => {
    const first = work.layer[arc.u], last = work.layer[arc.v];
    arc.stations = [
      [level.left[arc.u] + arc.du, level.top[arc.u] + work.heights[arc.u], bottoms[first]],
    ];
    for (const p of work.routes[k]) {
      arc.stations.push([x[p] + shift, tops[work.layer[p]], bottoms[work.layer[p]]]);
    }
    arc.stations.push([level.left[arc.v] + arc.dv, tops[last], level.top[arc.v]]);
  });
}
