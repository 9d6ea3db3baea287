// What a handset looks like: its keys, its screen of lines, its meters. It knows nothing of calls and texts.

import {KEYS, lettersOn} from "./letters.js";

const IN_PADS = new Set(["left", "up", "right", "call", "down", "end"]);
const RED = 8;

export class Face {
  constructor(template, press) {
    this.root = template.content.firstElementChild.cloneNode(true);
    this.find = selector => this.root.querySelector(selector);
    this.text = this.find(".text");
    for (const key of KEYS) this.find(".digits").append(digit(key));
    for (const button of this.root.querySelectorAll("[data-key]")) {
      button.addEventListener("click", () => press(button.dataset.key));
    }
    this.find(".shell").addEventListener("pointerup", event => {
      if (!event.target.closest("button")) this.text.focus();
    });
  }

  sim({number, network, dialect, size}, country, gateway) {
    const name = spaced(number);
    this.root.dataset.size = size;
    this.root.setAttribute("aria-label", `Phone ${name}`);
    this.text.setAttribute("aria-label", `Screen of ${name}`);
    this.find(".number").textContent = name;
    this.find(".where").textContent = [...new Set([network, country, gateway])].join(" · ");
    this.find(".operator").textContent = network;
    const {number: field, size: shown} = this.find("form").elements;
    [field.value, shown.value] = [number, size];
  }

  options(name, options, chosen) {
    this.find(`select[name=${name}]`).replaceChildren(
      ...Object.entries(options).map(([value, label]) => new Option(label, value, false, value === chosen)));
  }

  // `lines` are text, or elements that make their own lines.
  show({lines, typed = null, left = "", right = "", mode = "", kind}) {
    this.root.dataset.kind = kind;
    this.text.replaceChildren(...lines);
    this.find(".typed").textContent = typed ?? "";
    this.find(".typed").hidden = typed === null;
    for (const [name, words] of Object.entries({left, right})) {
      this.find(`.soft .${name}`).textContent = words;
      const key = this.find(`[data-key=${name}]`);
      key.setAttribute("aria-label", words || `${name === "left" ? "Left" : "Right"} soft key, unused`);
    }
    this.find(".soft .mode").textContent = mode;
    const last = this.text.lastElementChild;
    this.text.scrollTop = kind === "thread" && last ? last.offsetTop - this.text.firstElementChild.offsetTop : 0;
    this.more();
  }

  scroll(by) {
    const line = parseFloat(getComputedStyle(this.text).lineHeight);
    this.text.scrollTop += by * 2 * line;
    this.more();
  }

  // Marks that there is more below what a screen this small can show.
  more() {
    const below = this.text.scrollHeight - this.text.clientHeight - this.text.scrollTop > 2;
    this.find(".lcd").classList.toggle("more", below);
  }

  unread(number) {
    this.find(".envelope").textContent = number ? `✉${number}` : "";
    this.root.classList.toggle("has-unread", number > 0);
  }

  count(words, over = false) {
    this.find(".count").textContent = words;
    this.find(".count").classList.toggle("over", over);
  }

  remark(words) {
    this.find(".remark").textContent = words;
  }

  announce(words) {
    this.find(".unseen").textContent = words;
  }

  limits(left) {
    this.find(".limits").hidden = left === null;
    if (left === null) return;
    for (const [name, {seconds, of}] of Object.entries(left)) {
      const bar = this.find(`.${name}`);
      bar.value = seconds / of;
      bar.classList.toggle("short", seconds < RED);
      this.find(`.${name}-left`).textContent = clock(seconds);
    }
  }

  power(on) {
    const button = this.find(".power");
    button.textContent = on ? "Switch off" : "Switch on";
    button.setAttribute("aria-pressed", !on);
    this.find(".status").hidden = !on;
  }

  time(now) {
    this.find(".clock").textContent = now.toLocaleTimeString("en-GB", {hour: "2-digit", minute: "2-digit"});
  }

  flash(key) {
    const button = this.find(`[data-key="${CSS.escape(key)}"]`);
    button?.classList.add("pressed");
    setTimeout(() => button?.classList.remove("pressed"), 120);
  }
}

export function element(kind, name, words = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = words;
  return made;
}

export function spaced(number) {
  return number.replace(/^(\+\d{3})(\d{3})(\d{3})(\d+)$/, "$1 $2 $3 $4");
}

export const isKey = name => KEYS.includes(name) || IN_PADS.has(name);

function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function digit(key) {
  const button = element("button", "");
  button.type = "button";
  button.dataset.key = key;
  button.append(element("b", "", key), element("small", "", lettersOn(key)));
  button.setAttribute("aria-label", {"*": "star", "#": "hash"}[key] ?? key);
  return button;
}
