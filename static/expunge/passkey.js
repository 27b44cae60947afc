// Asks the browser for a passkey and sends it with the form around the button that was pressed.
(() => {
  const known = window.PublicKeyCredential;
  if (!known?.parseRequestOptionsFromJSON) return;

  const options = async (form) => {
    if (form.dataset.passkey !== "login") {
      return JSON.parse(document.getElementById("passkey-options").textContent);
    }
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`The site answered ${answer.status}.`);
    return answer.json();
  };

  const created = async (form) => {
    const asked = (await options(form)).creation_options.publicKey;
    const alone = form.elements.passwordless.checked;
    asked.authenticatorSelection = {
      ...asked.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      userVerification: alone ? "required" : "preferred",
    };
    return navigator.credentials.create({
      publicKey: known.parseCreationOptionsFromJSON(asked),
    });
  };

  const shown = async (form) => {
    const asked = (await options(form)).request_options.publicKey;
    return navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(asked) });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const refused = form.querySelector("[role=alert]");
    form.hidden = false;
    form.querySelector("button").addEventListener("click", async () => {
      refused.hidden = true;
      try {
        const found = await (form.dataset.passkey === "create" ? created(form) : shown(form));
        form.elements.credential.value = JSON.stringify(found);
        form.submit();
      } catch (error) {
        console.warn(error);
        refused.hidden = false;
      }
    });
  }
})();
