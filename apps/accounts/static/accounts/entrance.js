// The log-in pages follow the theme that was chosen in the admin.
(() => {
  const chosen = (localStorage.getItem("adminTheme") || "auto").replaceAll('"', "");
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
