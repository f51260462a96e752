import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n, languageReady } from './i18n'
import router from './router'
import { keepFocus } from './services/focus'
import { usePreferences } from './stores/preferences'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/dialogs.css'

const app = createApp(App)
app.use(createPinia())
usePreferences() // before anything is painted; the texts of the language begin to load
app.use(i18n)
app.use(router) // begins to load the first page
languageReady().then(() => {
  app.mount('#app')
  keepFocus()
})
