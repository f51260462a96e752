import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import autoImport from 'unplugin-auto-import/vite'
import { defineConfig, loadEnv } from 'vite'
import { emojiData } from './emojiData.js'
import { precompress } from './precompress.js'
import { socketioClient } from './socketioClient.js'

const FUNCTION_TESTS = [
  ...[
    'accountRules',
    'attachments',
    'bidi',
    'completions',
    'dates',
    'docsModel',
    'emoji',
    'emojiList',
    'events',
    'files',
  ],
  ...['folding', 'format'],
  ...['freshness', 'hosts', 'i18n', 'links', 'markers', 'mentions', 'once', 'recovery', 'rows'],
  ...['searchHits', 'searchWords', 'timeline', 'useForm', 'userAgents', 'viewport', 'zoom'],
].map((name) => `tests/unit/${name}.test.js`)

const FIRST_OF_OTHERS =
  /node_modules\/(@floating-ui|@vueuse|reka-ui\/dist\/(?!Dialog|AlertDialog|Listbox|Popover|Switch))/
const FIRST_OF_OURS = new RegExp(
  [
    String.raw`src/(services|stores|text(?!/search)|events|i18n/(?!en|ru)\w+\.js)`,
    String.raw`src/components/(IconButton|FormField|FormFailure)\.vue`,
    String.raw`src/composables/use(Notices|Overlay|Action|Form)\.js`,
    'plugin-vue:export-helper',
  ].join('|'),
)

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, process.cwd(), 'VESTNIK_').VESTNIK_SERVER || 'http://localhost:8000'
  return {
    plugins: [
      vue(),
      // The documented snippets use `ref` without importing it.
      autoImport({ imports: ['vue'], dts: false }),
      emojiData(),
      socketioClient(),
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
      // Every browser that knows the client's colours preloads modules by itself.
      modulePreload: { polyfill: false },
      rolldownOptions: {
        // The page of the API is apart: the chat loads nothing of it.
        input: ['index.html', 'docs.html'],
        output: {
          codeSplitting: {
            groups: [
              // Stays in the browser's cache when only the client itself has changed.
              { name: 'vue', test: /node_modules\/(@vue|vue|vue-router|pinia|vue-i18n|@intlify)\// },
              // What the first load needs of what others need too, in two files instead of a dozen.
              { name: 'ui', test: FIRST_OF_OTHERS },
              { name: 'core', test: FIRST_OF_OURS },
            ],
          },
        },
      },
    },
    server: {
      port: 3000,
      proxy: {
        '/api': server,
        '/hooks': server,
        '/ws': { target: server, ws: true },
        '/socket.io': { target: server, ws: true },
      },
    },
    test: {
      environment: 'happy-dom',
      setupFiles: ['tests/unit/setup.js'],
      pool: 'threads',
      maxWorkers: '100%',
      unstubGlobals: true,
      restoreMocks: true,
      // The first import of the client takes many seconds on a machine that has other things to do.
      testTimeout: 30_000,
      hookTimeout: 60_000,
      projects: [
        // Tests of functions share an environment per worker: creating one takes longer than they do.
        { extends: true, test: { name: 'functions', include: FUNCTION_TESTS, isolate: false } },
        // Stores and connections leave timers and listeners behind.
        {
          extends: true,
          test: { name: 'client', include: ['tests/unit/*.test.js'], exclude: FUNCTION_TESTS },
        },
      ],
    },
  }
})
