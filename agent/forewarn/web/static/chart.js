// Draws the probe page's pictures again with uPlot: the same numbers, with a reading under the cursor and zoom by dragging.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const UNITS = {
    s: (v) => (Math.abs(v) < 1 ? `${+(v * 1000).toPrecision(3)} ms` : Math.abs(v) < 600 ? `${+v.toPrecision(3)} s` : Math.abs(v) < 172800 ? `${+(v / 3600).toPrecision(3)} h` : `${+(v / 86400).toPrecision(3)} d`),
    ratio: (v) => `${+(v * 100).toPrecision(3)} %`,
    celsius: (v) => `${+v.toPrecision(3)} °C`,
    bytes: (v) => { let n = 0; while (Math.abs(v) >= 1024 && n < 5) { v /= 1024; n += 1; } return `${+v.toPrecision(3)} ${["B", "KiB", "MiB", "GiB", "TiB", "PiB"][n]}`; },
  };
  const shown = (unit) => (v) => (v == null ? "–" : (UNITS[unit] || ((it) => String(+it.toPrecision(4))))(v));
  const HEIGHT = 170, FEW = 30;  // up to FEW values each is a point too
  const zone = document.body.dataset.zone, language = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, month: "short", day: "numeric" });
  const moment = (s) => `${day.format(s * 1000)} ${clock.format(s * 1000)}`;
  const onAxis = (u, splits, axis, space, step) => splits.map((s) => {
    const time = clock.format(s * 1000);
    return step >= 86400 || time === "00:00" ? day.format(s * 1000) : time;
  });

  // Where the forecast leads: from the newest value to its limit, between the earliest and the latest moment.
  const cone = (it, last) => (u) => {
    const level = it.limits.length ? it.limits[0].value : null, ahead = it.forecast;
    if (!ahead || level === null || !ahead.earliest || !ahead.latest) return;
    const x = (s) => u.valToPos(s, "x", true), y = (v) => u.valToPos(v, "y", true), c = u.ctx;
    c.save();
    c.beginPath();
    c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    c.clip();
    c.globalAlpha = 0.25;
    c.fillStyle = colour("--grey");
    c.beginPath();
    c.moveTo(x(last[0]), y(last[1]));
    c.lineTo(x(ahead.earliest), y(level));
    c.lineTo(x(ahead.latest), y(level));
    c.fill();
    c.restore();
  };

  // The figures under the cursor, in the reader's own words.
  const reading = (figure, it, say) => (u) => {
    const at = u.cursor.idx, line = figure.querySelector(".reading"), words = figure.dataset;
    const known = at != null && it.mean[at] != null;
    const parts = known ? [moment(it.times_s[at]), `${words.mean} ${say(it.mean[at])}`] : [];
    if (known && it.min[at] !== it.max[at]) parts.push(`${words.low} ${say(it.min[at])}`, `${words.high} ${say(it.max[at])}`);
    line.textContent = parts.join("  ·  ") || "\u00a0";
  };

  const draw = (figure) => {
    const plot = figure.querySelector(".plot");
    if (!plot) return;
    const it = JSON.parse(figure.querySelector("script").textContent);
    const say = shown(figure.dataset.unit), few = it.mean.length <= FEW;
    if (it.from_s < it.times_s[0]) {  // limits reach over the whole span
      it.times_s.unshift(it.from_s);
      [it.min, it.mean, it.max].forEach((row) => row.unshift(null));
    }
    const times = [...it.times_s], ahead = it.forecast && it.forecast.latest;
    const data = [times, [...it.min], [...it.mean], [...it.max]];
    const series = [{}, { stroke: "transparent", points: { show: false } },
      { stroke: colour("--accent"), width: 1.5, points: { show: few, size: 5, fill: colour("--accent") } }, { stroke: "transparent", points: { show: false } }];
    for (const limit of it.limits) {
      data.push(times.map(() => limit.value));
      series.push({ stroke: colour("--text"), width: 1, dash: [5, 4], points: { show: false } });
    }
    if (ahead) {
      const end = Math.min(ahead, times[times.length - 1] + (times[times.length - 1] - times[0]) * 0.5);
      times.push(end);
      data.slice(1, 4).forEach((row) => row.push(null));
      data.slice(4).forEach((row) => row.push(row[0]));
    }
    const label = plot.querySelector("svg")?.getAttribute("aria-label");
    if (label) { plot.setAttribute("role", "img"); plot.setAttribute("aria-label", label); }
    const options = {
      width: plot.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { y: false },
      bands: [{ series: [3, 1], fill: colour("--accent") + "22" }],
      axes: [{ stroke: colour("--grey"), values: onAxis, space: 72, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, size: 26, gap: 2 },
        { stroke: colour("--grey"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, values: (u, all) => all.map(say), size: 70 }],
      series,
      // The whole span that was asked for, also where nothing is stored; what is chosen by dragging is shown alone.
      scales: { x: { range: (u, low, high) => (low === times[0] && high === times.at(-1) ? [it.from_s, Math.max(it.until_s, high)] : [low, high]) } },
      tzDate: (s) => uPlot.tzDate(new Date(s * 1000), zone),
      hooks: { draw: [cone(it, [it.times_s.at(-1), it.mean.at(-1)])], setCursor: [reading(figure, it, say)] },
    };
    plot.textContent = "";
    const drawn = new uPlot(options, data, plot);
    addEventListener("resize", () => drawn.setSize({ width: plot.clientWidth, height: HEIGHT }));
  };
  const all = () => document.querySelectorAll("figure.chart[data-unit]").forEach(draw);
  document.addEventListener("forewarn:fresh", all);
  all();
})();
