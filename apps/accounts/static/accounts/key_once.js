// Copy buttons: data-copy names the field.
document.querySelectorAll("[data-copy]").forEach((button) => {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // without TLS
    }
    button.insertAdjacentText("beforeend", " ✓");
  }, { once: true });
});
