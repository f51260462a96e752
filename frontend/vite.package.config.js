import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const PACKAGE = '../packages/vestnik-client'

/** Builds packages/vestnik-client from the modules of this client. */
export default defineConfig({
  publicDir: false,
  resolve: { alias: { '@': at('./src') } },
  build: {
    outDir: at(`${PACKAGE}/dist`),
    emptyOutDir: true,
    minify: false,
    lib: {
      entry: { index: at(`${PACKAGE}/src/index.js`), vue: at(`${PACKAGE}/src/vue.js`) },
      formats: ['es'],
    },
    rolldownOptions: { external: ['vue'] },
  },
})
