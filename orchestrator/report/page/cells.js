"use strict";
// The cells as lines over parallel axes, and a filter over them and the tables of results.
// `cells` is what cells_view.cpp makes. Dragging along an axis keeps the cells that pass there,
// a click on it lets go; <section id="cells" data-shown="kept of all"> says how many are kept.
const cells = JSON.parse(document.getElementById("data").textContent).cells;
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1100, HEIGHT = 380, TOP = 46, BOTTOM = 350, SIDE = 70;

// "lr<0.01 optimizer=adam resnet": each word must hold. Words that name no column are looked for as
// text. Returns a function of {names, texts}: two lists of the same length.
function parseFilter(text) {
  const tests = text.trim().split(/\s+/).filter((word) => word).map((word) => {
    const parts = /^(.+?)(!=|<=|>=|=|<|>)(.*)$/.exec(word);
    const plain = (row) => row.texts.join(" ").toLowerCase().includes(word.toLowerCase());
    if (!parts) return plain;
    const [, name, sign, wanted] = parts;
    return (row) => {
      const at = row.names.findIndex((n) => n.toLowerCase() === name.toLowerCase());
      if (at < 0) return row.lenient ? true : plain(row);
      const value = row.texts[at].trim();
      const a = parseFloat(value), b = parseFloat(wanted);
      const equal = value === wanted || (Number(value) === Number(wanted) && wanted !== "");
      return { "=": equal, "!=": !equal, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b }[sign];
    };
  });
  return (row) => tests.every((test) => test(row));
}

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

function scaleOf(axis, column) {
  if (axis.values) {
    const step = (BOTTOM - TOP) / Math.max(axis.values.length - 1, 1);
    const middle = axis.values.length === 1 ? (BOTTOM - TOP) / 2 : 0;
    return {
      at: (value) => BOTTOM - middle - value * step, text: (value) => axis.values[value],
      ticks: axis.values.map((_, i) => i),
    };
  }
  const numbers = column.filter((value) => value !== null);
  const change = axis.log ? Math.log10 : (value) => value;
  const low = change(Math.min(...numbers)), high = change(Math.max(...numbers));
  const at = (value) => BOTTOM - (high > low ? (change(value) - low) / (high - low) : 0.5) * (BOTTOM - TOP);
  const back = (share) => (axis.log ? 10 ** (low + share * (high - low)) : low + share * (high - low));
  return { at, text: (value) => Number(value.toPrecision(4)).toString(), ticks: [0, 0.25, 0.5, 0.75, 1].map(back) };
}

// From blue, the best, to orange.
function lineColour(share) {
  const mix = (from, to) => Math.round(from + share * (to - from));
  return `rgb(${mix(0, 230)},${mix(114, 159)},${mix(178, 0)})`;
}

