/* The case screens: keyboard, lists, forms, papers, clocks. No framework, no inline code (CSP). */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const page = () => $("[data-page]")?.dataset.page;
  const adminRoot = () => location.pathname.replace(/\/(case|find|work|calculator|dashboard|claims)\/.*$/, "/");
  const typing = (target) => target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

  // --- The list: j k o space a ------------------------------------------------------------------
  let current = -1;
  const rows = () => $$("[data-row]");
  function go(step) {
    const all = rows();
    if (!all.length) return;
    current = Math.max(0, Math.min(all.length - 1, current + step));
    all.forEach((row, n) => row.classList.toggle("is-current", n === current));
    all[current].focus({ preventScroll: true });
    all[current].scrollIntoView({ block: "nearest" });
  }
  function remember() {
    const all = rows();
    if (!all.length) return;
    sessionStorage.setItem("cases.list", JSON.stringify(all.map((row) => row.dataset.href)));
    sessionStorage.setItem("cases.back", location.pathname + location.search);
  }
  function picked() {
    const boxes = $$("[data-row] .c-pick input");
    const count = boxes.filter((box) => box.checked).length;
    const bulk = $("[data-bulk]");
    if (bulk) { bulk.hidden = count === 0; $("[data-picked]").textContent = count; }
  }

  // --- The case: next, previous -----------------------------------------------------------------
  function placeInList() {
    const list = JSON.parse(sessionStorage.getItem("cases.list") || "[]");
    const here = list.indexOf(adminRoot() + "case/" + $("[data-page=case]").dataset.number + "/");
    if (here < 0) return;
    $("[data-place]").textContent = `${here + 1} / ${list.length}`;
    if (list[here + 1]) $$("[data-next]").forEach((link) => (link.href = list[here + 1]));
    const back = $("[data-prev]");
    if (back && here > 0) { back.href = list[here - 1]; back.hidden = false; }
  }

  // --- Keyboard ---------------------------------------------------------------------------------
  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const form = event.target.closest("[data-form]") || $("#action [data-form]");
      if (form) { event.preventDefault(); form.requestSubmit(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !page()) return;
    if (event.key === "Escape") { closeAction(); $$("details.c-pop[open]").forEach((one) => (one.open = false)); if (typing(event.target)) event.target.blur(); return; }
    if (typing(event.target) || $("dialog[open]")) return;
    if (leader && Date.now() - leader < 1200) {
      leader = 0;
      if (event.key === "d") location.assign(adminRoot() + "dashboard/");
      if (event.key === "w") location.assign(sessionStorage.getItem("cases.back") || adminRoot());
      return;
    }
    const onRow = page() === "work" && rows()[current];
    const keys = {
      g: () => (leader = Date.now()),
      "?": () => $("#help")?.showModal(),
      "/": () => (page() === "work" ? $("[data-search]")?.focus() : location.assign(adminRoot() + "find/")),
      j: () => page() === "work" && go(1),
      k: () => page() === "work" && go(-1),
      o: () => onRow && location.assign(onRow.dataset.href),
      Enter: () => onRow && event.target === onRow && location.assign(onRow.dataset.href),
      " ": () => onRow && !event.target.closest("button, a, summary, input") && (toggle(onRow), true),
      a: () => page() === "work" ? assignPicked(onRow) : $("[data-action].c-button--primary, [data-action]")?.click(),
      n: () => page() === "case" && $("[data-next]")?.click(),
      p: () => page() === "case" && $("[data-prev]:not([hidden])")?.click(),
      u: () => page() === "case" && location.assign(sessionStorage.getItem("cases.back") || adminRoot()),
    };
    if (keys[event.key]) { if (keys[event.key]() !== false) event.preventDefault(); return; }
    if (page() === "case" && viewerKey(event.key)) event.preventDefault();
  });
  function toggle(row) { const box = $(".c-pick input", row); if (box) { box.checked = !box.checked; picked(); } }
  function assignPicked(row) {
    if (row && !$$("[data-row] .c-pick input:checked").length) toggle(row);
    $("[data-bulk] select")?.focus();
  }

  // --- Forms: add and remove rows, dropped files, unsaved changes ---------------------------------
  let dirty = false;
  function closeAction() { const place = $("#action"); if (place && place.firstElementChild && !dirty) place.replaceChildren(); $$(".c-button.is-open").forEach((one) => one.classList.remove("is-open")); }
  function addRow(nested) {
    const list = $("[data-nested-rows]", nested), holder = $(":scope > template", nested);
    const taken = $$(":scope > [data-nested-row]", list).map((row) => Number(row.dataset.index ?? -1));
    const index = Math.max(Number(nested.dataset.nextIndex || 0), list.children.length, ...taken.map((n) => n + 1));
    nested.dataset.nextIndex = index + 1;
    const html = holder.innerHTML.replaceAll(nested.dataset.mark, index);
    list.insertAdjacentHTML("beforeend", html);
    const row = list.lastElementChild;
    row.dataset.index = index;
    prepare(row);
    row.dispatchEvent(new CustomEvent("row-added", { bubbles: true }));
    return row;
  }
  document.addEventListener("click", (event) => {
    const target = event.target;
    const add = target.closest("[data-add]");
    if (add) { const row = addRow(add.closest("[data-nested]")); $("input:not([type=hidden]), select", row)?.focus(); }
    const remove = target.closest("[data-remove]");
    if (remove) { const row = remove.closest("[data-nested-row]"), form = row.closest("form"); row.remove(); form?.dispatchEvent(new Event("input", { bubbles: true })); }
    if (target.closest("[data-close]")) { dirty = false; closeAction(); }
    if (target.closest("[data-print]")) window.print();
    const opener = target.closest("[data-action]");
    if (opener) { $$(".c-button.is-open").forEach((one) => one.classList.remove("is-open")); opener.classList.add("is-open"); }
    const row = target.closest("[data-row]");
    if (row && !target.closest("a, input, label")) { current = rows().indexOf(row); go(0); }
    $$("details.c-pop[open]").forEach((one) => { if (!one.contains(target)) one.open = false; });
    const kind = target.closest("[data-timeline-filter] button");
    if (kind) {
      $$("[data-timeline-filter] button").forEach((one) => one.classList.toggle("is-on", one === kind));
      const wanted = kind.dataset.kind;
      $$(".c-timeline li").forEach((one) => (one.hidden = wanted && (wanted === "event" ? !["event", "clock"].includes(one.dataset.kind) : ["event", "clock"].includes(one.dataset.kind))));
    }
  });
  // A correction posts only the facts that differ from what is stored.
  function recount(form) {
    let n = 0;
    for (const cell of $$("[data-cell]", form)) {
      const input = $("input:not([type=hidden]), select", cell), changed = input.value !== cell.dataset.was;
      $$("input[type=hidden]", cell).forEach((one) => one.remove());
      cell.classList.toggle("is-changed", changed);
      if (!changed) { input.removeAttribute("name"); continue; }
      input.name = `changes.${n}.value`;
      for (const [name, value] of [["place", cell.dataset.place], ["field", cell.dataset.name]]) {
        cell.append(Object.assign(document.createElement("input"), { type: "hidden", name: `changes.${n}.${name}`, value }));
      }
      n += 1;
    }
  }
  document.addEventListener("input", (event) => { const form = event.target.closest("[data-correct]"); if (form) recount(form); });
  document.addEventListener("dblclick", (event) => { const row = event.target.closest("[data-row]"); if (row) location.assign(row.dataset.href); });
  document.addEventListener("input", (event) => { if (event.target.closest("[data-warn]")) dirty = true; });
  document.addEventListener("house:kept", () => { dirty = true; });
  document.addEventListener("submit", (event) => {
    dirty = false;
    const form = event.target;
    const button = event.submitter;
    if (button?.hasAttribute("data-preview")) { const frame = $(`iframe[name="${button.getAttribute("formtarget")}"]`); if (frame) frame.hidden = false; dirty = true; return; }
    if (form.method === "post" && !form.hasAttribute("hx-post") && !form.target) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      setTimeout(() => { delete form.dataset.sent; }, 4000);
    }
  });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.closest("[data-autosubmit]")) target.form.requestSubmit();
    if (target.matches("[data-pick-all]")) { $$("[data-row] .c-pick input").forEach((box) => (box.checked = target.checked)); }
    if (target.closest(".c-pick")) picked();
    const auto = target.closest("form[data-tick]");
    if (auto) auto.requestSubmit();
  });
  // Before unfold's own listener: it would write the file's name into the next text field it finds, or fail.
  document.addEventListener("change", (event) => {
    const drop = event.target.type === "file" && event.target.closest("[data-drop]");
    if (!drop) return;
    event.stopImmediatePropagation();
    $("[data-names]", drop).replaceChildren(...[...event.target.files].map((file) => Object.assign(document.createElement("li"), { textContent: `${file.name} · ${(file.size / 1048576).toFixed(1)} MB` })));
  }, true);
  for (const [name, on] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => event.target.closest?.("[data-drop]")?.classList.toggle("is-over", on));
  }

  // --- Papers: one viewer, keys 1…9, + - r , . ----------------------------------------------------
  const state = { zoom: 1, turn: 0 };
  function showPaper(button, sheet = 1) {
    const box = button.closest("[data-papers]"), image = $("[data-sheet]", box), pages = Number(button.dataset.pages || 1);
    sheet = Math.max(1, Math.min(pages, sheet));
    Object.assign(state, { zoom: 1, turn: 0, button, sheet, pages });
    $$("[data-paper]", box).forEach((one) => one.classList.toggle("is-on", one === button));
    $$("[data-paper-form]", box).forEach((one) => (one.hidden = one.dataset.paperForm !== button.dataset.paper));
    image.hidden = !button.dataset.src;
    $("[data-no-sheet]", box).hidden = Boolean(button.dataset.src);
    if (button.dataset.src) { image.src = button.dataset.src.replace(/\d+\.png/, `${sheet}.png`); image.alt = button.textContent.trim(); }
    $("[data-sheet-number]", box).textContent = pages > 1 ? `${sheet} / ${pages}` : "";
    const link = $("[data-download]", box);
    if (link) { link.href = button.dataset.file || "#"; link.hidden = !button.dataset.file; }
    turn();
  }
  function turn() {
    const image = $("[data-sheet]");
    if (image) { image.style.setProperty("--zoom", state.zoom); image.style.setProperty("--turn", state.turn + "deg"); }
  }
  // l legible, c in color: the next value; s saves the ticks of the paper shown
  function tickKey(key) {
    const form = $("[data-paper-form]:not([hidden])"), name = { l: "legible", c: "color" }[key];
    if (!form) return false;
    if (key === "s") { form.requestSubmit(); return true; }
    if (!name) return false;
    const [yes, no] = $$(`[name="${name}"]`, form);
    (yes.checked ? no : yes).checked = true;
    return true;
  }
  function viewerKey(key) {
    const papers = $$("[data-paper]");
    if (!papers.length) return false;
    if (tickKey(key)) return true;
    if (/^[1-9]$/.test(key) && papers[key - 1]) { showPaper(papers[key - 1]); return true; }
    const moves = {
      "+": () => (state.zoom = Math.min(4, state.zoom + 0.25)), "=": () => (state.zoom = Math.min(4, state.zoom + 0.25)),
      "-": () => (state.zoom = Math.max(0.5, state.zoom - 0.25)), r: () => (state.turn = (state.turn + 90) % 360),
      ",": () => showPaper(state.button || papers[0], (state.sheet || 1) - 1), ".": () => showPaper(state.button || papers[0], (state.sheet || 1) + 1),
      "[": () => step(-1), "]": () => step(1),
    };
    const step = (by) => { const at = papers.indexOf(state.button); showPaper(papers[(at + by + papers.length) % papers.length]); };
    if (!moves[key]) return false;
    moves[key](); turn();
    return true;
  }
  document.addEventListener("click", (event) => {
    const paper = event.target.closest("[data-paper]");
    if (paper) showPaper(paper);
    const tool = event.target.closest("[data-viewer]");
    if (tool) viewerKey(tool.dataset.viewer);
    const lit = event.target.closest("[data-light]");
    if (lit) { $$(".c-line.is-lit").forEach((one) => one.classList.remove("is-lit")); $$(`[data-place="${CSS.escape(lit.dataset.light)}"]`).forEach((one) => one.classList.add("is-lit")); }
  });

  // --- Clocks count down while one looks ----------------------------------------------------------
  function tick() {
    for (const clock of $$("[data-due]")) {
      const left = new Date(clock.dataset.due) - Date.now();
      if (Math.abs(left) > 12 * 3600e3) continue;
      const minutes = Math.floor(Math.abs(left) / 60e3), text = `${String(Math.floor(minutes / 60))}:${String(minutes % 60).padStart(2, "0")}`;
      clock.textContent = (left < 0 ? "−" : "") + text;
      if (left < 0) clock.closest(".c-clock")?.classList.add("c-clock--late");
    }
  }

  // Popovers open to the side that has room.
  document.addEventListener("toggle", (event) => {
    const pop = event.target;
    if (!pop.matches?.("details.c-pop") || !pop.open) return;
    const body = $(":scope > .c-pop__body", pop), edge = $("#main")?.getBoundingClientRect().left || 0;
    pop.classList.remove("c-pop--right");
    if (body.getBoundingClientRect().right > window.innerWidth - 8) pop.classList.add("c-pop--right");
    if (body.getBoundingClientRect().left < edge) pop.classList.remove("c-pop--right");
  }, true);

  // --- Paper: what is folded on the screen is open in print --------------------------------------
  let unfolded = [];
  window.addEventListener("beforeprint", () => { unfolded = $$("details.c-finding:not([open]), .c-timeline details:not([open])"); unfolded.forEach((one) => (one.open = true)); });
  window.addEventListener("afterprint", () => { unfolded.forEach((one) => (one.open = false)); unfolded = []; });

  // --- Start --------------------------------------------------------------------------------------
  function prepare(root) {
    $$("[data-correct]", root).forEach(recount);
    // In a grid of lines the heading of the column is the name of its fields.
    const unnamed = (input) => !input.labels?.length && !input.ariaLabel;
    $$("td > :is(input:not([type=hidden]), select)", root).filter(unnamed).forEach((input) => {
      const heading = input.closest("table").tHead?.rows[0]?.cells[input.parentElement.cellIndex];
      if (heading?.textContent.trim()) input.ariaLabel = heading.textContent.trim();
    });
    $$("[data-nested]", root).forEach((nested) => $$(":scope > [data-nested-row]", $("[data-nested-rows]", nested)).forEach((row, n) => (row.dataset.index ??= n)));
    $$("[data-vanish]", root).forEach((one) => setTimeout(() => one.remove(), Number(one.dataset.vanish) * 1000));
  }
  // Into an open form: at the first thing that is wrong, else at the first field.
  function enter(place) {
    const field = "input:not([type=hidden]), select, textarea";
    if (place) ($(`.has-error :is(${field})`, place) || $(field, place))?.focus();
  }
  function start() {
    prepare(document);
    const wanted = location.hash.match(/^#paper-(\d+)$/);
    const paper = (wanted && $(`[data-paper="${wanted[1]}"]`)) || $("[data-papers] [data-paper]");
    if (paper) showPaper(paper);
    if (page() === "work") { remember(); picked(); }
    if (page() === "case") {
      placeInList();
      enter($("#action"));
      if ($("#action form .has-error, #action .c-note--bad")) $("#action").scrollIntoView({ block: "center" });
      tick(); setInterval(tick, 20e3);
    }
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    prepare(event.target);
    if ($("[data-reload-when-ended] [data-ended]")) location.reload();
    if (event.target.id === "action") enter(event.target);
  });
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
  window.cases = { addRow, $, $$ };
})();
