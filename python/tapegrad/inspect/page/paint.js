// How the view paints: frames, the lines over them, headers, boxes. Only what is in sight.
"use strict";

const LINES_AT_ONCE = 64;

View.prototype.draw = function draw() {
  const g = this.context, c = this.camera, t = this.theme;
  if (!this.layout || !this.canvas.width) return;
  const scale = this.ratio * c.zoom, w = this.canvas.width, h = this.canvas.height;
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.clearRect(0, 0, w, h);
  g.setTransform(scale, 0, 0, scale, w / 2 - c.x * scale, h / 2 - c.y * scale);
  const [x0, y0] = this.toScene(0, 0), [x1, y1] = this.toScene(this.canvas.clientWidth, this.canvas.clientHeight);
  const seen = ([x, y, pw, ph]) => x <= x1 && y <= y1 && x + pw >= x0 && y + ph >= y0;
  this.painted = 0;
  for (const frame of this.frames) if (seen(frame.place)) this.paintFrame(frame);
  this.paintLines((s) => s.low[0] <= x1 && s.low[1] <= y1 && s.high[0] >= x0 && s.high[1] >= y0);
  for (const frame of this.frames) if (seen(frame.place)) this.paintHeader(frame, x0);
  g.textAlign = "center";
  for (const box of this.boxes) if (seen(box.place)) this.paintBox(box);
  g.textAlign = "left";
  g.fillStyle = t.ink;
};

View.prototype.rounded = function rounded([x, y, w, h], radius) {
  const g = this.context;
  g.beginPath();
  g.roundRect(x, y, w, h, radius);
};

View.prototype.paintFrame = function paintFrame({ item, place }) {
  const g = this.context, [fill, line] = this.colourOf(item);
  this.rounded(place, 7);
  g.fillStyle = fill;
  g.fill();
  g.lineWidth = 1;
  g.strokeStyle = line;
  g.stroke();
};

View.prototype.paintHeader = function paintHeader({ item, place }, left) {
  const g = this.context, [fill, line] = this.colourOf(item), [x, y, w] = place;
  const chosen = this.program.selected === item.number;
  this.rounded([x, y, w, HEADER], 7);
  g.fillStyle = fill;
  g.fill();
  g.strokeStyle = chosen ? this.theme.accent : line;
  g.lineWidth = chosen ? 2.5 : 1;
  g.stroke();
  if (chosen) {
    this.rounded(place, 7);
    g.stroke();
  }
  if (this.camera.zoom < 0.3) return;
  // The title stays in sight while any of its frame does.
  const start = Math.min(Math.max(x, left), x + w - Math.min(w, item.title.length * 7.3 + 36));
  g.fillStyle = this.theme.muted;
  g.font = `600 13px ${this.theme.mono}`;
  g.fillText("−", start + 9, y + 16);
  g.fillStyle = this.theme.ink;
  g.font = `600 12px ${this.theme.mono}`;
  g.fillText(this.clip(item.title, w - 34), start + 24, y + 16);
};

View.prototype.clip = function clip(text, width) {
  const most = Math.max(3, Math.floor(width / 7.25));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
};

View.prototype.paintLines = function paintLines(seen) {
  const g = this.context, t = this.theme, some = this.marked.size > 0;
  g.lineJoin = "round";
  const plain = [], late = [];
  for (const s of this.layout.stretches) {
    if (!seen(s)) continue;
    const mark = some ? s.lines.find((k) => this.marked.has(k)) : undefined;
    if (mark === undefined) plain.push(s);
    else late.push([s, this.marked.get(mark)]);
  }
  g.strokeStyle = g.fillStyle = t.edge;
  g.globalAlpha = some ? 0.5 : 1;
  g.lineWidth = Math.max(1.2, 0.6 / this.camera.zoom);
  for (let k = 0; k < plain.length; k += LINES_AT_ONCE) {
    this.strokeLines(plain.slice(k, k + LINES_AT_ONCE), false);
  }
  g.globalAlpha = 1;
  g.lineWidth = Math.max(2, 1.4 / this.camera.zoom);
  for (const [s, colour] of late) {
    g.strokeStyle = g.fillStyle = t[colour];
    this.strokeLines([s], true);
  }
};

View.prototype.strokeLines = function strokeLines(stretches, marked) {
  const g = this.context;
  g.beginPath();
  for (const s of stretches) this.traceLine(s, marked);
  g.stroke();
  if (this.camera.zoom <= 0.25) return;
  g.beginPath();
  for (const { ends, stations } of stretches) {
    if (!ends) continue;
    const [x, , y] = stations[stations.length - 1];
    g.moveTo(x - 3.2, y - 7);
    g.lineTo(x + 3.2, y - 7);
    g.lineTo(x, y - 0.5);
  }
  g.fill();
};

View.prototype.traceLine = function traceLine(s, marked) {
  const g = this.context, stations = s.stations;
  if (s.far && !marked) { // it comes from far away: its end alone, until one of both is selected
    const [x, , y] = stations[stations.length - 1];
    g.moveTo(x, y - 10);
    g.lineTo(x, y - 3);
    return;
  }
  let [x, , bottom] = stations[0];
  g.moveTo(x, stations[0][1]);
  if (bottom > stations[0][1]) g.lineTo(x, bottom);
  for (let k = 1; k < stations.length; k++) {
    const [nx, top, low] = stations[k], middle = (bottom + top) / 2;
    if (nx === x) g.lineTo(nx, top);
    else g.bezierCurveTo(x, middle, nx, middle, nx, top);
    if (low > top) g.lineTo(nx, low);
    [x, bottom] = [nx, low];
  }
};

View.prototype.paintBox = function paintBox({ item, place }) {
  const g = this.context, t = this.theme, [fill, line] = this.colourOf(item), [x, y, w, h] = place;
  const chosen = this.program.selected === item.number, near = this.beside.has(item.number);
  const round = item.kind === "input" || item.kind === "captured" || item.kind === "output" ? 13 : 5;
  this.painted += 1;
  g.fillStyle = fill;
  g.strokeStyle = chosen || near ? t.accent : item.guarded ? t.bad : line;
  g.lineWidth = chosen ? 2.5 : near ? 1.8 : 1;
  if (item.members) { // a second edge: there is more inside
    this.rounded([x + 3, y + 3, w, h], 5);
    g.fill();
    g.stroke();
  }
  this.rounded(place, round);
  g.fill();
  if (item.guarded) g.setLineDash([4, 2.5]);
  g.stroke();
  g.setLineDash([]);
  if (this.camera.zoom < 0.3) return;
  const middle = x + w / 2, two = item.left || item.right;
  g.fillStyle = t.ink;
  g.font = `600 12px ${t.mono}`;
  const title = item.members ? `+ ${item.title}` : item.title;
  g.fillText(title, middle, y + (two ? 17 : h / 2 + 4));
  if (!two) return;
  g.font = `11px ${t.mono}`;
  const isValue = item.right || item.value, bad = item.bad;
  if (!item.right) {
    g.fillStyle = bad ? t.bad : isValue ? t.value : t.muted;
    g.fillText(item.left, middle, y + 33);
    return;
  }
  const size = 6.65, n = item.left.length + item.right.length + 2, start = middle - n * size / 2;
  g.fillStyle = bad ? t.bad : t.value;
  g.fillText(item.left, start + item.left.length * size / 2, y + 33);
  g.fillStyle = t.adjoint;
  g.fillText(item.right, start + (item.left.length + 2 + item.right.length / 2) * size, y + 33);
};
