// Live updates of running jobs. Everything else works without this file.
"use strict";
(() => {
  const source = new EventSource("/live");
  let pending = false, opened = false;

  // Replace the changing parts of the page with those of a new copy from the server.
  async function refresh() {
    if (pending) return;
    pending = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
        if (other && !part.contains(document.activeElement?.closest("input"))) part.replaceWith(other);
      }
    } finally {
      pending = false;
    }
  }

  // Times are shown in UTC; the tooltip has the reader's local time.
  for (const t of document.querySelectorAll("time")) t.title = new Date(t.dateTime).toLocaleString();

  // Events may have been lost while the connection was down: refresh.
  source.onopen = () => { if (opened) refresh(); opened = true; };
  source.addEventListener("changed", () => setTimeout(refresh, 100));
  source.addEventListener("run", () => setTimeout(refresh, 100));
  source.addEventListener("line", (e) => {
    const line = JSON.parse(e.data);
    const log = document.querySelector(`pre.lines[data-job="${line.job}"]`);
    if (!log) return;
    log.append(line.text + "\n");
    log.scrollTop = log.scrollHeight;
  });
  source.addEventListener("meter", (e) => {
    const m = JSON.parse(e.data);
    for (const meter of document.querySelectorAll(`.job[data-job="${m.job}"] .meter`)) {
      meter.hidden = false;
      meter.querySelector(".phase").textContent = m.phase + (m.for_s ? ` ${Math.round(m.elapsed_s || 0)} of ${Math.round(m.for_s)} s` : "");
      const measured = m.good !== undefined;
      if (measured) meter.querySelector("progress").value = m.good; else meter.querySelector("progress").removeAttribute("value");
      meter.querySelector("output").textContent = measured ? `${(100 * m.good).toFixed(1)}% of ${m.users} users` : "no users yet";
    }
  });
})();
