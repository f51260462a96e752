/**
 * The seeds of a random test: a few by default, `VESTNIK_SEEDS=5000` for the long form, `VESTNIK_SEED=17` to begin at the
 * one that failed.
 */

const FEW = 80

/** @param {(seed: number) => Promise<unknown>} run a failure in it names its seed */
export async function forEachSeed(run) {
  const count = Number(process.env.VESTNIK_SEEDS ?? FEW)
  const first = Number(process.env.VESTNIK_SEED ?? 1)
  for (let seed = first; seed < first + count; seed++) {
    try {
      await run(seed)
    } catch (error) {
      error.message = `VESTNIK_SEED=${seed}: ${error.message}`
      throw error
    }
  }
}
