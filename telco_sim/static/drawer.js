// The side drawer: what should go wrong, by button, and everything that passed, as it passes.

import {element} from "./face.js";
import {ask, tape} from "./wire.js";

const MOST_ROWS = 200;
const GROUPS = {
  ussd: ["Dialling", {
    "Twice": {deliver: 2}, "Three at once": {deliver: 3, at_once: true}, "3 s late": {delay: 3},
    "Reply lost": {drop_reply: true}, "Caller gone": {hang_up: true}, "Input lost": {empty_input: true},
    "Star typed": {star: true},
    "Path dialled": {prefilled: "1"}, "Other phone": {hop: 2, phone_number: "+254799999999"},
    "Copy overtaken": {overtaken: true}, "Two sessions": {twin: true},
  }],
  sms: ["Texts out", {
    "401": {status: 401}, "429": {status: 429}, "500": {status: 500}, "5 s late": {delay: 5}, "Cut": {ending: "cut"},
    "Never answers": {ending: "hang"}, "Blacklisted": {code: 406}, "No report": {reports: "none"},
    "Report twice": {reports: "duplicate"}, "Reports mixed": {reports: "reordered"},
    "Report first": {reports: "early"}, "Fails": {reports: "failed"}, "Rejected": {reports: "rejected"},
  }],
  twilio: ["Texts out, Twilio", {
    "401": {status: 401}, "429": {status: 429}, "500": {status: 500}, "503": {status: 503}, "Cut": {ending: "cut"},
    "Never answers": {ending: "hang"}, "No report": {reports: "none"}, "Report twice": {reports: "duplicate"},
    "Report first": {reports: "early"}, "Fails": {reports: "failed"}, "Undelivered": {reports: "undelivered"},
  }],
  inbound: ["Texts in", {
    "Twice": {deliver: 2}, "Three at once": {deliver: 3, at_once: true}, "Lost": {deliver: 0}, "3 s late": {delay: 3},
    "Overtaken": {overtaken: true}, "Odd date": {date: "yesterday"},
  }],
};

const by = id => document.getElementById(id);
const NEUTRAL = {phone: null, count: null, delay: 0, status: null, code: null, ending: "answer", reports: "normal",
  deliver: 1, at_once: false, drop_reply: false, hang_up: false, prefilled: null, empty_input: false, hop: null,
  star: false, twin: false, phone_number: null, overtaken: false, date: null, reason: "DeliveryFailure", error_code: 30003};

export function openDrawer(setup) {
  const groups = Object.entries(GROUPS).filter(([kind]) => kind !== "twilio" || setup.twilio);
  by("faults").replaceChildren(...groups.map(([kind, [title, rules]]) => group(kind, title, rules)));
  by("mend").addEventListener("click", () => put({}));
  refresh();
}

export function phonesForFaults(numbers) {
  const chosen = by("fault-phone").value;
  by("fault-phone").replaceChildren(new Option("every phone", ""),
    ...numbers.map(number => new Option(number, number, false, number === chosen)));
}

function group(kind, title, rules) {
  const box = element("details", "group");
  const buttons = element("div", "");
  box.open = kind === "ussd";
  box.append(element("summary", "", title), buttons);
  buttons.append(...Object.entries(rules).map(([name, rule]) => {
    const button = element("button", "fault", name);
    button.type = "button";
    button.dataset.fault = `${kind} ${name}`;
    button.setAttribute("aria-pressed", false);
    button.addEventListener("click", () => toggle(kind, rule, button.getAttribute("aria-pressed") === "true"));
    return button;
  }));
  return box;
}

async function toggle(kind, rule, inForce) {
  const faults = await ask("GET", "faults");
  const phone = by("fault-phone").value || null;
  const count = Number(by("fault-count").value) || null;
  if (inForce) faults[kind] = faults[kind].filter(each => !same(what(each), rule));
  else faults[kind].unshift({...rule, phone, count});
  await put(faults);
}

async function put(faults) {
  const brief = Object.fromEntries(Object.entries(faults).map(([kind, rules]) => [kind, rules.map(shortened)])
    .filter(([, rules]) => rules.length));
  tape.step("faults", brief);
  await ask("POST", "faults", brief);
  await refresh();
}

export async function refresh() {
  const faults = await ask("GET", "faults");
  for (const [kind, [, rules]] of Object.entries(GROUPS)) {
    for (const [name, rule] of Object.entries(rules)) {
      const button = by("faults").querySelector(`[data-fault="${kind} ${name}"]`);
      button?.setAttribute("aria-pressed", faults[kind].some(each => same(what(each), rule)));
    }
  }
  const rows = Object.entries(faults).flatMap(([kind, rules]) => rules.map((rule, index) => {
    const row = element("li", "", `${GROUPS[kind][0]}: ${named(kind, rule)}`);
    const mend = element("button", "", "Mend");
    mend.type = "button";
    mend.addEventListener("click", () => put({...faults, [kind]: rules.filter((_, other) => other !== index)}));
    row.append(mend);
    return row;
  }));
  by("in-force").replaceChildren(...(rows.length ? rows : [element("li", "none", "Everything works.")]));
}

// As few fields as say the same: those that differ from a rule that changes nothing.
function shortened(rule) {
  return Object.fromEntries(Object.entries(rule).filter(([name, value]) => value !== NEUTRAL[name]));
}

function what(rule) {
  const {phone, count, ...rest} = shortened(rule);
  return rest;
}

function named(kind, rule) {
  const {phone, count} = rule;
  const known = Object.entries(GROUPS[kind][1]).find(([, each]) => same(each, what(rule)));
  const often = {1: ", once"}[count] ?? (count ? `, ${count} times` : "");
  return (known?.[0] ?? JSON.stringify(what(rule))) + (phone ? `, for ${phone}` : "") + often;
}

const same = (one, other) => Object.keys({...one, ...other}).every(name => one[name] === other[name]);

export function listRows(rows) {
  const list = by("ledger");
  list.prepend(...rows.slice(-MOST_ROWS).map(drawn).reverse());
  while (list.children.length > MOST_ROWS) list.lastChild.remove();
  if (rows.some(row => /request|^inbound$/.test(row.kind)) && by("in-force").querySelector("button")) refresh();
}

function drawn(row) {
  const line = element("li", row.kind.split(".")[0]);
  const more = element("details", "");
  const head = element("summary", "");
  head.append(element("time", "", row.time.slice(11, 19)), element("b", "", row.kind),
    element("span", "", row.phone), element("q", bad(row.data) ? "bad" : "", said(row)));
  more.append(head);
  more.addEventListener("toggle", () => {
    if (more.children.length === 1) more.append(element("pre", "", JSON.stringify(row.data, null, 1)));
  });
  line.append(more);
  return line;
}

const bad = ({error, errorMessage, status, statusCode}) => Boolean(error || errorMessage) || status >= 400 || statusCode > 102;

function said({kind, data}) {
  const words = {
    "ussd.request": () => `${data.dialect ? `${data.dialect} ` : ""}${data.serviceCode} ${data.text || "(nothing)"}`,
    "ussd.reply": () => data.error || data.body,
    "ussd.end": () => `${data.status}, ${data.hopsCount} hops ${data.errorMessage}`,
    "inbound.post": () => data.answerError || `answered ${data.answered}`,
    "optout": () => data.sender,
    "power": () => (data.on ? "switched on" : "switched off"),
  };
  return (words[kind]?.() ?? data.text ?? data.status ?? data.answerError ?? "").toString().replaceAll("\n", " / ");
}
