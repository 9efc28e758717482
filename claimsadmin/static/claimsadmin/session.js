// A form that stood open asks first whether its session still holds: what was typed stays on the page if not.
(() => {
  const FORMS = "form[data-warn], #content-main > form[method=post]:not(#changelist-form)";
  const opened = Date.now(), token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1], tokenThen = token();
  const stoodOpen = () => Date.now() - opened > 5 * 60e3 || token() !== tokenThen;
  async function trouble() {
    const session = document.querySelector("meta[name=session]");
    try {
      const answer = await fetch(session.content, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") return "out";
      if (!answer.ok) return "down";
      return (await answer.json()).user === session.dataset.user ? "" : "other";
    } catch { return "down"; }
  }
  async function sendIfIn(form, button) {
    const why = await trouble();
    delete form.dataset.sent;
    form.querySelector(":scope > [data-trouble]")?.remove();
    if (why) {
      form.prepend(document.querySelector(`template[data-trouble=${why}]`).content.cloneNode(true));
      form.firstElementChild.scrollIntoView({ block: "center" });
      document.dispatchEvent(new Event("house:kept"));
      return;
    }
    if (token()) form.querySelector("[name=csrfmiddlewaretoken]").value = token();
    form.dataset.checked = "1";
    form.requestSubmit(button);
    delete form.dataset.checked;
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches(FORMS) || form.dataset.checked || !stoodOpen() || event.submitter?.hasAttribute("data-preview")) return;
    if (form.hasAttribute("hx-post") || form.target) return;
    event.preventDefault();
    if (form.dataset.asking) return;
    form.dataset.asking = "1";
    sendIfIn(form, event.submitter).finally(() => { delete form.dataset.asking; });
  });
})();
