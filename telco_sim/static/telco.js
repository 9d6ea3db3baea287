// The page: phones on a table, a line to the telco, and a drawer at the side.

import {listRows, openDrawer, phonesForFaults} from "./drawer.js";
import {sound} from "./sound.js";
import {Table} from "./table.js";
import {ask, follow, tape} from "./wire.js";

const by = id => document.getElementById(id);
const WIDE = matchMedia("(min-width: 70rem)");
let table;

function record() {
  const button = by("record");
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", on);
  button.lastChild.textContent = on ? "Stop and save" : "Record";
  if (on) tape.start(table.sims);
  else tape.stop();
}

function slide(open) {
  by("drawer").hidden = !open;
  by("toggle").setAttribute("aria-expanded", open);
}

function take(rows) {
  listRows(rows);
  table.take(rows);
}

function trouble(words) {
  by("trouble").hidden = !words;
  by("trouble").textContent = words;
}

async function begin() {
  const setup = await ask("GET", "setup");
  by("code").textContent = setup.code;
  by("numbers").textContent = setup.numbers.length ? `or text ${setup.numbers.join(", ")}` : "";
  openDrawer(setup);
  table = new Table(setup, numbers => phonesForFaults(numbers));
  table.set(WIDE.matches ? 3 : 1);
  slide(WIDE.matches);
  by("add").addEventListener("click", () => table.add().face.text.focus());
  by("record").addEventListener("click", record);
  by("toggle").addEventListener("click", () => slide(by("drawer").hidden));
  by("sound").addEventListener("click", () => {
    sound.on = !sound.on;
    by("sound").setAttribute("aria-pressed", sound.on);
  });
  follow(setup.last, take, trouble);
}

begin().catch(() => trouble("The telco does not answer. Reload the page when it runs."));