function drawCells(section) {
  const { axes, cells: rows } = cells;
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "cells" },
    section.querySelector(".parallel"));
  const columns = axes.map((_, i) => rows.map((row) => row[i]));
  const scales = axes.map((axis, i) => scaleOf(axis, columns[i]));
  const x = (i) => SIDE + (i * (WIDTH - 2 * SIDE)) / Math.max(axes.length - 1, 1);
  const textOf = (i, value) => (value === null ? "–" : scales[i].text(value));
  const last = columns[axes.length - 1].filter((value) => value !== null);
  const worst = cells.goal === "min" ? Math.max(...last) : Math.min(...last);
  const best = cells.goal === "min" ? Math.min(...last) : Math.max(...last);
  const lines = element("g", { class: "lines" }, svg);
  const brushes = axes.map(() => null);
  const said = section.querySelector(".said");
  const paths = rows.map((row) => {
    const points = row.map((value, i) => (value === null ? null : [x(i), scales[i].at(value)]));
    let d = "", open = false;
    for (const point of points) {
      d += point ? (open ? "L" : "M") + point.map((c) => c.toFixed(1)).join(" ") : "";
      open = point !== null;
    }
    const value = row[axes.length - 1];
    const share = value === null || worst === best ? 0.5 : (value - best) / (worst - best);
    const path = element("path", { d, fill: "none", stroke: lineColour(share) }, lines);
    path.addEventListener("pointerenter", () => {
      lines.append(path);  // on top
      path.classList.add("hovered");
      said.textContent = axes.map((axis, i) => axis.label + " " + textOf(i, row[i])).join(", ");
    });
    path.addEventListener("pointerleave", () => {
      path.classList.remove("hovered");
      said.textContent = "";
    });
    return path;
  });
  let passes = () => true;
  const named = rows.map((row) => ({
    names: axes.flatMap((axis) => [axis.label, axis.key]),
    texts: row.flatMap((value, i) => {
      const text = value === null ? "–" : axes[i].values ? axes[i].values[value] : String(value);
      return [text, text];
    }),
  }));
  function update() {
    let kept = 0;
    rows.forEach((row, k) => {
      const inside = brushes.every((brush, i) => {
        if (!brush) return true;
        if (row[i] === null) return false;
        const at = scales[i].at(row[i]);
        return at >= brush.from - 0.5 && at <= brush.to + 0.5;
      });
      const keeps = inside && passes(named[k]);
      paths[k].classList.toggle("out", !keeps);
      kept += keeps;
    });
    section.dataset.shown = kept + " of " + rows.length;
    section.querySelector(".count").textContent = kept + " of " + rows.length + " cells";
  }
  axes.forEach((axis, i) => {
    const group = element("g", { class: "axis" }, svg);
    element("line", { x1: x(i), x2: x(i), y1: TOP, y2: BOTTOM }, group);
    const title = element("text", { x: x(i), y: TOP - 22, "text-anchor": "middle", class: "title" }, group);
    title.textContent = axis.label;
    for (const tick of scales[i].ticks) {
      const label = element("text", { x: x(i) + 6, y: scales[i].at(tick) + 4 }, group);
      label.textContent = textOf(i, tick);
    }
    const mark = element("rect", { x: x(i) - 8, width: 16, y: TOP, height: 0, class: "brush" }, group);
    const hold = element("rect", {
      x: x(i) - 14, width: 28, y: TOP - 8, height: BOTTOM - TOP + 16, class: "hold", "data-axis": axis.key,
    }, group);
    const position = (event) => {
      const box = svg.getBoundingClientRect();
      return Math.min(BOTTOM, Math.max(TOP, ((event.clientY - box.top) * HEIGHT) / box.height));
    };
    let begun = null;
    const show = (from, to) => {
      mark.setAttribute("y", from);
      mark.setAttribute("height", to - from);
    };
    hold.addEventListener("pointerdown", (event) => {
      begun = position(event);
      try { hold.setPointerCapture(event.pointerId); } catch { /* a pointer that is not pressed */ }
    });
    hold.addEventListener("pointermove", (event) => {
      if (begun === null) return;
      const now = position(event);
      show(Math.min(begun, now), Math.max(begun, now));
    });
    hold.addEventListener("pointerup", (event) => {
      if (begun === null) return;
      const now = position(event);
      const from = Math.min(begun, now), to = Math.max(begun, now);
      begun = null;
      brushes[i] = to - from < 3 ? null : { from, to };
      if (brushes[i]) show(from, to); else show(TOP, TOP);
      update();
    });
  });
  const tables = [...document.querySelectorAll("#results table")].map((table) => ({
    names: [...table.tHead.rows[0].cells].map((cell) => cell.textContent),
    rows: [...table.tBodies[0].rows],
  }));
  const input = section.querySelector("input");
  const filter = () => {
    passes = parseFilter(input.value);
    for (const table of tables)
      for (const row of table.rows) {
        const texts = [...row.cells].map((cell) => cell.textContent);
        row.hidden = !passes({ names: table.names, texts, lenient: true });
      }
    update();
  };
  input.addEventListener("input", () => {
    // A page that loads itself anew keeps its address.
    history.replaceState(null, "", input.value ? "#filter=" + encodeURIComponent(input.value) : "#");
    filter();
  });
  if (location.hash.startsWith("#filter=")) input.value = decodeURIComponent(location.hash.slice(8));
  filter();
}

if (cells) drawCells(document.getElementById("cells"));
