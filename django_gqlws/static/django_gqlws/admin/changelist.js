// Takes over the rows of a fresh list: what is selected stays selected, what has the focus keeps it.

const COUNTS = [".paginator", "#toolbar .quiet"];
const form = document.getElementById("changelist-form");

// Django's actions.js keeps the checkboxes that it finds at first. This is what it is given instead: those of now.
const checkboxes = {
  now: form.getElementsByClassName("action-select"),
  get length() {
    return this.now.length;
  },
  forEach(visit) {
    Array.from(this.now).forEach(visit);
  },
  [Symbol.iterator]() {
    return this.now[Symbol.iterator]();
  },
};
const bindActions = window.Actions;
if (bindActions) window.Actions = (_, options) => bindActions(checkboxes, options);

const results = (page) => page.getElementById("gqlws-results");
const rows = (part) => part.querySelector("#result_list > tbody");
const keyOf = (row) => row.querySelector(".action-select")?.value ?? row.querySelector("a")?.getAttribute("href");

document.addEventListener("gqlws:refresh-due", (event) => {
  // "All of them, on all pages" is a promise about what was shown when it was made.
  if (form.querySelector(".select-across")?.value === "1") event.preventDefault();
});

document.addEventListener("gqlws:refresh", ({ detail: fresh }) => {
  const focused = document.activeElement;
  takeResults(results(document), results(fresh));
  COUNTS.forEach((selector) => takeCount(document.querySelector(selector), fresh.querySelector(selector)));
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
});

function takeResults(old, fresh) {
  const [oldRows, freshRows] = [rows(old), rows(fresh)];
  if (!oldRows || !freshRows) {
    if (Boolean(oldRows) === Boolean(freshRows)) return;
    old.replaceWith(fresh);
    if (freshRows && fresh.querySelector(".actions")) window.Actions?.(checkboxes);
    return;
  }
  takeRows(oldRows, freshRows);
  const counter = old.querySelector(".action-counter");
  if (!counter) return;
  counter.dataset.actionsIcnt = fresh.querySelector(".action-counter").dataset.actionsIcnt;
  // Upon this Django counts what is selected.
  window.dispatchEvent(new Event("pageshow"));
}

function takeRows(body, fresh) {
  const kept = new Map(Array.from(body.rows, (row) => [keyOf(row), row]));
  const wanted = Array.from(fresh.rows, (row) => takeRow(kept.get(keyOf(row)), row));
  Array.from(body.rows)
    .filter((row) => !wanted.includes(row))
    .forEach((row) => row.remove());
  // A row that is where it belongs is not touched: moving it would take the focus away.
  wanted.forEach((row, place) => body.rows[place] === row || body.insertBefore(row, body.rows[place] ?? null));
}

function takeRow(row, fresh) {
  if (!row || row.cells.length !== fresh.cells.length) return fresh;
  Array.from(row.cells).forEach((cell, place) => {
    const other = fresh.cells[place];
    const isCheckbox = cell.classList.contains("action-checkbox");
    if (!isCheckbox && cell.innerHTML !== other.innerHTML) cell.replaceChildren(...other.childNodes);
  });
  return row;
}

function takeCount(old, fresh) {
  if (old && fresh && old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
}
