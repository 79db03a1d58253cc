// The pages work without this. With it they follow what happens, and keys reach the buttons that are there anyway.
"use strict";
(() => {
  const SLOW_MS = 20000, SOON_MS = 400;
  const main = () => document.querySelector("main");
  const stale = document.querySelector(".stale");
  const typing = () => {
    const at = document.activeElement;
    return Boolean(at && at.closest("main form, dialog") && at.matches("input:not([type=hidden]), textarea, select"));
  };
  const dirty = () => [...document.querySelectorAll("main textarea, main input[type=text]")].some((it) => it.value !== it.defaultValue);
  const busy = () => typing() || dirty() || String(document.getSelection()) !== "";
  const openOnes = () => [...document.querySelectorAll("main details")].map((it) => it.open);

  let asked = false, again = false;
  const refresh = async () => {
    if (asked) { again = true; return; }
    if (busy() || document.hidden) { later(SOON_MS * 5); return; }
    asked = true;
    try {
      const answer = await fetch(location.href, { headers: { "x-live": "1" }, cache: "no-store" });
      const type = answer.headers.get("content-type") || "";
      if (!type.startsWith("text/html") || answer.status === 401) { location.reload(); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      if (fresh && !busy() && fresh.innerHTML !== last) {
        last = fresh.innerHTML;
        const was = openOnes();
        main().replaceWith(document.adoptNode(fresh));
        document.querySelectorAll("main details").forEach((it, at) => { if (was[at]) it.open = true; });
        document.dispatchEvent(new Event("forewarn:fresh"));
      }
      document.title = page.title;
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    } finally {
      asked = false;
      if (again) { again = false; later(SOON_MS); }
    }
  };
  let last = main() ? main().innerHTML : "";
  let waiting = 0;
  const later = (ms) => { clearTimeout(waiting); waiting = setTimeout(refresh, ms); };

  const follow = () => {
    const events = new EventSource("/live");
    let first = true;
    events.addEventListener("change", () => { if (!first) later(SOON_MS); first = false; });
    events.onerror = () => { stale.hidden = false; first = false; };
    events.onopen = () => { if (!stale.hidden) later(0); };
    setInterval(refresh, SLOW_MS);
    addEventListener("pagehide", () => events.close());
  };
  if (main() && main().hasAttribute("data-live")) {
    addEventListener("visibilitychange", () => { if (!document.hidden) later(0); });
    follow();
  }

  // A button that was pressed is not pressed twice.
  addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "post") event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((it) => delete it.dataset.sent));

  const press = (verb) => {
    const button = document.querySelector(`main button[value="${verb}"]`);
    if (button) button.focus();
    return button;
  };
  const KEYS = {
    "/": () => { const field = document.querySelector("header input[type=search]"); if (field) { field.focus(); field.select(); } return field; },
    a: () => { const button = press("acknowledge"); if (button) button.click(); return button; },
    r: () => { const button = press("resolve"); if (button) button.form.querySelector("input[type=text]").focus(); return button; },
    e: () => {
      const area = document.querySelector("main textarea");
      if (area) { area.closest("details").open = true; area.focus(); }
      return area;
    },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) {
      if (event.key === "Escape" && event.target.blur) event.target.blur();
      return;
    }
    const act = KEYS[event.key];
    if (act && act()) event.preventDefault();
  });
})();
