"use strict";
(() => {
  const status = document.getElementById("status");
  let hide = 0;

  // The clipboard API is missing on pages without a secure origin, and refused without permission; then the older
  // way is tried, which needs a focused, selected field.
  async function copy(text, from) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.readOnly = true;
      field.className = "offscreen";
      document.body.append(field);
      field.select();
      let done = false;
      try { done = document.execCommand("copy"); } catch { /* stays false */ }
      field.remove();
      if (from.focus) from.focus({ preventScroll: true });
      return done;
    }
  }

  function say(before, text, after, keep) {
    const code = document.createElement("code");
    code.textContent = text;
    status.replaceChildren(before, code, after);
    status.classList.add("shown");
    clearTimeout(hide);
    if (!keep) hide = setTimeout(() => status.classList.remove("shown"), 2200);
    return code;
  }

  document.addEventListener("click", async (event) => {
    const from = event.target.closest("[data-time]");
    if (!from) return;
    const time = from.dataset.time;
    if (await copy(time, from)) {
      say("Copied ", time, "");
      from.classList.add("copied");
      setTimeout(() => from.classList.remove("copied"), 1200);
    } else {
      const code = say("Press Ctrl+C to copy ", time, "", true);
      getSelection().selectAllChildren(code);
    }
  });

  // What is folded away belongs on paper too.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      addEventListener("afterprint", () => { details.open = false; }, { once: true });
    }
  });
})();
