// Does the calculation that the public form asks for (see audits/views/work.py), then sends it.
(() => {
  const said = document.querySelector("[data-work]");
  const form = said && said.closest("form");
  if (!form) return;
  const bits = Number(said.dataset.work);
  const batch = 256;

  const begins = (digest) => {
    let zeros = 0;
    for (const byte of new Uint8Array(digest)) {
      if (byte) return zeros + Math.clz32(byte) - 24;
      zeros += 8;
    }
    return zeros;
  };

  const find = async (text) => {
    const words = new TextEncoder();
    for (let first = 0; ; first += batch) {
      const digests = await Promise.all(
        Array.from({ length: batch }, (_, at) =>
          crypto.subtle.digest("SHA-256", words.encode(`${text}:${first + at}`))),
      );
      const found = digests.findIndex((digest) => begins(digest) >= bits);
      if (found >= 0) return first + found;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    said.textContent = said.dataset.busy;
    const typed = form.elements.email;
    const address = (typed ? typed.value : said.dataset.address).trim();
    // Without a secure context (https) a browser cannot; the server then says so.
    const proof = window.crypto && crypto.subtle ? await find(`${form.elements.stamp.value}:${address}`) : "";
    form.elements.proof.value = String(proof);
    form.submit();
  });
})();
