// Three things side by side: phones, a panel, a board; and a tour that leads from one to the other.

import {Table} from "./table.js";
import {ask, follow} from "./wire.js";

const by = id => document.getElementById(id);
const TOURED = "telco.toured"; // see toured.js
const ROOT = document.documentElement.classList;

function show(place) {
  document.body.dataset.shown = place;
  for (const button of document.querySelectorAll(".places button")) {
    button.setAttribute("aria-pressed", button.dataset.place === place);
  }
}

// One phone is held and shows its keys; the others show their screens. It changes once a finger is lifted, or what it
// was about to press would have moved away under it.
function holdOne() {
  let pressing = false;
  const hold = () => {
    const phones = [...by("phones").querySelectorAll(".handset")];
    const chosen = document.activeElement.closest(".handset") ?? phones.find(each => each.classList.contains("held"));
    const held = chosen && phones.includes(chosen) ? chosen : phones[0];
    for (const phone of phones) phone.classList.toggle("held", phone === held);
  };
  document.addEventListener("pointerdown", () => { pressing = true; }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(() => {
      pressing = false;
      hold();
    }), true);
  }
  by("phones").addEventListener("focusin", () => pressing || hold());
  new MutationObserver(hold).observe(by("phones"), {childList: true});
  hold();
}

class Tour {
  #at = 0;

  constructor(box) {
    this.box = box;
    this.steps = [...box.querySelectorAll(".step")];
    by("begin").addEventListener("click", () => {
      this.go(0);
      by("tour-title").focus();
    });
    by("next").addEventListener("click", () => (this.#at + 1 < this.steps.length ? this.go(this.#at + 1) : this.end()));
    by("back").addEventListener("click", () => this.go(this.#at - 1));
    by("skip").addEventListener("click", () => this.end());
    box.addEventListener("keydown", event => event.key === "Escape" && this.end());
    if (!ROOT.contains("toured")) this.go(0);
  }

  go(at) {
    this.#at = at;
    const last = at + 1 === this.steps.length;
    ROOT.remove("toured");
    this.steps.forEach((step, index) => { step.hidden = index !== at; });
    by("next").textContent = last ? "Done" : "Next";
    by("skip").hidden = last;
    by("back").disabled = at === 0;
    this.#point(this.steps[at].dataset.place);
    show(this.steps[at].dataset.place);
  }

  end() {
    localStorage.setItem(TOURED, "yes");
    ROOT.add("toured");
    this.#point(null);
    by("begin").focus();
  }

  #point(place) {
    for (const section of document.querySelectorAll(".stage > section")) {
      section.classList.toggle("pointed", section.id === `place-${place}`);
    }
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
  const table = new Table(setup);
  table.set(3, 3);
  holdOne();
  for (const button of document.querySelectorAll(".places button")) {
    button.addEventListener("click", () => show(button.dataset.place));
  }
  if (by("tour")) new Tour(by("tour"));
  follow(setup.last, rows => table.take(rows), trouble);
}

begin().catch(() => trouble("The telco does not answer. Reload the page when it runs."));
