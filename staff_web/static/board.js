// Keeps the board true: a socket says that something changed, the page itself says what; every ten seconds it is asked anyway.
(() => {
  "use strict";
  const POLL = 10000, PATIENCE = 4000, STALE = 15000, SILENT = 60000, FIRST = 500, LONGEST = 8000;
  const facts = document.body.dataset;
  const part = (id) => document.getElementById(id);
  const script = document.querySelector("script[src]").getAttribute("src");
  let etag = null, truth = performance.now(), truthAt = new Date(), looking = false, again = false, polled = truth;

  // What is true now.

  async function look() {
    if (looking) { again = true; return; }
    looking = true;
    polled = performance.now();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const answer = await fetch(location.pathname, { headers, cache: "no-store", signal: patience.signal });
      if (answer.status === 200) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (answer.status === 200) etag = answer.headers.get("etag");
      if (answer.status === 200 || answer.status === 304) { truth = performance.now(); truthAt = new Date(); tick(); }
    } catch (_) { /* away: the next look may find it */ }
    clearTimeout(timer);
    looking = false;
    if (again) { again = false; look(); }
  }

  function show(page) {
    const fresh = page.getElementById("board");
    const source = page.querySelector("script[src]");
    if (!fresh) throw new Error("not the board");
    if (source.getAttribute("src") !== script) { location.reload(); return; }  // a new release
    const ids = (root) => Array.from(root.querySelectorAll("[data-part]"), (one) => one.id).join();
    const shown = part("board");
    if (ids(fresh) !== ids(shown)) {
      shown.innerHTML = fresh.innerHTML;
    } else {
      for (const one of fresh.querySelectorAll("[data-part]")) {
        const old = part(one.id);
        if (old.outerHTML !== one.outerHTML) old.replaceWith(document.adoptNode(one));
      }
    }
    shown.dataset.version = fresh.dataset.version;
    for (const one of calls()) call(one.dataset.call, one.dataset.label, one.dataset.counter);
  }

  // Who was called: each is said once, whether a socket or the page tells of it first.

  const calls = () => document.querySelectorAll("[data-call]");
  const said = new Set(Array.from(calls(), (one) => one.dataset.call));

  function call(name, label, counter, recalled) {
    if (said.has(name) && !recalled) return;
    said.add(name);
    if (said.size > 500) said.delete(said.values().next().value);
    part("said").textContent = label + (counter ? ", " + counter : "");
    announcements.push([label, counter || ""]);
    if (announcements.length > 20) announcements.shift();
    announce();
  }

  // Chime and voice, one call after the other. Browsers make no sound before somebody pressed a button.

  const announcements = [];
  const button = part("sound");
  let audio = null, speaking = false;

  const sounds = () => audio !== null && audio.state === "running";

  async function switchOn() {
    try {
      audio = audio || new (window.AudioContext || window.webkitAudioContext)();
      // Without a gesture it would wait for one.
      await Promise.race([audio.resume(), wait(300)]);
    } catch (_) { audio = null; }
    showSound();
  }

  function showSound() {
    button.setAttribute("aria-pressed", String(sounds()));
    button.querySelector(".words").textContent = sounds() ? facts.on : facts.off;
  }

  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  function chime() {
    [[659, 0], [523, 0.35]].forEach(([pitch, after]) => {
      const tone = audio.createOscillator(), loudness = audio.createGain(), from = audio.currentTime + after;
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0, from);
      loudness.gain.linearRampToValueAtTime(0.5, from + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.001, from + 0.9);
      tone.connect(loudness).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 1);
    });
    return wait(1200);
  }

  function voices() {
    const all = window.speechSynthesis ? speechSynthesis.getVoices() : [];
    const found = facts.languages.split(" ").map((language) => all.find((one) => one.lang.slice(0, 2) === language));
    const usable = found.filter(Boolean);
    return usable.length ? usable : all.slice(0, 1);
  }

  function say(words, voice) {
    const speech = new SpeechSynthesisUtterance(words);
    speech.voice = voice;
    speech.lang = voice.lang;
    speech.rate = 0.85;
    const over = new Promise((done) => { speech.onend = done; speech.onerror = done; });
    speechSynthesis.speak(speech);
    return Promise.race([over, wait(10000)]);  // some never say that they are done
  }

  async function announce() {
    if (speaking) return;
    speaking = true;
    while (announcements.length) {
      const [label, counter] = announcements.shift();
      if (!sounds()) continue;
      await chime();
      const words = Array.from(label).join(" ") + (counter ? ", " + counter : "");  // digits one by one
      for (const voice of voices()) await say(words, voice);
    }
    speaking = false;
  }

  button.addEventListener("click", async () => {
    if (sounds()) { await audio.suspend(); localStorage.removeItem("sound"); showSound(); return; }
    localStorage.setItem("sound", "on");
    await switchOn();
    if (sounds()) chime();
  });

  // The socket.

  let socket = null, tries = 0, heard = 0;

  function connect() {
    socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
    heard = performance.now();
    const mine = socket;
    mine.onopen = () => mine.send(JSON.stringify({ type: "subscribe", to: "branch:" + facts.code }));
    mine.onmessage = (event) => {
      if (mine !== socket) return;
      heard = performance.now();
      const message = JSON.parse(event.data);
      if (message.type === "ping") mine.send('{"type":"pong"}');
      if (message.type === "subscribed") tries = 0;
      if (message.type === "ticket_called" && message.called_at) {
        call(message.ticket + "|" + message.called_at, message.ticket, message.counter, message.again);
      }
      if (message.type !== "ping") look();
    };
    mine.onclose = () => { if (mine === socket) later(); };
  }

  function later() {
    socket = null;
    const pause = Math.min(LONGEST, FIRST * 2 ** tries++);
    setTimeout(connect, pause * (0.5 + Math.random() / 2));
  }

  // The clock.

  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: facts.timezone });

  function tick() {
    const now = performance.now(), stale = now - truth > STALE;
    part("clock").textContent = clock.format(new Date());
    if (stale !== !part("stale").hidden) {
      part("stale").textContent = stale ? "⚠ " + facts.stale.replace("{at}", clock.format(truthAt)) : "";
      part("stale").hidden = !stale;
      document.body.classList.toggle("is-stale", stale);
    }
    if (now - polled > POLL) look();
    if (socket && now - heard > SILENT) { const dead = socket; later(); dead.close(); }
  }

  button.hidden = false;
  if (localStorage.getItem("sound")) switchOn();
  tick();
  setInterval(tick, 1000);
  connect();
  look();
})();
