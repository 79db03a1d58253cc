// The pages work without this. With it they follow what happens, and keys reach the buttons that are there anyway.
"use strict";
(() => {
  const SLOW_MS = 20000, SOON_MS = 400, RUNNING_MS = 1000;
  const main = () => document.querySelector("main");
  const stale = document.querySelector(".stale");
  const typing = () => {
    const at = document.activeElement;
    return Boolean(at && at.closest("main form, dialog") && at.matches("input:not([type=hidden]), textarea, select"));
  };
  const dirty = () => [...document.querySelectorAll("main textarea, main input[type=text]")].some((it) => it.value !== it.defaultValue);
  const busy = () => typing() || dirty() || String(document.getSelection()) !== "";
  // What is open stays open, and an output that is read at its end stays at its end.
  const named = (it) => it.dataset.keep || it.closest("[id]")?.id + "/" + it.className;
  const openOnes = () => new Set([...document.querySelectorAll("main details[open]")].map(named));
  const closedOnes = () => new Set([...document.querySelectorAll("main details:not([open])")].map(named));
  const toTheEnd = () => document.querySelectorAll("main [data-running] pre").forEach((it) => { it.scrollTop = it.scrollHeight; });

  let me = "";
  const asMe = () => { if (me) document.querySelectorAll("main select[name=by]").forEach((it) => { it.value = me; }); };

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
        const open = openOnes(), closed = closedOnes();
        const focused = document.activeElement && document.activeElement.id;
        main().replaceWith(document.adoptNode(fresh));
        document.querySelectorAll("main details").forEach((it) => {
          if (open.has(named(it))) it.open = true;
          else if (closed.has(named(it))) it.open = false;
        });
        if (focused) document.getElementById(focused)?.focus();
        document.dispatchEvent(new Event("forewarn:fresh"));
        tick();
        toTheEnd();
        asMe();
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
    // What happened between the page's making and our listening is not missed: the first event says how many changes there were.
    events.addEventListener("change", (event) => { if (JSON.parse(event.data).count !== Number(main().dataset.live)) later(SOON_MS); });
    events.onerror = () => { stale.hidden = false; };
    events.onopen = () => { if (!stale.hidden) later(0); };
    setInterval(refresh, SLOW_MS);
    setInterval(() => { if (document.querySelector("main [data-running]")) refresh(); }, RUNNING_MS);
    addEventListener("pagehide", () => events.close());
  };
  if (main() && main().hasAttribute("data-live")) {
    addEventListener("visibilitychange", () => { if (!document.hidden) later(0); });
    follow();
  }

  // How long a message can still be taken back, second by second; without script the page says until when.
  const tick = () => document.querySelectorAll("time[data-until]").forEach((it) => {
    const left = Math.max(0, Math.round(it.dataset.until - Date.now() / 1000));
    it.textContent = it.dataset.say.replace("#", String(left));
    if (left === 0 && !it.dataset.over) { it.dataset.over = "1"; later(SOON_MS * 2); }
  });
  setInterval(tick, 1000);
  tick();
  toTheEnd();

  // Who says so once, says so for every button of the page.
  addEventListener("change", (event) => {
    if (!event.target.matches("main select[name=by]")) return;
    me = event.target.value;
    asMe();
  });

  // A button that was pressed is not pressed twice.
  addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "post") event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((it) => delete it.dataset.sent));

  const help = document.querySelector("dialog.keys");
  const press = (verb) => {
    const button = document.querySelector(`main button[value="${verb}"]`);
    const inside = button && button.closest("details");
    if (inside) inside.open = true;
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
    "?": () => { if (help && !help.open) help.showModal(); return help; },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) {
      if (event.key === "Escape" && event.target.blur) event.target.blur();
      return;
    }
    if (help && help.open) return;
    const act = KEYS[event.key];
    if (act && act()) event.preventDefault();
  });
})();
