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

  // The field shows what names hold its text: a person with all videos, or those of their videos that do.
  const find = document.querySelector(".find");
  if (find) {
    const [field, says] = find.children;
    const items = document.querySelectorAll(".contents li");
    const people = [...document.querySelectorAll(".person")].map((section, i) => ({
      section,
      item: items[i],
      name: section.querySelector("h2").textContent.toLowerCase(),
      rows: [...section.querySelectorAll("article")].map((row) => ({
        row, name: row.querySelector("h3").textContent.toLowerCase(),
      })),
    }));
    const filter = () => {
      const text = field.value.trim().toLowerCase();
      let shown = 0;
      for (const { section, item, name, rows } of people) {
        const whole = name.includes(text);
        let any = whole;
        for (const r of rows) {
          const fits = whole || r.name.includes(text);
          r.row.hidden = !fits;
          any ||= fits;
        }
        section.hidden = item.hidden = !any;
        if (any) shown += 1;
      }
      says.textContent = text && `${shown} of ${people.length} ${people.length === 1 ? "person" : "people"}`;
    };
    field.addEventListener("input", filter);
    find.hidden = people.length === 0;
    filter(); // a browser may have kept the text
  }

  // What is folded away belongs on paper too.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      addEventListener("afterprint", () => { details.open = false; }, { once: true });
    }
  });
})();
