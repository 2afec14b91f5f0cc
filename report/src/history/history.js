"use strict";
// What the index can do without: rows that do not have every word of the filter are hidden.
(() => {
  const box = document.querySelector("#filter");
  const rows = [...document.querySelectorAll("[data-words]")];
  const count = document.querySelector("#shown");
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter((word) => word);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  };
  box.closest(".filter").hidden = false;
  box.addEventListener("input", filter);
  filter();
})();
