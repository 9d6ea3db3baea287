// One phone in somebody's hand: what its keys do, on which screen, and what comes in meanwhile.

import {element, Face} from "./face.js";
import {measure, Taps} from "./letters.js";
import {Power} from "./power.js";
import {chirp} from "./sound.js";
import {Texts} from "./texts.js";
import {ask, tape} from "./wire.js";

const LIMIT = {"GSM-7": 160, "UCS-2": 80};

export class Handset {
  #call = 0;
  #screen = null;
  #taps = new Taps();
  #letters = false;
  #typed = "";

  constructor(template, sim, setup) {
    this.sim = sim;
    this.setup = setup;
    this.face = new Face(template, key => this.press(key));
    this.texts = new Texts(setup.numbers);
    this.power = new Power({phone: sim.number, on: !setup.off.includes(sim.number), face: this.face,
      changed: on => this.#powered(on)});
    this.face.root.addEventListener("keydown", event => this.#keyboard(event));
    this.redraw();
    this.face.time(new Date());
    this.idle();
    ask("GET", `inbox/${encodeURIComponent(sim.number)}`).then(({texts}) => {
      texts.forEach(text => this.texts.add({...text, with: text.from}));
      if (this.mode === "idle") this.idle();
    }, () => {});
  }

  redraw() {
    const {networks, dialects, network} = this.setup;
    this.face.sim(this.sim, networks[this.sim.network].country, dialects[this.sim.dialect]);
    this.face.options("network", Object.fromEntries(Object.entries(networks).map(
      ([name, {country}]) => [name, `${name}, ${country}`])), this.sim.network ?? network);
    this.face.options("dialect", dialects, this.sim.dialect);
  }

  press(key) {
    this.face.flash(key);
    if (!this.power.on) return;
    if (key === "up" || key === "down") this.#move(key === "up" ? -1 : 1);
    else if (key === "call") this.#green();
    else if (key === "end") this.#red();
    else if (key === "left") this.#soft.left?.();
    else if (key === "right") this.#soft.right?.();
    else this.#digit(key);
  }

  idle() {
    this.mode = "idle";
    this.#typed = "";
    this.face.remark("");
    this.face.count("");
    this.face.power(this.power.on);
    if (!this.power.on) return this.#view({lines: [], kind: "off"}, {});
    const hint = this.texts.unread
      ? [element("p", "big", `✉ ${this.texts.unread}`), element("p", "", "unread: press Read")]
      : [element("p", "big", this.sim.number.slice(-4)), element("p", "", `Call dials ${this.setup.code}`)];
    this.#view({
      lines: hint, kind: "idle", left: this.texts.unread ? "Read" : "Texts", right: "",
    }, {left: () => this.#inbox()});
  }

  async dial(code) {
    if (this.mode === "ussd") await this.#hangUp();
    const {number: phone, network, dialect} = this.sim;
    tape.step("dial", {phone, code});
    await this.#hop(() => ask("POST", "dial", {phone, code, network, dialect}));
  }

  take(row) {
    const {data} = row;
    if (row.kind === "power") return this.power.take(row);
    if (row.kind === "inbound") {
      this.texts.add({number: row.number, text: data.text, with: data.to, mine: true, time: row.time});
    } else if (row.kind === "ussd.end" && data.sessionId === this.#screen?.session && this.mode === "ussd") {
      this.#ended("The network ended the session.");
    } else if (data.delivered) {
      this.texts.add({number: row.number, text: data.text, with: data.from, parts: data.parts, time: row.time}, true);
      chirp();
      this.face.announce(`New text from ${data.from}: ${data.text}`);
    } else return;
    this.face.unread(this.texts.unread);
    if (this.mode === "idle" && !this.#typed) this.idle();
    if (this.mode === "threads") this.#inbox();
    if (this.mode === "thread" && this.texts.current === (data.from ?? data.to)) this.#thread();
  }

  tick(now) {
    this.face.time(now);
    if (this.mode !== "ussd") return this.face.limits(null);
    const gone = (performance.now() - this.#screen.at) / 1000;
    const {idle, total} = this.setup.networks[this.sim.network];
    this.face.limits({
      idle: {seconds: this.#screen.seconds - gone, of: idle},
      total: {seconds: this.#screen.total - gone, of: total},
    });
    if (gone > this.#screen.seconds + 0.5) this.#ended("Nobody answered, so the network ended the session.");
  }

  #soft = {};

  #view(what, soft) {
    this.#soft = soft;
    this.face.show(what);
    if (what.kind !== "ussd") this.face.limits(null);
    this.face.unread(this.texts.unread);
  }

  async #hop(turn) {
    const call = ++this.#call;
    this.mode = "wait";
    this.face.remark("");
    this.#view({lines: [element("p", "running", "USSD code running")], kind: "wait", right: "Cancel"},
      {right: () => this.#red()});
    let screen;
    try {
      screen = await turn();
    } catch (error) {
      screen = {text: "Not possible.", open: false, error: error.message, units: 13, alphabet: "GSM-7", warning: ""};
    }
    if (call !== this.#call) {
      if (screen.open) ask("POST", "hangup", {session: screen.session});
      return;
    }
    this.#screen = {...screen, at: performance.now()};
    tape.saw(this.sim.number, screen);
    this.#shown();
  }

  #shown() {
    const {text, open, units, alphabet, warning, error} = this.#screen;
    this.mode = open ? "ussd" : "over";
    [this.#typed, this.#letters] = ["", false];
    this.#ussd();
    this.face.announce(`${text}${open ? "" : " The session ended."}`);
    this.face.count(`${units} of ${LIMIT[alphabet]} ${alphabet} units`, units > LIMIT[alphabet]);
    this.face.remark([warning, error].filter(Boolean).join(" "));
    this.tick(new Date());
  }

  #ussd() {
    const {text, open} = this.#screen;
    const lines = [document.createTextNode(text)];
    if (!open) return this.#view({lines, kind: "over", left: "OK"}, {left: () => this.idle()});
    const at = this.face.text.scrollTop;
    this.#view({
      lines, kind: "ussd", typed: `${this.#typed}▏`, left: "Send", right: this.#typed ? "Clear" : "Cancel",
      mode: this.#letters ? "abc" : "123",
    }, {left: () => this.#send(), right: () => (this.#typed ? this.#erase() : this.#red())});
    if (this.#typed) this.face.text.scrollTop = at;
  }

  #ended(why) {
    this.#screen.open = false;
    this.mode = "over";
    this.face.remark(why);
    this.face.announce(why);
    this.#ussd();
  }

  #send() {
    const [session, input] = [this.#screen.session, this.#typed];
    tape.step("press", {phone: this.sim.number, keys: input});
    return this.#hop(() => ask("POST", "press", {session, input}));
  }

  #green() {
    if (this.mode === "ussd") this.#send();
    else if (this.mode === "write") this.#post();
    else if (this.mode !== "wait") this.dial(this.mode === "idle" && this.#typed ? this.#typed : this.setup.code);
  }

  async #red() {
    this.#call += 1;
    if (this.mode === "ussd" || (this.mode === "wait" && this.#screen?.open)) await this.#hangUp();
    this.idle();
  }

  async #hangUp() {
    this.mode = "over";
    tape.step("hangup", {phone: this.sim.number});
    await ask("POST", "hangup", {session: this.#screen.session}).catch(() => {});
  }

  #powered(on) {
    this.#call += 1;
    this.idle();
    this.face.remark(on ? "" : "The phone is off. Texts wait for it.");
  }

  #digit(key) {
    if (["threads", "thread", "wait", "over"].includes(this.mode)) {
      if (this.mode !== "over") return;
      this.idle();
    }
    if (key === "#" && (this.mode === "write" || this.mode === "ussd")) this.#letters = !this.#letters;
    else if (this.#letters) this.#typed = this.#taps.press(this.#typed, key);
    else this.#typed += key;
    this.#refresh();
  }

  #erase() {
    this.#typed = this.#typed.slice(0, -1);
    this.#refresh();
  }

  #refresh() {
    if (this.mode === "ussd") this.#ussd();
    else if (this.mode === "write") this.#write();
    else if (!this.#typed) this.idle();
    else {
      this.#view({lines: [element("p", "dialling", this.#typed)], kind: "idle", left: "Call", right: "Clear"},
        {left: () => this.#green(), right: () => this.#erase()});
    }
  }

  #move(by) {
    if (this.mode === "threads") {
      this.texts.choose(by);
      this.#inbox();
    } else this.face.scroll(by);
  }

  #inbox() {
    this.mode = "threads";
    const lines = this.texts.list(number => this.#thread(number));
    this.face.count("");
    this.#view({lines, kind: "threads", left: "Open", right: "Back"},
      {left: () => this.#thread(this.texts.current), right: () => this.idle()});
  }

  #thread(number = this.texts.current) {
    this.mode = "thread";
    const last = this.texts.open(number);
    const size = last && measure(last.text);
    this.face.count(size ? `${size.units} ${size.alphabet} units, ${size.parts} SMS` : "");
    this.#view({lines: this.texts.lines(), kind: "thread", left: this.texts.writable ? "Reply" : "", right: "Back"}, {
      left: () => this.texts.writable && this.#compose(), right: () => this.#inbox(),
    });
  }

  #compose() {
    this.mode = "write";
    [this.#typed, this.#letters] = ["", true];
    this.#write();
  }

  #write() {
    const size = measure(this.#typed);
    const lines = [element("p", "to", `To ${this.texts.current}`), document.createTextNode(`${this.#typed}▏`)];
    this.#view({lines, kind: "write", left: "Send", right: this.#typed ? "Clear" : "Back",
      mode: this.#letters ? "abc" : "123"},
    {left: () => this.#post(), right: () => (this.#typed ? this.#erase() : this.#thread())});
    this.face.count(`${size.units} ${size.alphabet} units, ${size.parts} SMS`, size.parts > 1);
    this.face.text.scrollTop = this.face.text.scrollHeight;
  }

  async #post() {
    const what = {phone: this.sim.number, to: this.texts.current, text: this.#typed};
    if (!what.text) return;
    tape.step("text", what);
    this.#thread();
    try {
      const {answers} = await ask("POST", "text", what);
      this.face.remark([...new Set(answers.map(answer => answer.error).filter(Boolean))].join(" "));
    } catch (error) {
      this.face.remark(error.message);
    }
  }

  #keyboard(event) {
    if (!this.power.on || event.target.closest(".sim") || event.ctrlKey || event.metaKey || event.altKey) return;
    const free = !event.target.closest("button");
    const keys = {Escape: "end", Backspace: "erase", ArrowUp: "up", ArrowDown: "down", ...(free && {Enter: "left"})};
    const key = keys[event.key] ?? event.key;
    if (key === "erase") this.#erase();
    else if (key === "left" && this.mode === "idle" && !this.texts.unread) this.press("call");
    else if (/^[0-9*#]$/.test(key)) this.#type(key);
    else if (["end", "up", "down", "left"].includes(key)) this.press(key);
    else if (key.length === 1 && ["ussd", "write"].includes(this.mode) && (free || key !== " ")) this.#type(key);
    else return;
    event.preventDefault();
  }

  // A keyboard has letters of its own.
  #type(character) {
    if (/^[0-9*#]$/.test(character)) this.face.flash(character);
    if (["ussd", "write"].includes(this.mode)) {
      this.#typed += character;
      this.#refresh();
    } else this.#digit(character);
  }
}
