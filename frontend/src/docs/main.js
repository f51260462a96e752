import { createApp } from 'vue'
import './docs.css'
import DocsPage from './DocsPage.vue'

createApp(DocsPage).mount('#docs')
