"use strict";
// What the page can do without: values are read out where the pointer or the arrow keys are, and strategies can be hidden.
(() => {
  const root = document.documentElement;
  const groups = [...document.querySelectorAll("[data-dx]")].map((element) => {
    const { from, to, x0, dx, n, before, unit, labels, sync, rows } = element.dataset;
    const [number, places] = [(text) => Number(text), labels ? labels.split("|") : null];
    return {
      element, sync, before, unit, places, count: number(n), from: number(from), to: number(to), x0: number(x0), dx: number(dx),
      readers: [...element.querySelectorAll("[data-v], [data-cells]")],
      hairs: [...element.querySelectorAll(".hair")],
      ends: rows ? rows.split("|") : null,
      cells: rows ? [...element.querySelectorAll(".box")].map((box) => box.appendChild(document.createElement("i"))) : [],
      series: new Map(), at: -1, row: -1,
    };
  });

  // `name:unit:v v v|…`
  const seriesOf = (group, reader) => {
    if (!group.series.has(reader)) {
      group.series.set(reader, reader.dataset.v.split("|").map((text) => {
        const [name, unit, all] = text.split(":");
        return { name, unit, all: all.split(" ") };
      }));
    }
    return group.series.get(reader);
  };
  // `row,count,count,,count|…`: a column's first row with a request, and how many each has from there on.
  const columnOf = (group, reader, at) => {
    if (!group.series.has(reader)) {
      group.series.set(reader, reader.dataset.cells.split("|").map((text) => {
        const [first, ...counts] = text.split(",");
        return { first: Number(first), counts };
      }));
    }
    return group.series.get(reader)[at] ?? { first: 0, counts: [] };
  };
  const cellSaid = (group, { first, counts }, row) => {
    const requests = (count, from, to) => `${count} request${count === 1 ? "" : "s"} of ${group.ends[from]} to ${group.ends[to]} ms`;
    if (row >= 0) return requests(Number(counts[row - first] || 0), row, row + 1);
    const all = counts.reduce((sum, count) => sum + Number(count), 0);
    return counts.length ? requests(all, first, first + counts.length) : "–";
  };
  // The next row up or down in which any strategy has a request at that place.
  const rowFrom = (group, at, row, up) => {
    const rows = group.readers.filter(visible).map((reader) => columnOf(group, reader, at))
      .flatMap(({ first, counts }) => counts.flatMap((count, more) => count ? [first + more] : []))
      .filter((one) => row < 0 || (up ? one > row : one < row));
    return rows.length ? (up ? Math.min(...rows) : Math.max(...rows)) : row;
  };
  const said = (group, reader, at) => group.ends ? cellSaid(group, columnOf(group, reader, at), group.row)
    : seriesOf(group, reader).map(({ name, unit, all }) => `${name ? name + " " : ""}${all[at] ?? "–"}${unit}`).join(" · ");
  const place = (group, at) => group.places ? group.places[at]
    : `${Math.round((group.x0 + at * group.dx) * 1000) / 1000}`.replace("-", "−");
  const visible = (reader) => reader.offsetParent !== null;
  const nameOf = (reader) => (reader.querySelector("b") ?? reader).textContent;

  const show = (sync, at, row = -1) => {
    for (const group of groups.filter((group) => group.sync === sync)) {
      const inside = at >= 0 && at < group.count;
      const share = (group.x0 + (at + 0.5) * group.dx - group.from) / (group.to - group.from);
      group.at = inside ? at : -1;
      group.row = inside && group.ends ? row : -1;
      group.element.classList.toggle("reading", inside);
      for (const hair of group.hairs) hair.style.left = `${Math.min(Math.max(share, 0), 1) * 100}%`;
      for (const cell of group.cells) {
        const [columns, rows] = [(group.to - group.from) / group.dx, group.ends.length - 1];
        cell.className = group.row < 0 ? "cell" : "cell on";
        Object.assign(cell.style, {
          left: `${at / columns * 100}%`, width: `${Math.min(1, columns - at) / columns * 100}%`,
          bottom: `${row / rows * 100}%`, height: `${100 / rows}%`,
        });
      }
      for (const reader of group.readers) {
        reader.querySelector(".now").textContent = inside ? said(group, reader, at) : "";
      }
      const where = inside ? `${group.before}${place(group, at)}${group.unit}` : "";
      group.scrub.textContent = inside ? where : group.hint;
      group.scrub.setAttribute("aria-valuenow", Math.max(at, 0));
      group.scrub.setAttribute("aria-valuetext", inside
        ? `${where}: ${group.readers.filter(visible).map((reader) => `${nameOf(reader)} ${said(group, reader, at)}`).join("; ")}`
        : "nothing yet");
    }
  };

  for (const group of groups) {
    const scrub = document.createElement("div");
    group.scrub = scrub;
    scrub.className = "scrub";
    scrub.tabIndex = 0;
    const heading = group.element.closest("section")?.querySelector("h2");
    for (const [name, value] of Object.entries({
      role: "slider", "aria-label": `Read values: ${heading ? heading.textContent : ""}`, "aria-valuemin": 0,
      "aria-valuemax": group.count - 1, "aria-valuenow": 0, "aria-valuetext": "nothing yet",
    })) scrub.setAttribute(name, value);
    group.hint = `read values: point, or ← →${group.ends ? " ↑ ↓" : ""}`;
    scrub.textContent = group.hint;
    group.element.before(scrub);
    scrub.addEventListener("keydown", (event) => {
      if (group.ends && ["ArrowUp", "ArrowDown"].includes(event.key)) {
        event.preventDefault();
        const at = Math.max(group.at, 0);
        return show(group.sync, at, rowFrom(group, at, group.row, event.key === "ArrowUp"));
      }
      const far = Math.max(1, Math.round(group.count / 10));
      const to = {
        ArrowLeft: group.at - 1, ArrowDown: group.at - 1, ArrowRight: group.at + 1, ArrowUp: group.at + 1,
        PageDown: group.at - far, PageUp: group.at + far, Home: 0, End: group.count - 1, Escape: -1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(group.sync, event.key === "Escape" ? -1 : Math.min(Math.max(to, 0), group.count - 1), group.row);
    });
    let frame = 0;
    group.element.addEventListener("pointermove", (event) => {
      const box = event.target.closest(".box");
      if (!box) return;
      const { left, width, bottom, height } = box.getBoundingClientRect();
      const x = group.from + (event.clientX - left) / width * (group.to - group.from);
      const at = Math.min(Math.max(Math.floor((x - group.x0) / group.dx), 0), group.count - 1);
      const rows = group.ends ? group.ends.length - 1 : 0;
      const row = Math.min(Math.max(Math.floor((bottom - event.clientY) / height * rows), 0), rows - 1);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => show(group.sync, at, row));
    });
    group.element.addEventListener("pointerleave", () => {
      cancelAnimationFrame(frame);
      if (document.activeElement !== scrub) show(group.sync, -1);
    });
  }

  // The names in the legend become buttons.
  const legend = document.querySelector(".legend");
  const buttons = [...document.querySelectorAll("[data-hides]")].map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = name.className;
    button.dataset.hides = name.dataset.hides;
    button.append(...name.childNodes);
    name.replaceWith(button);
    return button;
  });
  if (buttons.length > 1) {
    const status = document.createElement("output");
    const all = document.createElement("button");
    all.type = "button";
    all.className = "all";
    all.textContent = "show all";
    all.hidden = true;
    legend.append(all, status);
    const set = (button, shown) => {
      button.setAttribute("aria-pressed", shown);
      root.classList.toggle(`off-${button.dataset.hides}`, !shown);
    };
    const tell = () => {
      const hidden = buttons.filter((button) => button.getAttribute("aria-pressed") === "false").length;
      status.textContent = hidden ? `${hidden} of ${buttons.length} hidden` : "";
      all.hidden = hidden === 0;
    };
    for (const button of buttons) {
      set(button, true);
      button.title = "Show or hide everywhere";
      button.addEventListener("click", () => {
        set(button, button.getAttribute("aria-pressed") === "false");
        tell();
      });
    }
    all.addEventListener("click", () => {
      buttons.forEach((button) => set(button, true));
      tell();
      buttons[0].focus();
    });
  } else {
    buttons.forEach((button) => button.disabled = true);
  }
  root.classList.add("scripted");
})();
