// Small comforts. Every page is whole without this file.
"use strict";

// Clocks run on from the reading that the server gave.
const { over, copy, copied, refused } = document.currentScript.dataset;
const words = (seconds) => {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
};

const began = performance.now();
const running = [...document.querySelectorAll("[data-clock]")].map((clock) => ({
  clock,
  reading: clock.querySelector("[data-reading]"),
  arc: clock.querySelector(".dial-left"),
  left: Number(clock.dataset.left),
  total: Number(clock.dataset.total),
}));

const tick = () => {
  const passed = Math.floor((performance.now() - began) / 1000);
  for (const { clock, reading, arc, left, total } of running) {
    const now = Math.max(0, left - passed);
    reading.textContent = now ? words(now) : over;
    if (!arc || !total) continue;
    const share = Math.min(100, (100 * now) / total);
    arc.setAttribute("stroke-dasharray", `${share.toFixed(1)} 100`);
    clock.classList.toggle("low", now > 0 && share < 15);
    clock.classList.toggle("over", now === 0);
  }
};
if (running.length) setInterval(tick, 1000);

// A copy button for each block of machine text.
for (const block of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  const say = document.createElement("span");
  button.type = "button";
  button.className = "copy";
  button.textContent = copy;
  button.setAttribute("aria-label", `${copy}: ${block.dataset.copy}`);
  say.className = "unseen";
  say.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.querySelector("pre").textContent);
      button.textContent = say.textContent = copied;
    } catch {
      button.textContent = say.textContent = refused;
    }
    setTimeout(() => { button.textContent = copy; say.textContent = ""; }, 2000);
  });
  block.append(button, say);
}

// Menus close on Escape and on a click elsewhere.
const menus = document.querySelectorAll("[data-menu]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus) {
    if (!menu.open) continue;
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});

// One press, one call: the button says that it was heard, and a second press waits.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(ready, 15_000);
});
const ready = () => {
  for (const form of document.forms) delete form.dataset.sent;
  for (const busy of document.querySelectorAll("[aria-busy]")) busy.removeAttribute("aria-busy");
};
addEventListener("pageshow", ready);
