// What twelve keys can write, and how long it is on the air.

const TAPS = {
  1: ".,?!'1", 2: "abc2", 3: "def3", 4: "ghi4", 5: "jkl5", 6: "mno6", 7: "pqrs7", 8: "tuv8", 9: "wxyz9", 0: " 0",
  "*": "*", "#": "#",
};
const PATIENCE = 900;
const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
  + "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENDED = new Set("^{}\\[~]|€\f");

export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export const lettersOn = key => ({0: "+ ␣"})[key] ?? (/[2-9]/.test(key) ? TAPS[key].slice(0, -1) : "");

// Keys of letters: pressing one again soon changes the last letter.
export class Taps {
  #key = "";
  #turn = 0;
  #time = 0;

  press(words, key, now = performance.now()) {
    const again = key === this.#key && now - this.#time < PATIENCE && TAPS[key].length > 1;
    this.#turn = again ? (this.#turn + 1) % TAPS[key].length : 0;
    this.#key = key;
    this.#time = now;
    return (again ? words.slice(0, -1) : words) + TAPS[key][this.#turn];
  }
}

export function measure(text) {
  const plain = [...text].every(each => BASIC.has(each) || EXTENDED.has(each));
  const cost = each => (plain ? (EXTENDED.has(each) ? 2 : 1) : each.length);
  const costs = [...text].map(cost);
  const units = costs.reduce((sum, each) => sum + each, 0);
  const [single, part] = plain ? [160, 153] : [70, 67];
  let parts = 1;
  let used = 0;
  if (units > single) {
    for (const each of costs) {
      if (used + each > part) [parts, used] = [parts + 1, 0];
      used += each;
    }
  }
  return {units, parts, alphabet: plain ? "GSM-7" : "UCS-2"};
}
