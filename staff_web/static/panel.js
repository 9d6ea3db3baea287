// Makes the panel live. Without it every button and every link works all the same.
"use strict";

const POLL = 10_000; // the truth, whatever the socket says
const STALE = 15_000;
const SLOWEST = 15_000;
const LAST = 120_000; // before the session is over
let tag = null; // of the state that is shown
let trueAt = Date.now();
let looking = false;
let missed = false; // something changed while we looked
let kept = false; // some region still shows what was
let tries = 0;
let endsAt = Infinity; // when the session is over if nobody does anything
let staying = false; // somebody is here and wants it to go on: the next look says so

const scriptOf = (page) => page.querySelector("script[src]").getAttribute("src");
const release = scriptOf(document);
const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const byId = (id) => document.getElementById(id);
const versionOf = (page) => Number(page.getElementById("live").dataset.version);
const buttonOf = (form) => form.querySelector("button").id;
const skew = Date.now() - Date.parse(byId("asof").dataset.at); // this machine's clock may be wrong

const isChanged = (field) =>
  field.matches("select") ? !field.options[field.selectedIndex].defaultSelected && field.selectedIndex > 0
    : field.value !== field.defaultValue;

// Somebody types, chooses or presses there: it waits until he is done.
const inUse = (region) =>
  region.matches(":active") || region.querySelector("details[open]") ||
  [...region.querySelectorAll("input:focus, select:focus, textarea:focus")].some(isChanged);

// On the same thing, or on what is about it, so that the next Tab goes on from there.
function keepFocus(work) {
  const was = document.activeElement;
  const around = was.closest("[data-live]");
  work();
  if (was.isConnected) return;
  const same = was.id && byId(was.id);
  const place = same && !same.disabled ? same : around && byId(around.id);
  if (!place) return;
  if (place.matches("[data-live]")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

// What was typed and not yet sent stays, and a press without an answer keeps its name: it is never done twice.
// `done` is the button that was answered; what was typed with it stays if it was refused.
function carry(old, fresh, done, refused) {
  for (const form of document.forms) {
    const button = old.contains(form) && buttonOf(form);
    const same = button && fresh.querySelector(`#${CSS.escape(button)}`)?.form;
    if (!same || (button === done && !refused)) continue;
    for (const field of form.querySelectorAll("input:not([type=hidden]), select")) {
      same.elements[field.name].value = field.value;
    }
    if (button !== done && form.dataset.unanswered) {
      same.dataset.unanswered = "1";
      same.elements.request.value = form.elements.request.value;
    }
  }
}

// Nothing is typed, chosen or pressed that a page loaded anew would lose.
const isIdle = () =>
  ![...document.querySelectorAll("[data-live]")].some(inUse) &&
  ![...document.forms].some((form) => form.dataset.unanswered || [...form.querySelectorAll("input:not([type=hidden]), select")].some(isChanged));

function renew(old, fresh) {
  carry(old, fresh);
  const at = old.querySelector(".people")?.scrollTop;
  old.replaceWith(fresh);
  fresh.querySelector(".people")?.scrollTo(0, at ?? 0);
}

// What the page finds by itself: regions alone, and not those in use.
function showRegions(fresh) {
  kept = false;
  keepFocus(() => {
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now && inUse(old)) kept = true;
      else if (now) renew(old, now);
    }
  });
  byId("live").dataset.version = versionOf(fresh);
}

// What a press led to: the whole page, but for the line of words, which readers of screens listen to.
function showAll(fresh, done) {
  const asked = fresh.querySelector("main [autofocus]");
  asked?.removeAttribute("autofocus"); // a browser heeds it on its own pages only
  keepFocus(() => {
    carry(byId("live"), fresh, done, fresh.querySelector("#said .bad"));
    byId("said").replaceChildren(...fresh.getElementById("said").childNodes);
    byId("live").replaceWith(fresh.getElementById("live"));
    document.title = fresh.title;
  });
  asked?.focus();
}

function isTrue() {
  trueAt = Date.now();
  const line = byId("asof");
  if (line) {
    line.classList.remove("stale");
    line.textContent = "Up to date";
    line.removeAttribute("role");
  }
}

// Answers say how long the session goes on. `active`: somebody did something; after twelve hours not even that renews it.
function heardOf(answer, active) {
  const left = answer.headers.get("X-Session-Ends");
  if (left === null) return;
  endsAt = Date.now() + 1000 * left;
  if (active) {
    staying = false;
    byId("ending").querySelector("button").hidden = endsAt - Date.now() < LAST;
  }
  warn();
}

