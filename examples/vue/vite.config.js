import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const server = process.env.VESTNIK_URL ?? 'http://localhost:8000'

/** The page talks to its own origin; `npm run dev` passes that on to the chat server. */
export default defineConfig({
  plugins: [vue()],
  server: { proxy: { '/api': server, '/ws': { target: server, ws: true } } },
})
