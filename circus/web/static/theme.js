// Before anything is painted: the theme that was chosen here, if one was.
(() => {
  try {
    const theme = localStorage.getItem("circus-theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch { /* storage is switched off: the system's theme */ }
  document.documentElement.dataset.script = "on";
})();