function warn() {
  const line = byId("ending");
  const soon = endsAt - Date.now() < LAST;
  if (line.hidden !== soon) return;
  const at = new Date(endsAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  line.querySelector("span").textContent = `You will be logged out at ${at}. What is typed and not sent is lost then.`;
  line.hidden = !soon;
}

function stay() {
  staying = true;
  look();
}

async function look() {
  missed = looking;
  if (looking) return;
  looking = true;
  try {
    const { href } = location;
    const active = staying;
    const headers = { ...(!active && { "X-Live": "1" }), ...(tag && { "If-None-Match": tag }) };
    const answer = await fetch(href, { headers, cache: "no-store", signal: AbortSignal.timeout(8000) });
    heardOf(answer, active);
    if (answer.redirected) location.assign(answer.url);
    else if (answer.status === 304) isTrue();
    else if (answer.ok) {
      const fresh = parse(await answer.text());
      if (href !== location.href) missed = true; // a press led elsewhere meanwhile
      else if (scriptOf(fresh) !== release && isIdle()) location.reload(); // a new release
      else if (versionOf(fresh) >= versionOf(document)) { // else a press showed something newer
        showRegions(fresh);
        tag = kept ? null : answer.headers.get("ETag");
        isTrue();
      }
    }
  } catch { /* `ages` says so when it lasts */ }
  looking = false;
  if (missed) hint();
}

let soon = 0;
function hint() {
  clearTimeout(soon);
  soon = setTimeout(look, 40);
}

// Other words are another press: under the old name the answer would be of the first.
function edited({ target: { form } }) {
  if (!form?.dataset.unanswered) return;
  form.elements.request.value = crypto.randomUUID();
  delete form.dataset.unanswered;
}

async function press(event) {
  const form = event.target;
  if (form.method !== "post" || form.action.endsWith("/staff/logout")) return;
  event.preventDefault();
  if (form.dataset.pressed) return; // once is enough
  form.dataset.pressed = form.dataset.unanswered = "1";
  const button = event.submitter;
  button?.setAttribute("aria-disabled", "true");
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(10_000) });
    const fresh = parse(await answer.text());
    heardOf(answer, true);
    if (!answer.ok) throw new Error(fresh.body.textContent);
    if (new URL(answer.url).pathname !== location.pathname) { location.assign(answer.url); return; }
    history.replaceState(null, "", answer.url);
    tag = answer.headers.get("ETag");
    showAll(fresh, buttonOf(form));
    isTrue();
  } catch (problem) {
    const plain = problem.name === "Error" && problem.message ? problem.message
      : "No answer. It may have been done or not. Press again: it is never done twice.";
    const words = document.createElement("p");
    words.className = "bad";
    words.textContent = `! ${plain}`;
    byId("said").replaceChildren(words);
    delete form.dataset.pressed;
    button?.removeAttribute("aria-disabled");
  }
}

function ages() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(1, Math.round((Date.now() - skew - Date.parse(time.dataset.since)) / 1000));
    const words = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
    if (time.textContent !== words) time.textContent = words;
  }
  warn();
  const line = byId("asof");
  if (line && Date.now() - trueAt > STALE && !line.classList.contains("stale")) {
    line.classList.add("stale");
    line.setAttribute("role", "alert");
    const since = new Date(trueAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    line.textContent = `Not up to date since ${since}. What you press is still safe.`;
  }
}

// The socket only says that something changed; it comes back by itself, later and later, at uneven times.
function listen() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/staff/ws`);
  socket.onopen = () => {
    socket.send(JSON.stringify({ type: "subscribe", to: `branch:${document.body.dataset.branch}` }));
    hint();
  };
  socket.onmessage = (message) => {
    const { type } = JSON.parse(message.data);
    if (type === "subscribed") tries = 0; // who only opens it, and closes it again, is not back
    if (type === "ping") socket.send('{"type":"pong"}');
    else hint();
  };
  socket.onclose = () => {
    const longest = Math.min(SLOWEST, 500 * 2 ** tries++);
    setTimeout(listen, longest * (0.5 + Math.random() / 2));
  };
}

document.addEventListener("submit", press);
document.addEventListener("input", edited);
byId("ending").querySelector("button").addEventListener("click", stay);
document.addEventListener("focusout", () => kept && hint());
document.addEventListener("pointerup", () => kept && hint());
document.addEventListener("visibilitychange", () => document.hidden || look());
addEventListener("online", look);
setInterval(look, POLL);
setInterval(ages, 1000);
isTrue();
listen();
