// The phones that lie on a page: which they are, kept for the next time, and what comes in for them.

import {Handset} from "./handset.js";

const by = id => document.getElementById(id);
const KEPT = "telco.phones";

export class Table {
  #phones = [];

  // `changed` is told the numbers whenever they are others.
  constructor(setup, changed = () => {}) {
    this.setup = setup;
    this.changed = changed;
    setInterval(() => this.#phones.forEach(phone => phone.tick(new Date())), 250);
  }

  get sims() {
    return this.#phones.map(phone => phone.sim);
  }

  // Those of the last time, and new ones up to so many: `least` always, `fresh` where there was no last time.
  set(fresh, least = 0) {
    const sims = kept(this.setup);
    sims.forEach(sim => this.#lay(sim));
    for (let left = Math.max(least, sims.length ? 0 : fresh) - sims.length; left > 0; left -= 1) this.#lay(this.#fresh());
    this.#keep();
  }

  add() {
    const phone = this.#lay(this.#fresh());
    this.#keep();
    return phone;
  }

  take(rows) {
    for (const row of rows) {
      for (const phone of this.#phones) if (row.phone === phone.sim.number) phone.take(row);
    }
  }

  #keep() {
    localStorage.setItem(KEPT, JSON.stringify(this.sims));
    this.changed(this.sims.map(sim => sim.number));
  }

  #fresh() {
    const {network, dialects} = this.setup;
    const taken = new Set(this.sims.map(sim => sim.number));
    let last = 1;
    while (taken.has(`+254711${String(last).padStart(6, "0")}`)) last += 1;
    return {
      number: `+254711${String(last).padStart(6, "0")}`, network, size: "small",
      dialect: "africastalking" in dialects ? "africastalking" : Object.keys(dialects)[0],
    };
  }

  #lay(sim, instead = null) {
    const phone = new Handset(by("handset"), sim, this.setup);
    const {root} = phone.face;
    const form = root.querySelector("form");
    form.addEventListener("submit", event => {
      event.preventDefault();
      phone.press("end");
      this.#lay(Object.fromEntries(new FormData(form)), phone).face.text.focus();
      this.#keep();
    });
    form.querySelector(".remove").addEventListener("click", () => {
      phone.press("end");
      this.#phones.splice(this.#phones.indexOf(phone), 1);
      root.remove();
      this.#keep();
      by("add")?.focus();
    });
    if (instead) {
      instead.face.root.replaceWith(root);
      this.#phones.splice(this.#phones.indexOf(instead), 1, phone);
    } else {
      by("phones").append(root);
      this.#phones.push(phone);
    }
    return phone;
  }
}

function kept(setup) {
  try {
    const sims = JSON.parse(localStorage.getItem(KEPT)) ?? [];
    return sims.filter(sim => setup.networks[sim.network] && setup.dialects[sim.dialect]);
  } catch {
    return [];
  }
}
