// Two short notes for a text that came; silent until somebody has touched the page, as browsers want it.

let audio;
export const sound = {on: true};

export function chirp() {
  if (!sound.on || !navigator.userActivation?.hasBeenActive) return;
  audio ??= new AudioContext();
  [880, 1175].forEach((pitch, index) => note(pitch, audio.currentTime + index * 0.11));
}

function note(pitch, at) {
  const tone = new OscillatorNode(audio, {type: "triangle", frequency: pitch});
  const volume = new GainNode(audio, {gain: 0});
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.12, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.1);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.11);
}
