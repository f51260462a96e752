import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import autoImport from 'unplugin-auto-import/vite'
import { defineConfig } from 'vite'

const backend = process.env.VESTNIK_URL || 'http://localhost:8000'

export default defineConfig({
  plugins: [
    vue(),
    // The documented snippets use `ref` without importing it.
    autoImport({ imports: ['vue'], dts: false }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    port: 3000,
    proxy: {
      '/api': backend,
      '/health': backend,
      '/ws': { target: backend, ws: true },
      '/socket.io': { target: backend, ws: true },
    },
  },
  build: {
    // The server's Content-Security-Policy allows no inline code and no data: scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'happy-dom',
    include: ['tests/unit/**/*.test.js'],
  },
})
