import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import autoImport from 'unplugin-auto-import/vite'
import { defineConfig, loadEnv } from 'vite'
import { precompress } from './precompress.js'

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, process.cwd(), 'VESTNIK_').VESTNIK_SERVER || 'http://localhost:8000'
  return {
    plugins: [
      vue(),
      // The documented snippets use `ref` without importing it.
      autoImport({ imports: ['vue'], dts: false }),
      precompress(),
    ],
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    define: {
      __VUE_OPTIONS_API__: false,
      __VUE_I18N_FULL_INSTALL__: false,
      __VUE_I18N_LEGACY_API__: false,
      __INTLIFY_PROD_DEVTOOLS__: false,
    },
    build: {
      rolldownOptions: {
        output: {
          // Stays in the browser's cache when only the client itself has changed.
          codeSplitting: {
            groups: [{ name: 'vue', test: /node_modules\/(@vue|vue|vue-router|pinia|vue-i18n|@intlify)\// }],
          },
        },
      },
    },
    server: {
      port: 3000,
      proxy: {
        '/api': server,
        '/ws': { target: server, ws: true },
        '/socket.io': { target: server, ws: true },
      },
    },
    test: {
      environment: 'happy-dom',
      include: ['tests/unit/**/*.test.js'],
      setupFiles: ['tests/unit/setup.js'],
      // One browser environment per worker: one per file takes longer than the tests themselves.
      pool: 'threads',
      isolate: false,
      maxWorkers: '100%',
      unstubGlobals: true,
      restoreMocks: true,
    },
  }
})
