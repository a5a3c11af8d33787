// Follows the live values of the status page; without this script the page is whole, and as of its own time.
"use strict";
(() => {
  const SILENCE_SECONDS = 40;
  const RENEW_SECONDS = 10; // the least age of a page that makes itself anew
  const state = document.getElementById("live-state");
  let heard = Date.now();
  let renewing;

  const say = (isLive, text) => {
    if (isLive) state.setAttribute("data-live-now", "");
    else state.removeAttribute("data-live-now");
    if (state.textContent !== text) state.textContent = text;
  };

  const show = (values) => {
    heard = Date.now();
    say(true, "live");
    for (const element of document.querySelectorAll("[data-live]")) {
      const text = values[element.dataset.live];
      if (text === undefined || element.textContent === text) continue;
      element.textContent = text;
      if (element.dataset.word !== undefined) element.dataset.word = text;
    }
    for (const element of document.querySelectorAll("[data-live-width]")) {
      const width = values[element.dataset.liveWidth];
      if (width !== undefined) element.setAttribute("width", width);
    }
    if (values.revision !== undefined && values.revision !== document.body.dataset.revision) renew();
  };

  // Whoever reads a table or has marked a text is asked first.
  const renew = () => {
    const isRead = document.querySelector("details[open]") || String(document.getSelection());
    if (isRead) document.getElementById("news").hidden = false;
    else if (!renewing) renewing = setTimeout(() => location.reload(), Math.max(0, RENEW_SECONDS * 1000 - performance.now()));
  };

  const source = new EventSource("/live");
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.addEventListener("still", (event) => show(JSON.parse(event.data)));
  source.onerror = () =>
    say(false, source.readyState === EventSource.CLOSED ? "not live: reload to try again" : "not live, trying again");
  setInterval(() => {
    if (Date.now() - heard > SILENCE_SECONDS * 1000) say(false, "not live: nothing has been heard for a while");
  }, 5000);
})();
