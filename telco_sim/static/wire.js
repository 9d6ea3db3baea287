// The line to the telco: its control API, its ledger as it grows, and the tape on which a scene is recorded.

const WAIT = 25;

export async function ask(method, path, body) {
  const reply = await fetch(`/telco/${path}`, {
    method,
    headers: body ? {"Content-Type": "application/json"} : {},
    body: body && JSON.stringify(body),
  });
  if (reply.status === 204) return {};
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error);
  return answer;
}

// One request waits for all phones, because a browser opens only six connections to a host.
export async function follow(after, take, trouble) {
  let wait = WAIT;
  for (;;) {
    try {
      const {rows} = await ask("GET", `ledger?after=${after}&wait=${wait}`);
      trouble("");
      wait = WAIT;
      if (rows.length) {
        after = rows.at(-1).number;
        take(rows);
      }
    } catch {
      trouble("The telco does not answer. Is it still running? The page goes on by itself when it is back.");
      wait = 0;
      await new Promise(done => setTimeout(done, 1500));
    }
  }
}

class Tape {
  lines = null;

  start(phones) {
    this.lines = ["# Replay with: zamu telco run scene.yaml", "phones:", ...phones.map(yaml), "steps:"];
    this.last = performance.now();
  }

  step(kind, what) {
    if (!this.lines) return;
    const pause = Math.round((performance.now() - this.last) / 100) / 10;
    if (pause >= 0.3) this.lines.push(`- pause: ${pause}`);
    this.lines.push(`- ${kind}: ${JSON.stringify(what)}`);
    this.last = performance.now();
  }

  // What was on the screen is for the reader; whether it took an answer is what must hold again.
  saw(phone, screen) {
    if (!this.lines) return;
    this.lines.push(...screen.text.split("\n").map(line => `  # ${line}`));
    this.lines.push(`- expect: ${JSON.stringify({phone, open: screen.open})}`);
  }

  stop() {
    const file = new Blob([this.lines.join("\n") + "\n"], {type: "application/yaml"});
    this.lines = null;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = "scene.yaml";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

function yaml({number, network, dialect}) {
  return `  ${JSON.stringify(number)}: ${JSON.stringify({network, dialect})}`;
}

export const tape = new Tape();
