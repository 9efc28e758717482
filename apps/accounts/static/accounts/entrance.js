// The log-in pages follow the theme that was chosen in the admin, and begin in the first empty field.
(() => {
  const chosen = (localStorage.getItem("adminTheme") || "auto").replaceAll('"', "");
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
  const fields = "main :is(input[type=text], input[type=password])";
  addEventListener("DOMContentLoaded", () => [...document.querySelectorAll(fields)].find((field) => !field.value)?.focus());
})();
