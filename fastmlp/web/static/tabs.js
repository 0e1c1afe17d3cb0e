// The tabs, and the end of the address, which names the one that is open: #draw, or #train?recipe=... Imports
// nothing.

const tabs = [...document.querySelectorAll("[role=tab]")];
const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

/** The tab that is open. */
export const openTab = () => tabs.find((tab) => tab.getAttribute("aria-selected") === "true").getAttribute("aria-controls");

/** Names of the tabs. */
export const names = tabs.map((tab) => tab.getAttribute("aria-controls"));

/** Open a tab by its name; unknown names open the first. */
export function open(name) {
  const chosen = tabs[Math.max(0, names.indexOf(name))];
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    panel(tab).hidden = tab !== chosen;
  }
  return chosen;
}

/** Begin; `onOpen` is called when a user opened a tab. */
export function startTabs(onOpen) {
  tabs.forEach((tab, number) => {
    tab.addEventListener("click", () => onOpen(open(tab.getAttribute("aria-controls"))));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(number + step + tabs.length) % tabs.length];
      next.focus();
      onOpen(open(next.getAttribute("aria-controls")));
    });
  });
}
