/** The sound of a new message: two soft tones, synthesized. */

const TONES_HZ = [659.3, 880]
const TONE_S = 0.16
const LOUDNESS = 0.12
/** A sound that could only begin later than this is not played. */
const START_TIMEOUT_MS = 500

/** @type {AudioContext | undefined} */
let context

/** Plays the sound, unless the browser forbids sounds before the user's first click or key. */
export async function playSound() {
  const audio = (context ??= new AudioContext())
  const isAllowed = await Promise.race([
    audio.resume().then(() => true),
    new Promise((resolve) => setTimeout(() => resolve(false), START_TIMEOUT_MS)),
  ])
  if (isAllowed) TONES_HZ.forEach((hz, index) => tone(audio, hz, audio.currentTime + index * TONE_S * 0.7))
}

/**
 * @param {AudioContext} audio
 * @param {number} hz
 * @param {number} start in seconds of the context
 */
function tone(audio, hz, start) {
  const oscillator = new OscillatorNode(audio, { type: 'sine', frequency: hz })
  const gain = new GainNode(audio, { gain: 0 })
  gain.gain.setValueAtTime(0, start)
  gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.015)
  gain.gain.exponentialRampToValueAtTime(0.0001, start + TONE_S * 2)
  oscillator.connect(gain).connect(audio.destination)
  oscillator.start(start)
  oscillator.stop(start + TONE_S * 2)
}
