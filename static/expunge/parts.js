// Fetches a part of a page when it is opened. Without it a link inside leads to the same text.
(() => {
  const load = async (part) => {
    const into = part.querySelector("[data-into]");
    const address = part.dataset.fetch;
    delete part.dataset.fetch;
    const answer = await fetch(address).catch(() => null);
    const fit = answer && !answer.redirected && (answer.headers.get("Content-Type") || "").startsWith("text/html");
    if (fit && answer.status === 200) into.innerHTML = await answer.text();
    else part.dataset.fetch = address; // the link stays
  };

  for (const part of document.querySelectorAll("details[data-fetch]")) {
    part.addEventListener("toggle", () => {
      if (part.open && part.dataset.fetch) load(part);
    });
    if (part.open) load(part); // as on the page that is printed
  }
})();
