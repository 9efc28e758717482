/* The report form: typeahead, fields that depend on others, live sums, the check before saving. */
(() => {
  "use strict";
  const { $, $$ } = window.cases;
  const form = $("[data-report]");
  const number = (input) => { const value = parseFloat((input?.value || "").replace(/,/g, "")); return Number.isFinite(value) ? Math.round(value * 100) : 0; };
  const shown = (fen) => (fen / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const named = (root, ending) => $(`[name$=".${ending}"]`, root);

  // --- Typeahead --------------------------------------------------------------------------------
  let timer = 0, asked = 0;
  async function suggest(box) {
    const text = $("[data-suggest-text]", box).value.trim(), list = $(".c-suggest__list", box), mine = ++asked;
    if (text.length < 1) { list.replaceChildren(); return; }
    const answer = await fetch(`${box.dataset.suggest}?q=${encodeURIComponent(text)}`, { headers: { "X-Requested-With": "fetch" } });
    if (mine === asked && answer.ok) { list.innerHTML = await answer.text(); mark(list, 0); }
  }
  const items = (list) => $$("button", list);
  function mark(list, at) { items(list).forEach((one, n) => one.classList.toggle("is-on", n === at)); list.dataset.at = at; }
  function pick(box, item) {
    $("[data-suggest-text]", box).value = item.dataset.text;
    const hidden = $("[data-suggest-value]", box);
    hidden.value = item.dataset.value;
    $(".c-suggest__list", box).replaceChildren();
    hidden.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.addEventListener("input", (event) => {
    const box = event.target.matches("[data-suggest-text]") && event.target.closest("[data-suggest]");
    if (!box) return;
    $("[data-suggest-value]", box).value = event.target.value.trim();
    clearTimeout(timer);
    timer = setTimeout(() => suggest(box), 180);
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey && event.key.toLowerCase() === "c" && form) { event.preventDefault(); check(); return; }
    const box = event.target.matches?.("[data-suggest-text]") && event.target.closest("[data-suggest]");
    if (!box) return;
    const list = $(".c-suggest__list", box), all = items(list), at = Number(list.dataset.at || 0);
    if (event.key === "ArrowDown") { mark(list, Math.min(at + 1, all.length - 1)); event.preventDefault(); }
    if (event.key === "ArrowUp") { mark(list, Math.max(at - 1, 0)); event.preventDefault(); }
    if (event.key === "Enter" && all[at]) { pick(box, all[at]); event.preventDefault(); }
    if (event.key === "Tab" && all[at]) pick(box, all[at]);
    if (event.key === "Escape") list.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest("button.c-suggest__item");
    if (item) { pick(item.closest("[data-suggest]"), item); return; }
    if (!event.target.closest("[data-suggest]")) $$(".c-suggest__list").forEach((list) => list.replaceChildren());
    if (event.target.closest("[data-run-check]")) check();
  });

  // --- Fields that depend on others -------------------------------------------------------------
  function depend(root) {
    for (const part of $$("[data-show-for]", root)) {
      const row = part.closest("[data-nested-row]");
      const ruler = $$(`[name$=".${part.dataset.by}"]`, row).find((one) => one.closest("[data-nested-row]") === row);
      const wanted = part.dataset.showFor.split(" ");
      part.hidden = Boolean(ruler) && !(wanted.includes(ruler.value) || (ruler.value === "" && part.dataset.by === "bill_type"));
    }
  }

  // --- Sums -------------------------------------------------------------------------------------
  function sums() {
    if (!form || form.dataset.report === undefined) return;
    let amount = 0, third = 0, bills = 0, wrong = false;
    for (const visit of $$("[data-visit]", form)) {
      let claimed = 0;
      for (const bill of $$("[data-bill]", visit)) {
        let lines = 0, lineThird = 0;
        for (const line of $$("[data-line]", bill)) { lines += number(named(line, "amount")); lineThird += number(named(line, "third_party")); }
        const own = $$('[name$=".amount"]', bill).find((one) => !one.closest("[data-line]"));
        const total = own?.value.trim() ? number(own) : lines;
        const settled = ["pooled_fund", "serious_illness", "assistance", "other_insurer"].reduce((all, name) => all + number(named(bill, name)), 0);
        const off = Boolean(own?.value.trim()) && lines !== total && lines > 0;
        const note = $("[data-bill-sum]", bill);
        note.textContent = off ? `∑ ${shown(lines)} ≠ ${shown(total)}  (${lines > total ? "+" : "−"}${shown(Math.abs(lines - total))})` : `∑ ${shown(lines)}`;
        note.classList.toggle("c-mismatch", off);
        if (own && !own.value.trim()) own.placeholder = shown(lines);
        wrong ||= off; bills += 1; amount += total;
        const paid = Math.max(settled, lineThird); third += paid; claimed += total - paid;
      }
      $("[data-visit-sum]", visit).textContent = shown(claimed);
    }
    for (const [name, value] of Object.entries({ bills: String(bills), amount: shown(amount), third: shown(third), claimed: shown(amount - third) })) { const place = $(`[data-sum="${name}"]`); if (place) place.textContent = value; }
    const flag = $('[data-sum="wrong"]'); if (flag) flag.hidden = !wrong;
  }
  function multiply(target) {
    const line = target.closest("[data-line]");
    if (!line || !/\.(quantity|unit_price)$/.test(target.name)) return;
    const price = number(named(line, "unit_price")), quantity = parseFloat(named(line, "quantity").value || "1"), amount = named(line, "amount");
    if (price && quantity && (!amount.value || amount.dataset.computed)) { amount.value = (Math.round(price * quantity) / 100).toFixed(2); amount.dataset.computed = "1"; }
  }
  document.addEventListener("input", (event) => { multiply(event.target); if (/\.amount$/.test(event.target.name || "") && event.isTrusted) delete event.target.dataset.computed; sums(); });
  document.addEventListener("change", (event) => {
    depend(document);
    const bill = event.target.closest("[data-bill]");
    if (bill && /\.started_on$/.test(event.target.name || "")) return;
    const visit = event.target.closest("[data-visit]");
    if (visit && /\.started_on$/.test(event.target.name || "")) $$('[name$=".issued_on"]', visit).forEach((one) => { one.value ||= event.target.value; });
  });
  document.addEventListener("row-added", (event) => {
    depend(event.target); sums();
    if (event.target.matches("[data-visit], [data-bill]")) for (const nested of $$("[data-nested]", event.target)) if (nested.dataset.nested !== "diagnoses" && !$("[data-nested-row]", $(":scope [data-nested-rows]", nested))) window.cases.addRow(nested);
  });
  form?.addEventListener("submit", () => {
    // An amount left empty is the sum of its lines, as the placeholder says.
    for (const bill of $$("[data-bill]", form)) { const own = $$('[name$=".amount"]', bill).find((one) => !one.closest("[data-line]")); if (own && !own.value.trim() && parseFloat(own.placeholder)) own.value = own.placeholder.replace(/,/g, ""); }
  });

  // --- The check before saving ------------------------------------------------------------------
  async function check() {
    if (!form?.dataset.check) return;
    const place = $("[data-expected]"), body = $("[data-expected-body]"), data = new FormData(form);
    for (const bill of $$("[data-bill]", form)) { const own = $$('[name$=".amount"]', bill).find((one) => !one.closest("[data-line]")); if (own && !own.value.trim() && parseFloat(own.placeholder)) data.set(own.name, own.placeholder.replace(/,/g, "")); }
    const answer = await fetch(form.dataset.check, { method: "POST", body: data, headers: { "X-Requested-With": "fetch" } });
    place.hidden = false;
    body.innerHTML = answer.ok ? await answer.text() : String(answer.status);
    place.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
  const start = () => { depend(document); sums(); $(".has-error input, .has-error select")?.focus(); };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
