// Closes the groups of the head by Escape, a click elsewhere, or when the keyboard leaves them.
// Each is a <details>, so that it opens and closes without this as well.
(() => {
  const sections = () => document.querySelectorAll(".nav details[open], .menu[open]");
  const narrow = () => getComputedStyle(document.querySelector(".menu") || document.body).display !== "none";
  const inside = (one, target) =>
    one.contains(target) || (one.matches(".menu") && target.closest && target.closest(".top"));

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    // The innermost that is open, and its summary has the focus again if it was within.
    const within = document.activeElement && document.activeElement.closest(".nav details[open], .top");
    const last = [...sections()].pop();
    if (!last) return;
    last.open = false;
    if (within) last.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    for (const one of sections()) if (!inside(one, event.target)) one.open = false;
  });
  document.addEventListener("focusout", (event) => {
    const one = event.target.closest && event.target.closest(".nav details[open]");
    // On a narrow screen the groups lie below one another, and reading on closes nothing.
    if (one && !narrow() && event.relatedTarget && !one.contains(event.relatedTarget)) one.open = false;
  });
})();
