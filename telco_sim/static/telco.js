// The page: phones on a table, a line to the telco, and a drawer at the side.

import {listRows, openDrawer, phonesForFaults} from "./drawer.js";
import {Handset} from "./handset.js";
import {sound} from "./sound.js";
import {ask, follow, tape} from "./wire.js";

const by = id => document.getElementById(id);
const phones = [];
const KEPT = "telco.phones";
const WIDE = matchMedia("(min-width: 70rem)");

function keep() {
  localStorage.setItem(KEPT, JSON.stringify(phones.map(phone => phone.sim)));
  phonesForFaults(phones.map(phone => phone.sim.number));
}

function kept(setup) {
  try {
    const sims = JSON.parse(localStorage.getItem(KEPT)) ?? [];
    return sims.filter(sim => setup.networks[sim.network] && setup.dialects[sim.dialect]);
  } catch {
    return [];
  }
}

function fresh(setup) {
  const taken = new Set(phones.map(phone => phone.sim.number));
  let last = 1;
  while (taken.has(`+254711${String(last).padStart(6, "0")}`)) last += 1;
  return {
    number: `+254711${String(last).padStart(6, "0")}`, network: setup.network, size: "small",
    dialect: "africastalking" in setup.dialects ? "africastalking" : Object.keys(setup.dialects)[0],
  };
}

function lay(setup, sim, after = null) {
  const phone = new Handset(by("handset"), sim, setup);
  const {root} = phone.face;
  const form = root.querySelector("form");
  const replaceWith = other => {
    phones.splice(phones.indexOf(phone), 1, ...(other ? [other] : []));
    keep();
  };
  form.addEventListener("submit", event => {
    event.preventDefault();
    phone.press("end");
    const other = lay(setup, Object.fromEntries(new FormData(form)), root);
    phones.pop();
    root.remove();
    replaceWith(other);
    other.face.text.focus();
  });
  form.querySelector(".remove").addEventListener("click", () => {
    phone.press("end");
    root.remove();
    replaceWith(null);
    by("add").focus();
  });
  if (after) after.after(root);
  else by("phones").append(root);
  phones.push(phone);
  return phone;
}

function record() {
  const button = by("record");
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", on);
  button.lastChild.textContent = on ? "Stop and save" : "Record";
  if (on) tape.start(phones.map(phone => phone.sim));
  else tape.stop();
}

function slide(open) {
  by("drawer").hidden = !open;
  by("toggle").setAttribute("aria-expanded", open);
}

function take(rows) {
  listRows(rows);
  for (const row of rows) {
    for (const phone of phones) if (row.phone === phone.sim.number) phone.take(row);
  }
}

function trouble(words) {
  by("trouble").hidden = !words;
  by("trouble").textContent = words;
}

async function begin() {
  const setup = await ask("GET", "setup");
  by("code").textContent = setup.code;
  by("numbers").textContent = setup.numbers.length ? `or text ${setup.numbers.join(", ")}` : "";
  const sims = kept(setup);
  if (sims.length) sims.forEach(sim => lay(setup, sim));
  else for (let left = WIDE.matches ? 3 : 1; left; left -= 1) lay(setup, fresh(setup));
  keep();
  openDrawer(setup);
  slide(WIDE.matches);
  by("add").addEventListener("click", () => {
    lay(setup, fresh(setup)).face.text.focus();
    keep();
  });
  by("record").addEventListener("click", record);
  by("toggle").addEventListener("click", () => slide(by("drawer").hidden));
  by("sound").addEventListener("click", () => {
    sound.on = !sound.on;
    by("sound").setAttribute("aria-pressed", sound.on);
  });
  setInterval(() => phones.forEach(phone => phone.tick(new Date())), 250);
  follow(setup.last, take, trouble);
}

begin().catch(() => trouble("The telco does not answer. Reload the page when it runs."));
