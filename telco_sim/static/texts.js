// The texts of one phone: threads by the number at the other end, and which of them nobody has read.

import {element} from "./face.js";

export class Texts {
  #all = new Map();
  #unread = new Map();
  current;

  constructor(numbers) {
    this.numbers = numbers;
    for (const number of numbers) this.#all.set(number, []);
    this.current = numbers[0];
  }

  get unread() {
    return [...this.#unread.values()].reduce((sum, each) => sum + each, 0);
  }

  // A sender made of letters cannot be answered.
  get writable() {
    return this.numbers.includes(this.current);
  }

  add(text, fresh = false) {
    const thread = this.#all.get(text.with) ?? [];
    if (thread.some(each => each.number === text.number)) return;
    thread.push(text);
    this.#all.set(text.with, thread);
    if (fresh) this.#unread.set(text.with, (this.#unread.get(text.with) ?? 0) + 1);
    if (fresh) this.current = text.with;
    this.current ??= text.with;
  }

  choose(by) {
    const names = [...this.#all.keys()];
    this.current = names.at((names.indexOf(this.current) + by + names.length) % names.length);
  }

  // Returns the last text of the thread, which is read from now on.
  open(number) {
    this.current = number;
    this.#unread.delete(number);
    return this.#all.get(number)?.at(-1);
  }

  list(open) {
    const rows = [...this.#all].map(([number, thread]) => {
      const row = element("button", "thread");
      row.type = "button";
      row.tabIndex = -1;
      row.setAttribute("aria-current", number === this.current);
      const unread = this.#unread.get(number);
      row.append(element("b", "", `${unread ? `✉${unread} ` : ""}${number}`),
        element("span", "", thread.at(-1)?.text.replaceAll("\n", " ") ?? "no texts yet"));
      row.addEventListener("click", () => open(number));
      return row;
    });
    return rows.length ? rows : [element("p", "", "No texts yet.")];
  }

  lines() {
    const thread = this.#all.get(this.current) ?? [];
    if (!thread.length) return [element("p", "to", this.current ?? ""), element("p", "", "No texts yet.")];
    return thread.map(text => {
      const line = element("p", text.mine ? "mine" : "theirs");
      const at = new Date(text.time).toLocaleTimeString("en-GB", {hour: "2-digit", minute: "2-digit"});
      line.append(element("small", "", `${text.mine ? "you" : text.with} ${at}`), text.text);
      return line;
    });
  }
}
