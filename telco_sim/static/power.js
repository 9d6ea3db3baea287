// Whether a phone is on, and the button that switches it.

import {ask, tape} from "./wire.js";

export class Power {
  // `changed` is told when it was switched, here or by somebody else.
  constructor({phone, on, face, changed}) {
    [this.on, this.changed] = [on, changed];
    face.find(".power").addEventListener("click", () => {
      tape.step(this.on ? "switch_off" : "switch_on", {phone});
      ask("POST", "power", {phone, on: !this.on}).catch(error => face.remark(error.message));
    });
  }

  take(row) {
    this.on = row.data.on;
    this.changed(this.on);
  }
}
