// The menu of networks: rename and delete the chosen one. Imports api, say.

import { ask, Gone } from "./api.js";
import { calm, complain, say } from "./say.js";

const part = (name) => document.getElementById(name);

/** Begin; `chosen()` gives the facts of the chosen network, `changed()` is called when one was renamed or deleted. */
export function startNetworks(chosen, changed) {
  part("rename").addEventListener("click", () => {
    part("new-name").value = chosen().name;
    part("renaming").showModal();
    part("new-name").select();
  });
  part("delete").addEventListener("click", () => {
    part("deleted-name").textContent = chosen().name;
    part("deleting").showModal();
  });
  answered(part("renaming"), async () => {
    const body = JSON.stringify({ name: part("new-name").value });
    const { name } = await ask(`/api/models/${chosen().id}`, { method: "PATCH", body });
    say(`The network is called ${name} now.`);
    await changed();
  });
  answered(part("deleting"), async () => {
    const { id, name } = chosen();
    await ask(`/api/models/${id}`, { method: "DELETE" });
    say(`${name} was deleted.`);
    await changed(id);
  });
}

function answered(dialog, work) {
  dialog.addEventListener("close", async () => {
    if (dialog.returnValue !== "yes") return;
    dialog.returnValue = "";
    try {
      calm("networks");
      await work();
    } catch (error) {
      if (!(error instanceof Gone)) complain(error, "networks");
    }
  });
}
