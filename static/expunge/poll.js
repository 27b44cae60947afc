// Renews the parts of a page that change while work goes on. Without it the page still works:
// it can be loaded again.
(() => {
  const box = document.querySelector("[data-poll]");
  if (!box) return;
  const live = document.getElementById("live");
  const { poll, state, every } = box.dataset;
  const stale = document.getElementById("stale");
  let etag = "";

  // What was typed, ticked or chosen and not sent yet would be lost with the page.
  const touched = new Set();
  document.addEventListener("input", ({ target }) => touched.add(target));
  const text = "textarea, input:not([type=checkbox], [type=radio], [type=hidden])";
  const typed = () =>
    [...document.querySelectorAll(text)].some((one) => one.value !== one.defaultValue) ||
    [...touched].some((one) => one.isConnected && !one.matches(text));

  // What somebody has opened stays open, and the focus stays where it is.
  const swap = (old, part) => {
    for (const each of old.querySelectorAll("details[id]")) {
      const same = part.querySelector(`[id="${each.id}"]`);
      if (same) same.open = each.open;
    }
    if (old.isEqualNode(part)) return;
    const at = old.contains(document.activeElement) ? document.activeElement : null;
    const summary = at && at.tagName === "SUMMARY" ? at.parentElement.id : "";
    old.replaceWith(part);
    const again = at && (summary ? document.querySelector(`[id="${summary}"] > summary`) : document.getElementById(at.id));
    if (again) again.focus({ preventScroll: true });
  };

  const show = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const root = fresh.content.firstElementChild;
    if (root.dataset.state !== state) {
      if (!typed()) return location.reload();
      if (stale && stale.hidden) {
        stale.hidden = false;
        live.textContent = stale.textContent;
      }
      etag = ""; // asked for again, to be loaded once nothing typed is left
      return;
    }
    for (const part of root.querySelectorAll("[data-part]")) {
      const old = box.querySelector(`[data-part="${part.dataset.part}"]`);
      if (old && !old.isEqualNode(part)) swap(old, part);
    }
    if (live.textContent !== root.dataset.phase) live.textContent = root.dataset.phase;
  };

  const tick = async () => {
    if (!document.hidden) {
      const answer = await fetch(poll, { headers: etag ? { "If-None-Match": etag } : {} }).catch(() => null);
      if (answer && (answer.redirected || (answer.status >= 400 && answer.status < 500))) return;
      if (answer && answer.status === 200) {
        etag = answer.headers.get("ETag") || "";
        show(await answer.text());
      }
    }
    setTimeout(tick, every * 1000);
  };
  setTimeout(tick, every * 1000);
})();
